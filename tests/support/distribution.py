"""How tests are distributed over several processes (pytest-xdist)."""

import re

import pytest
from xdist.remote import Producer  # pyright: ignore[reportMissingTypeStubs]
from xdist.scheduler import LoadScopeScheduling  # pyright: ignore[reportMissingTypeStubs]

SPLIT = ("tests/worker/", "tests/embedded/")
"""Each of these tests starts processes of its own and waits for their ends. They share nothing, so each may
run in any process."""

FIRST = (*SPLIT, "tests/infra/", "tests/scheduler/test_expiry", "tests/edits/test_paid_calls")
"""These take long, so they begin before all others."""

KIND = re.compile(r"\[(?:.*-)?(embedded|services)\b")


class ByFileAndKind(LoadScopeScheduling):
    """Gives tests that share a site to one process: a file's tests on one kind of site, in their order."""

    def __init__(self, config: pytest.Config, log: Producer | None) -> None:
        config.option.loadscopereorder = False
        super().__init__(config, log)

    def _split_scope(self, nodeid: str) -> str:
        return scope_of(nodeid)


def scope_of(nodeid: str) -> str:
    """Return the scope of a test; one process runs all tests of a scope."""
    if nodeid.startswith(SPLIT):
        return nodeid
    file, _, test = nodeid.partition("::")
    kind = KIND.search(test)
    return f"{file} {kind[1]}" if kind else file


def order_of(item: pytest.Item) -> tuple[bool, bool, str]:
    """Return a sort key: long tests first, then one kind of site after the other, then the others."""
    kind = KIND.search(item.nodeid)
    return not item.nodeid.startswith(FIRST), kind is None, kind[1] if kind else ""
