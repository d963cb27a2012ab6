"""The commands that wait for their replies. No Kafka, clock or thread here: whoever calls holds a lock.

The handler remembers a command that wrote events, so its first outcome is its only one, whichever copy it answers. What
changed nothing is not remembered and each copy is decided anew: only the last reply of all copies is the outcome.
"""

from collections import OrderedDict
from concurrent.futures import Future
from dataclasses import dataclass, field

from schemas.commands import AnyCommand
from schemas.replies import Reply


@dataclass(slots=True, eq=False)
class Sent:
    """A command under way. Times are monotonic seconds, but `timestamp`: ms since the epoch, UTC, of all its copies.

    `copies`: handed to Kafka and not failed; `replies`: how many came, and the `last` of them; `confirmed`: whether
    Kafka has one. `settled`: when it took or refused the last copy, None while one is on its way. `pause`: how long
    after that the next copy is due.
    """

    command: AnyCommand
    value: bytes
    timestamp: int
    deadline: float
    pause: float
    copies: int
    replies: int = 0
    last: Reply | None = None
    confirmed: bool = False
    settled: float | None = None
    futures: list[Future[Reply]] = field(default_factory=list)

    def end(self, outcome: Reply | Exception) -> None:
        """Tell everybody who waits. Their callbacks run here, so hold no lock."""
        for future in self.futures:
            if isinstance(outcome, Reply):
                future.set_result(outcome)
            else:
                future.set_exception(outcome)


class Waiting:
    """By command id. `most`: how many futures there may be; so many unanswered ids are kept in mind, too."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._sent: dict[str, Sent] = {}
        self._unanswered: OrderedDict[str, int] = OrderedDict()  # given up with so many copies unanswered
        self._futures = 0

    @property
    def full(self) -> bool:
        """Whether no more may wait."""
        return self._futures >= self._most

    def add(
        self, command: AnyCommand, value: bytes, timestamp: int, deadline: float, pause: float
    ) -> tuple[Future[Reply], Sent | None]:
        """A future of the reply, and what to send; None: the same command is under way already.

        Raises:
            ValueError: another command with the same id is under way.
        """
        future: Future[Reply] = Future()
        future.set_running_or_notify_cancel()  # what was sent cannot be taken back
        sent = known = self._sent.get(command.command_id)
        if sent is None:
            before = self._unanswered.pop(command.command_id, 0)
            sent = self._sent[command.command_id] = Sent(command, value, timestamp, deadline, pause, before)
        elif sent.command != command:
            raise ValueError(f"command_id {command.command_id} is that of another command: {sent.command}")
        sent.futures.append(future)
        self._futures += 1
        return future, None if known else sent

    def all(self) -> list[Sent]:
        """Everything under way, the oldest first."""
        return list(self._sent.values())

    def delivered(self, sent: Sent, now: float) -> None:
        """Kafka has a copy."""
        sent.confirmed, sent.settled = True, now

    def failed(self, sent: Sent, now: float) -> bool:
        """Kafka did not take a copy. True: no other copy is left to wait for, and it is under way no more."""
        sent.copies -= 1
        sent.settled = now
        if self._sent.get(sent.command.command_id) is not sent:
            self._one_less(sent.command.command_id)
        elif sent.copies <= sent.replies:
            self._remove(sent)
            return True
        return False

    def answered(self, reply: Reply) -> Sent | None:
        """Take a reply; what has its outcome now is returned and under way no more."""
        sent = self._sent.get(reply.command_id)
        if sent is None:
            self._one_less(reply.command_id)
            return None
        sent.replies, sent.last = sent.replies + 1, reply
        if reply.first_version is None and sent.replies < sent.copies:
            return None  # a copy of it may still be accepted
        self._remove(sent)
        return sent

    def overdue(self, now: float) -> list[Sent]:
        """What nobody waits for any longer; it is under way no more."""
        ended = [sent for sent in self._sent.values() if sent.deadline <= now]
        for sent in ended:
            self._remove(sent)
            if sent.replies:  # one that is missing now may never come, and must not be waited for again
                self._unanswered.pop(sent.command.command_id, None)
        return ended

    def to_repeat(self, now: float) -> list[Sent]:
        """What is without a reply for long enough after its last copy. It waits twice as long for the next time."""
        due = [s for s in self._sent.values() if s.settled is not None and s.settled + s.pause <= now]
        for sent in due:
            sent.settled, sent.pause = None, 2 * sent.pause
        return due

    def clear(self) -> list[Sent]:
        """Everything, under way no more."""
        ended = self.all()
        for sent in ended:
            self._remove(sent)
        return ended

    def _remove(self, sent: Sent) -> None:
        del self._sent[sent.command.command_id]
        self._futures -= len(sent.futures)
        if sent.copies > sent.replies:
            self._unanswered[sent.command.command_id] = sent.copies - sent.replies
            if len(self._unanswered) > self._most:
                self._unanswered.popitem(last=False)

    def _one_less(self, command_id: str) -> None:
        left = self._unanswered.get(command_id, 0) - 1
        if left > 0:
            self._unanswered[command_id] = left
        else:
            self._unanswered.pop(command_id, None)
