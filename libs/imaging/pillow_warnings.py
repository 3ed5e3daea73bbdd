"""Suppress Pillow's warnings: their causes are either refused by this library or harmless."""

import threading
import warnings
from collections.abc import Generator
from contextlib import contextmanager

_lock = threading.Lock()
_depth = 0
_filters = warnings.catch_warnings()


@contextmanager
def suppress_warnings() -> Generator[None]:
    """Ignore Pillow's warnings. May be nested, and entered by several threads at once."""
    global _depth, _filters
    with _lock:
        if _depth == 0:
            _filters = warnings.catch_warnings()
            _filters.__enter__()
            warnings.filterwarnings("ignore", module=r"PIL\b")
        _depth += 1
    try:
        yield
    finally:
        with _lock:
            _depth -= 1
            if _depth == 0:
                _filters.__exit__(None, None, None)
