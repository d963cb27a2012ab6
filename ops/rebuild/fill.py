"""Batches into a generation: the next is read and projected while Redis applies the one before."""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from ops.rebuild.batch import Batch
from projections.projector import Prepared, Projector
from projections.read_model import Behind

_UNDER_WAY = 2  # calls to Redis at once, each of another partition


class LostData(Exception):
    """Redis has less of the generation than was put there. The text says what to do."""


class Rewound(LostData):
    """It is back at an earlier state of the generation, whole in itself: one can go on from there."""


@dataclass(slots=True)
class Sums:
    """What was filled: `events` applied, whether or not they were there before.

    `first`, `last`: when the first batch was read and the last was applied (monotonic seconds).
    """

    events: int = 0
    first: float = 0.0
    last: float = 0.0

    @property
    def seconds(self) -> float:
        """From one to the other."""
        return self.last - self.first


class Filler:
    """Puts batches into one generation. `until`: only events that are not after that time (ms)."""

    def __init__(
        self,
        projector: Projector,
        keep: Callable[[Mapping[str, str | int]], None],
        until: int | None,
        tell: Callable[[Sums], None],
    ) -> None:
        self._projector, self._keep, self._until, self._tell = projector, keep, until, tell
        self._under_way: dict[int, asyncio.Future[None]] = {}
        self.sums = Sums()

    async def fill(self, batches: Iterator[Batch]) -> None:
        """Apply all batches. Whatever ends it, nothing is under way any more then.

        Raises:
            Rewound: Redis lost some of what it had.
        """
        ahead = self._read(batches)
        try:
            while (batch := await ahead) is not None:
                ahead = self._read(batches)
                await self._take(batch)
        finally:
            await asyncio.wait([ahead])
            ahead.exception()  # else the loop complains where another one ended it
            await self._settle()

    @staticmethod
    def _read(batches: Iterator[Batch]) -> "asyncio.Future[Batch | None]":
        return asyncio.ensure_future(asyncio.to_thread(next, batches, None))

    async def _take(self, batch: Batch) -> None:
        self.sums.first = self.sums.first or time.monotonic()
        until, envelopes = self._until, batch.envelopes
        if until is not None:  # an account's time never goes back, so these are the first of each account
            envelopes = [envelope for envelope in envelopes if envelope.at <= until]
        prepared = await self._projector.prepare(batch.partition, batch.begin, batch.end, envelopes)
        before = self._under_way.pop(batch.partition, None)
        if before is not None:
            await before
        while len(self._under_way) >= _UNDER_WAY:
            await self._under_way.pop(next(iter(self._under_way)))
        self._under_way[batch.partition] = asyncio.ensure_future(self._apply(prepared, len(batch.envelopes)))
        await asyncio.sleep(0)  # so that it is on its way while the next is prepared
        if batch.note:
            await self._settle()
            self._keep(batch.note)

    async def _apply(self, prepared: Prepared, events: int) -> None:
        chunk = prepared.chunk
        outcome = await self._projector.apply(prepared)
        if isinstance(outcome, Behind):
            raise Rewound(
                f"Redis lost data of the generation: partition {chunk.partition} is at {outcome.position}, not at"
                f" {chunk.begin}. What is there is gone on from."
            )
        self.sums.events += events
        self.sums.last = time.monotonic()
        self._tell(self.sums)

    async def _settle(self) -> None:
        under_way = list(self._under_way.values())
        self._under_way.clear()
        if under_way:
            done = await asyncio.gather(*under_way, return_exceptions=True)
            for one in done:
                if isinstance(one, BaseException):
                    raise one
