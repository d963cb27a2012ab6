"""Collects the replies to the commands that one process sends, and how long each took."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ops import framing, kafka
from schemas.codec import decode_reply
from schemas.replies import Reply

_AT_ONCE = 2000


class NoReply(Exception):
    """Replies stopped coming. The text says how many are missing and where to look."""


class Replies:
    """Reads the replies topic from the end that it had before the first command was sent.

    `latencies`: seconds from the (first) sending of a command to its reply. `outcomes`: replies by outcome and reason.
    """

    def __init__(self, bootstrap: str, topic: str) -> None:
        start = {(topic, partition): end for partition, end in kafka.ends(bootstrap, topic).items()}
        self._reader = kafka.reader(bootstrap, start)
        self._plain = framing.from_topic()
        self._expected: dict[str, tuple[int, float]] = {}  # command id -> replies to come, time of sending
        self.outstanding = 0
        self.latencies: list[float] = []
        self.outcomes: Counter[tuple[str, str]] = Counter()
        self.on_reply: Callable[[Reply], None] = lambda reply: None

    @property
    def answered(self) -> int:
        """Replies to our commands so far."""
        return self.outcomes.total()

    def expect(self, command_id: str, sent: float | None = None) -> None:
        """A command is sent, now or at `sent` (monotonic seconds); a retry is answered once more."""
        count, first = self._expected.get(command_id, (0, sent or time.monotonic()))
        self._expected[command_id] = count + 1, first
        self.outstanding += 1

    def poll(self, timeout: float) -> int:
        """Take what has come, waiting up to `timeout` seconds for the first; return how many were ours."""
        ours = 0
        messages = self._reader.consume(1, timeout) if timeout else []
        messages += self._reader.consume(_AT_ONCE, 0.0)
        now = time.monotonic()
        for message in messages:
            if message.error() is None:
                ours += self._take(decode_reply(self._plain(message.value())), now)
        return ours

    def _take(self, reply: Reply, now: float) -> bool:
        expected = self._expected.get(reply.command_id)
        if expected is None:
            return False  # somebody else's, or the copy of an answered one after a takeover
        count, sent = expected
        if count == 1:
            del self._expected[reply.command_id]
        else:
            self._expected[reply.command_id] = count - 1, sent
        self.outstanding -= 1
        self.latencies.append(now - sent)
        self.outcomes[reply.outcome, reply.reason or ""] += 1
        self.on_reply(reply)
        return True

    def wait(self, patience: float, tell: Callable[[], None] = lambda: None) -> None:
        """Wait until every command is answered.

        Raises:
            NoReply: nothing came for `patience` seconds.
        """
        last = time.monotonic()
        while self.outstanding:
            if self.poll(0.1):
                last = time.monotonic()
            elif time.monotonic() - last > patience:
                raise NoReply(
                    f"{self.outstanding} commands are not answered, and nothing came for {patience:.0f} s. "
                    f"Does the handler run? `licensing status` tells."
                )
            tell()

    def close(self) -> None:
        """Close the connection."""
        self._reader.close()


@contextmanager
def following(bootstrap: str, topic: str) -> Iterator[Replies]:
    """A collector that is closed at the end."""
    replies = Replies(bootstrap, topic)
    try:
        yield replies
    finally:
        replies.close()
