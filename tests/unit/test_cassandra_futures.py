"""Many answers of the driver are one future: done when all have come, failed if one of them is a failure."""

from collections.abc import Callable
from typing import Any

import pytest

from commands.cassandra.session import when_all_done
from commands.ports import StoreUnavailable

Told = Callable[[Any], None]


class Response:
    """A request whose answer the test gives."""

    def add_callbacks(self, callback: Told, errback: Told) -> None:
        self.succeed, self.fail = callback, errback


def test_nothing_to_wait_for_is_done() -> None:
    assert when_all_done([]).result(0) is None


def test_it_is_done_with_the_last_answer() -> None:
    responses = [Response() for _ in range(3)]
    future = when_all_done(responses)
    for response in responses:
        assert not future.done()
        response.succeed([])
    assert future.result(0) is None


@pytest.mark.parametrize("failing", range(3))
def test_one_failure_is_the_failure_of_all_once_all_are_answered(failing: int) -> None:
    responses = [Response() for _ in range(3)]
    future = when_all_done(responses)
    for number, response in enumerate(responses):
        assert not future.done()
        if number == failing:
            response.fail(OSError("gone"))
        else:
            response.succeed([])
    with pytest.raises(StoreUnavailable, match="OSError: gone"):
        future.result(0)
