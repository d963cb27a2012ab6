"""Futures put together."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from threading import Lock
from typing import Any, TypeVar

T = TypeVar("T")


def at_once(work: Callable[[], T]) -> Future[T]:
    """Do the work here and now."""
    future: Future[T] = Future()
    try:
        future.set_result(work())
    except Exception as error:
        future.set_exception(error)
    return future


def pass_on(source: Future[T], target: Future[T]) -> None:
    """Make `target` end as `source` does."""

    def ended(future: Future[T]) -> None:
        error = future.exception()
        if error is None:
            target.set_result(future.result())
        else:
            target.set_exception(error)

    source.add_done_callback(ended)


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
