"""Silence for Pillow's warnings: what it warns of is either refused by us, or harmless."""

import threading
import warnings
from collections.abc import Generator
from contextlib import contextmanager

_lock = threading.Lock()
_depth = 0
_silence = warnings.catch_warnings()


@contextmanager
def quiet() -> Generator[None]:
    """Ignore warnings raised by Pillow; may be nested, and entered by several threads at once."""
    global _depth, _silence
    with _lock:
        if _depth == 0:
            _silence = warnings.catch_warnings()
            _silence.__enter__()
            warnings.filterwarnings("ignore", module=r"PIL\b")
        _depth += 1
    try:
        yield
    finally:
        with _lock:
            _depth -= 1
            if _depth == 0:
                _silence.__exit__(None, None, None)
