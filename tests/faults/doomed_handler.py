"""A real handler that strikes itself with a signal at one exact step.

python -m tests.faults.doomed_handler after_commit SIGKILL
"""

import os
import signal
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from typing import Any

from commands.main import run
from commands.ports import Appended, EventRow, Journal, Outgoing, Row, Watermark
from commands.shard import Inside

#: The batch at which it dies: late enough that others were finished before.
FATAL = 5

STEPS = (
    "before_commit",
    "after_commit",
    "amid_rows",
    "after_rows",
    "amid_publish",
    "after_publish",
    "after_replies",
)


class Doomed:
    """Wraps a port. Everything else goes through, and the strike itself too if the process outlives it."""

    def __init__(self, port: Any, step: str, number: signal.Signals) -> None:
        self._port, self._step, self._number, self._calls = port, step, number, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._port, name)

    def _fatal(self) -> bool:
        self._calls += 1
        return self._calls == FATAL

    def _strike(self) -> None:
        os.kill(os.getpid(), self._number)


class DoomedJournal(Doomed):
    """Dies around the commit."""

    def append(self, row: Row) -> Future[Appended]:
        """See `Journal.append`."""
        fatal = self._fatal()
        if fatal and self._step == "before_commit":
            self._strike()
        future: Future[Appended] = self._port.append(row)
        if fatal and self._step == "after_commit":
            future.add_done_callback(lambda _: self._strike())
        return future


class DoomedEvents(Doomed):
    """Dies with half of the event rows written, or all."""

    def write(self, rows: Sequence[EventRow]) -> Future[None]:
        """See `EventStore.write`."""
        if len(rows) < 2 or self._step not in {"amid_rows", "after_rows"} or not self._fatal():
            return self._port.write(rows)  # type: ignore[no-any-return]
        written = rows[1::2] if self._step == "amid_rows" else rows
        self._port.write(written).result()
        self._strike()
        return self._port.write(rows)  # type: ignore[no-any-return]


class DoomedPublisher(Doomed):
    """Dies with half of a batch's events published, all of them, or the replies too."""

    def publish(self, messages: Sequence[Outgoing]) -> Future[tuple[int, ...]]:
        """See `Publisher.publish`."""
        events = len(messages) > 1 and messages[0].topic.endswith(".events")
        if not events or self._step not in {"amid_publish", "after_publish"} or not self._fatal():
            return self._port.publish(messages)  # type: ignore[no-any-return]
        self._port.publish(messages[: len(messages) // 2] if self._step == "amid_publish" else messages)
        self._port.close(30)
        self._strike()
        return self._port.publish(messages)  # type: ignore[no-any-return]


class DoomedWatermarks(Doomed):
    """Dies when everything is out but the watermark."""

    def save(self, shard: int, mark: Watermark) -> Future[None]:
        """See `Watermarks.save`."""
        if self._step == "after_replies" and self._fatal():
            self._strike()
        return self._port.save(shard, mark)  # type: ignore[no-any-return]


def doom(step: str, number: signal.Signals) -> Callable[[Inside], Inside]:
    """Replace the ports by ones that die."""

    def adjust(inside: Inside) -> Inside:
        out = replace(
            inside.out,
            events=DoomedEvents(inside.out.events, step, number),
            publisher=DoomedPublisher(inside.out.publisher, step, number),
            watermarks=DoomedWatermarks(inside.out.watermarks, step, number),
        )
        journal: Journal = DoomedJournal(inside.journal, step, number)
        return replace(inside, journal=journal, out=out, crowd=50)  # batches overlap under the little load of a test

    return adjust


if __name__ == "__main__":
    sys.exit(run(adjust=doom(sys.argv[1], signal.Signals[sys.argv[2]])))
