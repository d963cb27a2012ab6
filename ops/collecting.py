"""Garbage collection for work that makes much and keeps most of it."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

from commands.main import GC_THRESHOLDS


@contextmanager
def as_a_handler() -> Iterator[None]:
    """Collect as seldom as a handler does: Python's default would walk the accounts a dozen times as often."""
    before = gc.get_threshold()
    gc.set_threshold(*GC_THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*before)
