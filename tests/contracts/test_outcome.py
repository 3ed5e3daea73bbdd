"""Error classes say what they mean for the work that met them."""

import importlib
import pkgutil
from collections.abc import Iterator
from typing import get_args

import apps
import libs
from apps.api.problems import JobFailed
from libs.contracts.outcome import Outcome

NOT_IMPORTED = ("migrations", "__main__", "piccolo_conf")


def subclasses(kind: type[Exception]) -> Iterator[type[Exception]]:
    for subclass in kind.__subclasses__():
        yield subclass
        yield from subclasses(subclass)


def test_every_error_class_with_a_code_has_an_outcome() -> None:
    for package in (apps, libs):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith(NOT_IMPORTED) and ".migrations." not in module.name:
                importlib.import_module(module.name)
    found = {
        kind
        for kind in subclasses(Exception)
        if kind.__module__.startswith(("apps.", "libs.")) and hasattr(kind, "code")
    }
    assert len(found) > 80
    allowed = get_args(Outcome)
    assert [
        kind
        for kind in found
        if (outcome := getattr(kind, "outcome", None)) not in allowed and not isinstance(outcome, property)
    ] == []
    assert JobFailed("render_timeout", "").outcome == "permanent"
