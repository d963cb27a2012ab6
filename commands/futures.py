"""Futures put together."""

from collections.abc import Sequence
from concurrent.futures import Future
from threading import Lock
from typing import Any


def all_of(futures: Sequence[Future[Any]]) -> Future[None]:
    """A future that is done when all are; it fails as the first of them that failed."""
    together: Future[None] = Future()
    left, lock = len(futures), Lock()
    if not futures:
        together.set_result(None)

    def one_is_done(future: Future[Any]) -> None:
        nonlocal left
        with lock:
            left -= 1
            last = left == 0
        if last:
            failures = (error for future in futures if (error := future.exception()) is not None)
            if (error := next(failures, None)) is not None:
                together.set_exception(error)
            else:
                together.set_result(None)

    for future in futures:
        future.add_done_callback(one_is_done)
    return together
