"""Writes to a store as its owner does them: again while nobody knows what became of one. A store that stalls for two
seconds has not broken its contract."""

from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

import pytest

from commands.ports import StoreUnavailable

T = TypeVar("T")
WAIT = 60  # seconds for any future


def settled(write: Callable[[], Future[T]]) -> T:
    """What came of a write that may be done again."""
    for _ in range(20):
        try:
            return write().result(WAIT)
        except StoreUnavailable:
            continue
    pytest.fail("what became of a write stays unknown")
