"""The query API: documents of the live generation of a view, and how far it has read."""

import heapq
import time
from collections.abc import Iterator
from typing import Any

from projections.changes import StoredDocument
from projections.redis_model.keys import Keys
from projections.redis_model.reader import RedisReader
from projections.settings import Settings
from projections.views import VIEWS, device_downloads
from projections.views.view import View

_POLL = 0.02  # seconds


class Views:
    """Queries of every view. The live generation is looked up for each call, so a flip is seen at once."""

    def __init__(self, settings: Settings) -> None:
        self._namespace = settings.namespace
        self._reader = RedisReader(settings.redis)

    def document(self, view: str, key: str, now: int, generation: str | None = None) -> dict[str, Any] | None:
        """The document `key` of a view as it reads at `now` (ms), in the live generation or another; None: not there.

        Raises:
            KeyError: no view has that name.
            ValueError: no generation can have that name.
        """
        keys = Keys(self._namespace, view, generation) if generation else self._live(VIEWS[view])
        return self._query(VIEWS[view], keys, key, now) if keys else None

    def positions(self, view: str) -> dict[int, int]:
        """The next offset of the events topic, by partition; empty: no worker of the view has ever run."""
        keys = self._live(VIEWS[view])
        return self._reader.positions(keys) if keys else {}

    def live(self, view: str) -> tuple[str | None, str | None]:
        """The generation that readers see, and the VERSION of the view that fills it; None where nobody has said."""
        keys = self._live(VIEWS[view])
        return (keys.generation, self._reader.version(keys)) if keys else (None, None)

    def waiting(self, view: str) -> dict[int, str]:
        """Partition -> the version of a newer release that the view's worker met there, such as LicenseAcquired.v3."""
        keys = self._live(VIEWS[view])
        if keys is None:
            return {}
        positions = self._reader.positions(keys)
        noted = self._reader.waiting(keys).items()
        return {partition: needs for partition, (offset, needs) in noted if positions.get(partition) == offset}

    def wait_until_seen(self, view: str, partition: int, offset: int, timeout: float) -> bool:
        """Wait until the view has seen the event at `offset`. False: not within `timeout` seconds."""
        end = time.monotonic() + timeout
        while self.positions(view).get(partition, 0) <= offset:
            if time.monotonic() > end:
                return False
            time.sleep(_POLL)
        return True

    def top_devices(self, count: int, now: int) -> list[dict[str, Any]]:
        """The devices with the most downloads. Reads every device: for tables on a terminal."""
        keys = self._live(device_downloads)
        if keys is None:
            return []
        found = (self._query(device_downloads, keys, document, now) for _, document in self._reader.scan(keys))
        devices = (device for device in found if device is not None)
        return heapq.nlargest(count, devices, key=lambda one: (one["downloads"], one["active"], one["last_activity"]))

    def export(self, view: str, generation: str) -> Iterator[tuple[str, str, StoredDocument]]:
        """Every stored document of a generation: tag, id, content. For checks, not while it changes."""
        keys = Keys(self._namespace, view, generation)
        for tag, document in self._reader.scan(keys):
            yield tag, document, self._reader.stored(keys, tag, document)

    def close(self) -> None:
        """Close the connections."""
        self._reader.close()

    def _live(self, view: View) -> Keys | None:
        generation = self._reader.live(self._namespace, view.NAME)
        return Keys(self._namespace, view.NAME, generation) if generation else None

    def _query(self, view: View, keys: Keys, key: str, now: int) -> dict[str, Any] | None:
        parts = self._reader.read(keys, tags_of(view, key, self._reader.partitions(keys)), key, now)
        return view.query(key, parts, now) if parts else None


def tags_of(view: View, key: str, partitions: int) -> list[str]:
    """The hash tags under which parts of the document `key` may be."""
    return [key.partition("/")[0]] if view.TAG == "account" else [f"p{partition}" for partition in range(partitions)]
