"""How fast it goes: some real events, read, projected and encoded, and not sent to Redis."""

import time

from ops.rebuild.source import Reach, Source, some
from ops.rebuild.stop import Stop
from ops.settings import Settings
from projections.chunk import chunk_of, group
from projections.redis_model import wire
from projections.views.view import View

_SECONDS, _EVENTS = 1.0, 40_000


def rate_of(source: Source, settings: Settings, view: View, reach: Reach) -> float | None:
    """Events a second, over about a second; None: there are none."""
    if not any(end > begin for begin, end in reach.values()):
        return None
    stop, events = Stop(), 0
    with some(source, settings, reach, stop) as batches:
        begun = 0.0
        for batch in batches:
            if not begun:  # what comes before the first is connecting
                begun = time.monotonic()
            wire.encode(chunk_of(view, batch.partition, batch.begin, batch.end, group(batch.envelopes)[0]))
            events += len(batch.envelopes)
            if events >= _EVENTS or time.monotonic() - begun > _SECONDS:
                stop.ask("interrupted")
                break
    return events / max(time.monotonic() - begun, 1e-3) if events else None
