"""How the tests are spread over several processes (pytest-xdist)."""

import re

import pytest
from xdist.remote import Producer  # pyright: ignore[reportMissingTypeStubs]
from xdist.scheduler import LoadScopeScheduling  # pyright: ignore[reportMissingTypeStubs]

STARTING = ("tests/infra/test_services", "tests/worker/", "tests/embedded/")
"""Each of their tests starts processes of its own and waits for their ends: they may part, and they go first,
so that none of them is the last to begin."""

KIND = re.compile(r"\[(?:.*-)?(embedded|services)\b")


class ByFileAndKind(LoadScopeScheduling):
    """Keeps together what shares a site: the tests of a file over one kind of it, in the order collected."""

    def __init__(self, config: pytest.Config, log: Producer | None) -> None:
        config.option.loadscopereorder = False
        super().__init__(config, log)

    def _split_scope(self, nodeid: str) -> str:
        return unit(nodeid)


def unit(nodeid: str) -> str:
    """What is given to one process as a whole, as all tests that have this in common."""
    if nodeid.startswith(STARTING):
        return nodeid
    file, _, test = nodeid.partition("::")
    kind = KIND.search(test)
    return f"{file} {kind[1]}" if kind else file


def place(item: pytest.Item) -> tuple[bool, bool, str]:
    """Sorts what takes long to the front, then one kind of site after the other, then what needs none."""
    kind = KIND.search(item.nodeid)
    return not item.nodeid.startswith(STARTING), kind is None, kind[1] if kind else ""
