"""The event rows as a source: every account's whole history, slice by slice of the accounts."""

from collections.abc import Iterator

from commands.ports import EventScan
from ops.rebuild.batch import EVENTS, Batch, gapless
from ops.rebuild.stop import Stop
from schemas.events import Envelope

SLICES = 64
#: The name of the note with the number of the next slice.
NEXT_SLICE = "slice"


def batches(scan: EventScan, start: int, stop: Stop) -> Iterator[Batch]:
    """All events that are stored now, from the slice `start` on.

    Raises:
        StoreUnavailable: the store cannot be read now.
        NewerRelease: an event is of a version that this release does not know.
    """
    for number, piece in list(enumerate(scan.slices(SLICES)))[start:]:
        found: dict[int, list[Envelope]] = {}
        for rows in scan.read(piece):
            if stop.asked:
                return
            shard = rows[0].shard
            events = found.setdefault(shard, [])
            events += gapless(row.envelope for row in rows)
            if len(events) >= EVENTS:
                yield Batch(shard, 0, 0, found.pop(shard))
        for shard, events in found.items():
            yield Batch(shard, 0, 0, events)
        yield Batch(0, 0, 0, (), {NEXT_SLICE: number + 1})
