"""The journal as a source: all that a shard has committed and followed up, row by row."""

import time
from collections.abc import Iterator

from commands.ports import Journal, JournalHistory
from ops.rebuild.batch import EVENTS, Batch
from ops.rebuild.stop import Stop
from ops.recorded import events_in
from schemas.events import Envelope

_BATCHES = 2  # between two notes of the position: each note waits for what is under way
_PATIENCE, _LOOK = 30.0, 0.2  # seconds


class NotFollowedUp(Exception):
    """Committed rows whose events may be on the topic, and may not be stored by account. The text says what to do."""


def next_row(shard: int) -> str:
    """The name of the note with the next row of a shard."""
    return f"journal:{shard}"


def batches(shard: int, start: int, history: JournalHistory, journal: Journal, stop: Stop) -> Iterator[Batch]:
    """All events of the shard that were on the topic when this began, in rows from `start` on.

    Raises:
        StoreUnavailable: the journal cannot be read now.
        NotFollowedUp: nobody follows up the last rows.
        NewerRelease, NotPrepared: a row cannot be understood.
    """
    found: list[Envelope] = []
    count = 0
    for row in history.read(shard, range(start, _end(shard, history, journal, stop))):
        if stop.asked:
            return
        found += events_in(row)
        if len(found) >= EVENTS:
            count += 1
            note = {next_row(shard): row.position + 1} if count % _BATCHES == 0 else {}
            yield Batch(shard, 0, 0, found, note)
            found = []
    if found:
        yield Batch(shard, 0, 0, found)


def _end(shard: int, history: JournalHistory, journal: Journal, stop: Stop) -> int:
    """Behind the last row that is committed by now: whatever is published comes from one before it.

    Waits until all of them are followed up, which takes no longer than a handler takes for a few batches.
    """
    kept = history.kept(shard).stop
    end = max([kept, *(row.position + 1 for row in journal.read(shard, kept))])
    deadline = time.monotonic() + _PATIENCE
    while (kept := history.kept(shard).stop) < end and not stop.asked:
        if time.monotonic() > deadline:
            raise NotFollowedUp(
                f"The rows {kept:,} to {end - 1:,} of shard {shard}'s journal are committed, and nobody follows them"
                " up: start a handler, and run this again."
            )
        time.sleep(_LOOK)
    return end
