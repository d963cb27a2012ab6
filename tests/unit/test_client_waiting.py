"""What waits for a reply: whose reply it is, and when the outcome is known."""

from concurrent.futures import Future
from typing import Literal

import pytest

from commands.client.waiting import Sent, Waiting
from schemas.commands import SetPlan
from schemas.replies import Reply

ID = "0f4c2a52-6f0a-4c4e-9f0e-3f6f6a3b2c1d"
COMMAND = SetPlan(ID, "ann", None, "basic")


def reply(outcome: Literal["accepted", "rejected", "duplicate"], version: int | None = None) -> Reply:
    return Reply(ID, "ann", None, outcome, first_version=version, last_version=version)


ACCEPTED, REJECTED, DUPLICATE = reply("accepted", 1), reply("rejected"), reply("duplicate", 1)


class Table:
    """A table with one command in it, sent at 0 with 10 to wait and a pause of 2; `copy` sends it once more."""

    def __init__(self, most: int = 10) -> None:
        self.waiting = Waiting(most)
        self.future, self.sent = self.again()

    def again(self, deadline: float = 10) -> tuple[Future[Reply], Sent]:
        future, sent = self.waiting.add(COMMAND, b"", 1, deadline, 2)
        assert sent is not None
        sent.copies += 1
        return future, sent

    def copy(self, now: float) -> None:
        self.waiting.delivered(self.sent, now - self.sent.pause)
        assert self.waiting.to_repeat(now) == [self.sent]
        self.sent.copies += 1

    def take(self, *replies: Reply) -> Reply | None:
        """The outcome after these replies, if it is known."""
        for one in replies:
            if (sent := self.waiting.answered(one)) is not None:
                sent.end(one)
        return self.future.result() if self.future.done() else None


def test_the_reply_ends_the_future() -> None:
    table = Table()
    assert table.take(REJECTED) == REJECTED
    assert table.waiting.all() == []


def test_a_reply_to_somebody_else_is_nobodys() -> None:
    table = Table()
    other = Reply("11111111-6f0a-4c4e-9f0e-3f6f6a3b2c1d", "ann", None, "accepted")
    assert table.take(other) is None


@pytest.mark.parametrize("first", [ACCEPTED, DUPLICATE])
def test_events_are_the_outcome_whichever_copy_is_answered(first: Reply) -> None:
    table = Table()
    table.copy(5)
    assert table.take(first) == first
    assert table.take(DUPLICATE) == first  # the reply to the other copy changes nothing


@pytest.mark.parametrize("last", [ACCEPTED, REJECTED, reply("accepted")])
def test_what_changed_nothing_is_the_outcome_once_every_copy_is_answered(last: Reply) -> None:
    table = Table()
    table.copy(5)
    assert table.take(REJECTED) is None
    assert table.take(last) == last


def test_a_copy_that_was_not_delivered_is_not_waited_for() -> None:
    table = Table()
    table.copy(5)
    assert table.take(REJECTED) is None
    assert table.waiting.failed(table.sent, 6)
    assert table.sent.last == REJECTED


def test_the_only_copy_fails() -> None:
    table = Table()
    assert table.waiting.failed(table.sent, 6)
    assert table.waiting.all() == []


def test_one_of_two_copies_fails() -> None:
    table = Table()
    table.copy(5)
    assert not table.waiting.failed(table.sent, 6)
    assert table.take(REJECTED) == REJECTED


def test_a_copy_that_failed_is_followed_by_another() -> None:
    table = Table()
    table.copy(5)
    assert not table.waiting.failed(table.sent, 6)
    assert table.waiting.to_repeat(9.9) == []
    assert table.waiting.to_repeat(10) == [table.sent]


def test_a_copy_is_due_after_silence_and_the_next_after_twice_as_long() -> None:
    table = Table()
    assert table.waiting.to_repeat(100) == []  # Kafka has not confirmed it yet: a copy would wait behind it
    table.waiting.delivered(table.sent, 1)
    assert table.waiting.to_repeat(2.9) == []
    assert table.waiting.to_repeat(3) == [table.sent]
    table.waiting.delivered(table.sent, 4)
    assert table.waiting.to_repeat(7.9) == []
    assert table.waiting.to_repeat(8) == [table.sent]


def test_what_takes_too_long_ends() -> None:
    table = Table()
    assert table.waiting.overdue(9.9) == []
    assert table.waiting.overdue(10) == [table.sent]
    assert table.waiting.overdue(10) == []


def test_the_late_reply_to_what_was_given_up_is_not_taken_for_that_to_the_next_try() -> None:
    table = Table()
    table.waiting.overdue(10)
    table.future, table.sent = table.again(20)
    assert table.take(REJECTED) is None  # that of the first try
    assert table.take(ACCEPTED) == ACCEPTED


def test_a_late_reply_between_two_tries_is_not_waited_for_again() -> None:
    table = Table()
    table.waiting.overdue(10)
    assert table.take(REJECTED) is None
    table.future, table.sent = table.again(20)
    assert table.take(REJECTED) == REJECTED


def test_a_reply_that_never_comes_spoils_one_try_and_no_more() -> None:
    table = Table()
    table.waiting.overdue(10)
    table.future, table.sent = table.again(20)
    assert table.take(REJECTED) is None
    assert table.waiting.overdue(20) == [table.sent]
    table.future, table.sent = table.again(30)
    assert table.take(REJECTED) == REJECTED


def test_a_copy_that_failed_late_is_not_waited_for_again() -> None:
    table = Table()
    table.waiting.overdue(10)
    assert not table.waiting.failed(table.sent, 6)
    table.future, table.sent = table.again(20)
    assert table.take(REJECTED) == REJECTED


def test_what_is_under_way_is_not_sent_again_and_ends_for_all() -> None:
    table = Table()
    second, sent = table.waiting.add(COMMAND, b"", 1, 10, 2)
    assert sent is None
    assert table.take(ACCEPTED) == second.result() == ACCEPTED


def test_one_id_is_one_command() -> None:
    with pytest.raises(ValueError, match="another command"):
        Table().waiting.add(SetPlan(ID, "ann", None, "premium"), b"", 1, 10, 2)


def test_it_is_full_of_futures_and_empty_again() -> None:
    table = Table(most=2)
    assert not table.waiting.full
    table.waiting.add(COMMAND, b"", 1, 10, 2)
    assert table.waiting.full
    table.take(ACCEPTED)
    assert not table.waiting.full


def test_what_it_keeps_in_mind_is_bounded() -> None:
    waiting = Waiting(3)
    for number in range(100):
        command = SetPlan(f"{number:08}-6f0a-4c4e-9f0e-3f6f6a3b2c1d", "ann", None, "basic")
        _, sent = waiting.add(command, b"", 1, number, 2)
        assert sent is not None
        sent.copies += 1
        waiting.overdue(number)
    assert len(waiting._unanswered) == 3


def test_everything_ends_at_once() -> None:
    table = Table()
    for sent in table.waiting.clear():
        sent.end(RuntimeError("over"))
    assert isinstance(table.future.exception(), RuntimeError)
    assert not table.waiting.full
    assert table.waiting.all() == []
