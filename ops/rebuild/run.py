"""A rebuild from its plan to the flip: fill, catch up, certify, make live."""

import asyncio
import gc
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass
from typing import Literal, TypeAlias

from ops import kafka
from ops.rebuild.cutover import cut_over, follow, hand_over
from ops.rebuild.fill import LostData, Sums
from ops.rebuild.into import Target, target
from ops.rebuild.plan import Plan, new_name, notes_of
from ops.rebuild.source import recorded
from ops.rebuild.stop import Stop
from ops.rebuild.topic import TopicReader
from ops.redis import RedisError
from ops.settings import Settings
from ops.truth.certify import Certificate, certify
from projections.redis_model.generations import Generations
from projections.views.view import View

#: As the worker has them: a chunk makes tens of thousands of objects that all go with it.
GC_THRESHOLDS = (20_000, 50, 100)
#: The names of notes: where the topic ended before the journal or the rows were read, and that they are.
_END, _OVER = "end:", "over"
_WORTH = 10_000  # events after which a rate says something

Tell: TypeAlias = Callable[[str, int, int], None]
"""Is told what goes on, how much of it is done, and of how much."""
End: TypeAlias = Literal["live", "filled", "refused", "moved"]
_REFUSED: tuple[End, bool | None] = "refused", None


@dataclass(frozen=True, slots=True)
class Result:
    """How a rebuild ended.

    live: readers use the generation now. filled: a side generation is there. refused: it is not certified. moved:
    another generation went live meanwhile, so this one did not. `was`: what was live when it began. `seconds`: of
    filling `events`, and of the certification. `worker`: whether one has gone on filling; None: nothing came to see it.
    """

    end: End
    generation: str
    was: str | None
    events: int
    seconds: float
    unreadable: int
    certificate: Certificate
    certified_seconds: float
    worker: bool | None = None

    @property
    def rate(self) -> float:
        """Events a second."""
        return self.events / max(self.seconds, 1e-3)


class Rebuild:
    """One run of a rebuild, from wherever an earlier one was stopped."""

    def __init__(
        self, settings: Settings, view: View, generations: Generations, plan: Plan, stop: Stop, tell: Tell
    ) -> None:
        self._settings, self._view, self._generations = settings, view, generations
        self._plan, self._stop, self._tell = plan, stop, tell
        self._total, self._events = plan.events, 0

    def run(self) -> Result:
        """Do it all.

        Raises:
            Stopped: it was asked to; what is filled stays.
        """
        gc.set_threshold(*GC_THRESHOLDS)
        gc.freeze()
        name = self._begin()
        try:
            return self._run(name)
        except BaseException:
            with suppress(RedisError):
                self._state(name, "paused")
            raise

    def _run(self, name: str) -> Result:
        end, worker = _REFUSED
        reader, filled = asyncio.run(self._fill(name))
        try:
            events, seconds = filled.events, filled.seconds
            if events >= _WORTH:
                self._generations.keep_rate(self._plan.choice.source, events / max(seconds, 1e-3))
            begun = time.monotonic()
            certificate = self._certify(name)
            certified = time.monotonic() - begun
            if certificate.total:
                self._state(name, "refused")
            else:
                end, worker = asyncio.run(self._finish(name, reader))
        finally:
            reader.close()
        was, unreadable = self._plan.live, reader.unreadable
        return Result(end, name, was, events, seconds, unreadable, certificate, certified, worker)

    def _begin(self) -> str:
        plan, name = self._plan, self._plan.generation
        if name is not None:
            self._state(name, "filling")
            return name
        name = new_name(plan.asked, self._view, self._generations)
        self._generations.begin(name, self._view.VERSION, len(plan.reach), notes_of(plan.asked, plan.choice))
        return name

    def _state(self, name: str, state: str) -> None:
        self._generations.note(name, {"state": state})

    async def _fill(self, name: str) -> tuple[TopicReader, Sums]:
        """Everything up to a barrier: the ends of the topic when there was little left to read."""
        async with self._target(name) as into:
            if self._plan.choice.source != "topic":
                await self._from_the_record(name, into)
            reader = TopicReader(self._settings, self._generations.positions(name), self._stop)
            try:
                await follow(self._settings, into.filler, reader, self._stop)
            except BaseException:
                reader.close()
                raise
            return reader, into.filler.sums

    async def _from_the_record(self, name: str, into: Target) -> None:
        """All that was on the topic at some moment, from Cassandra; what came later is read there (decision 15)."""
        notes = self._generations.notes(name)
        if _OVER in notes:
            return
        ends = {int(key.removeprefix(_END)): int(end) for key, end in notes.items() if key.startswith(_END)}
        if not ends:  # first: what the topic has up to here is in the rows that are read from now on
            ends = kafka.ends(self._settings.kafka, self._settings.topics.events)
            self._generations.note(name, {f"{_END}{partition}": end for partition, end in ends.items()})
        with recorded(self._plan.choice.source, self._settings, len(ends), notes, self._stop) as batches:
            await into.filler.fill(batches)
        self._stop.check()
        if self._generations.version(name) is None:  # what Redis lost of it would not be read again
            raise LostData(f"Redis lost generation {name} while it was filled. Run it again: it begins anew.")
        for partition, end in ends.items():
            await into.advance(partition, end)
        self._generations.note(name, {_OVER: int(time.time() * 1000)})

    def _target(self, name: str) -> AbstractAsyncContextManager[Target]:
        before = self._events

        def tell(sums: Sums) -> None:
            self._events = before + sums.events
            done = self._plan.done + self._events
            self._total = max(self._total, done)
            self._tell("events", done, self._total)

        return target(self._settings, self._view, self._generations, name, self._plan.asked.until, tell)

    def _certify(self, name: str) -> Certificate:
        """Nobody writes to the generation meanwhile: it is not live, and we wait."""
        live, until = self._plan.live, self._plan.asked.until
        alike = live is not None and until is None and self._generations.version(live) == self._view.VERSION
        self._state(name, "certifying")

        def tell(done: int, total: int) -> None:
            self._stop.check()
            self._tell("certified", done, total)

        found = certify(self._settings, self._view, name, live=live if alike else None, until=until, tell=tell)
        if self._generations.version(name) is None:  # nothing differs from nothing, where Redis lost the live one too
            raise LostData(f"Redis lost generation {name} while it was certified. Run it again: it begins anew.")
        return found

    async def _finish(self, name: str, reader: TopicReader) -> tuple[End, bool | None]:
        self._state(name, "certified")
        if self._plan.asked.until is not None:
            self._generations.finished(name)
            return "filled", None
        async with self._target(name) as into:
            filler, stop = into.filler, self._stop
            if not await cut_over(self._settings, self._generations, self._plan.live, name, filler, reader, stop):
                return "moved", None
            self._tell("hand_over", 0, 1)  # it takes seconds where nothing comes, and readers have it already
            worker = await hand_over(self._settings, self._generations, name, into.filler, reader, self._stop)
            self._tell("hand_over", 1, 1)
            return "live", worker
