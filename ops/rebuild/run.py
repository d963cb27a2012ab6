"""A rebuild from its plan to the flip: fill, catch up, certify, make live."""

import asyncio
import gc
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, ExitStack, suppress
from dataclasses import dataclass
from typing import Literal, TypeAlias

from ops import kafka
from ops.rebuild.cutover import cut_over, follow, hand_over
from ops.rebuild.fill import Filler, LostData, Rewound, Sums
from ops.rebuild.into import Target, target
from ops.rebuild.plan import Plan, new_name, notes_of
from ops.rebuild.source import recorded
from ops.rebuild.stop import Stop
from ops.rebuild.topic import TopicReader
from ops.rebuild.waiting import Waiting
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
        self,
        settings: Settings,
        view: View,
        generations: Generations,
        plan: Plan,
        stop: Stop,
        waiting: Waiting,
        tell: Tell,
    ) -> None:
        self._settings, self._view, self._generations = settings, view, generations
        self._plan, self._stop, self._waiting, self._tell = plan, stop, waiting, tell
        self._total, self._events, self._seconds = plan.events, 0, 0.0
        self._unreadable: set[tuple[int, int]] = set()
        self._certified: tuple[Certificate, float] | None = None

    def run(self) -> Result:
        """Do it all.

        Raises:
            Stopped: it was asked to; what is filled stays.
            LostData: Redis lost the generation.
        """
        gc.set_threshold(*GC_THRESHOLDS)
        gc.freeze()
        name, begun = self._begin()
        try:
            return self._waiting.through(lambda: self._attempt(name, begun))
        except BaseException:
            if not self._waiting.for_redis:
                with suppress(RedisError):
                    self._paused(name)
            raise

    def _attempt(self, name: str, begun: str | None) -> Result:
        """All that is left to do, by what Redis says."""
        if self._generations.version(name) is None or self._generations.notes(name).get("begun") != begun:
            raise LostData(f"Redis lost generation {name}. Run it again: it begins anew.")
        if self._certified is not None and self._generations.live() == name:
            return self._result("live", name, self._certified, asyncio.run(self._handed_over(name)))
        self._state(name, "filling")
        with ExitStack() as opened:
            reader = asyncio.run(self._fill(name, opened))
            if self._events >= _WORTH:
                self._generations.keep_rate(self._plan.choice.source, self._events / max(self._seconds, 1e-3))
            since = time.monotonic()
            certificate = self._certify(name)
            self._certified = certified = certificate, time.monotonic() - since
            if certificate.total:
                self._state(name, "refused")
                return self._result("refused", name, certified)
            end, worker = asyncio.run(self._finish(name, reader))
            return self._result(end, name, certified, worker)

    def _begin(self) -> tuple[str, str | None]:
        """The generation, and when it was begun: another one of its name, after a flush, would not be ours."""
        plan, name = self._plan, self._plan.generation
        if name is None:
            name = new_name(plan.asked, self._view, self._generations)
            self._generations.begin(name, self._view.VERSION, len(plan.reach), notes_of(plan.asked, plan.choice))
        return name, self._generations.notes(name).get("begun")

    def _paused(self, name: str) -> None:
        if self._generations.filling() == name:
            self._state(name, "paused")

    def _state(self, name: str, state: str) -> None:
        self._generations.note(name, {"state": state})

    def _result(self, end: End, name: str, certified: tuple[Certificate, float], worker: bool | None = None) -> Result:
        about, seconds = certified
        return Result(
            end, name, self._plan.live, self._events, self._seconds, len(self._unreadable), about, seconds, worker
        )

    def _reader(self, name: str, opened: ExitStack) -> TopicReader:
        """From where the generation stands on."""
        reader = TopicReader(self._settings, self._generations.positions(name), self._stop)
        opened.callback(self._close, reader)
        return reader

    def _close(self, reader: TopicReader) -> None:
        self._unreadable |= reader.unreadable
        reader.close()

    async def _fill(self, name: str, opened: ExitStack) -> TopicReader:
        """Everything up to a barrier: the ends of the topic when there was little left to read."""
        async with self._target(name) as into:
            try:
                if self._plan.choice.source != "topic":
                    await self._from_the_record(name, into)
                reader = self._reader(name, opened)
                await follow(self._settings, into.filler, reader, self._stop)
            finally:
                self._seconds += into.filler.sums.seconds
            return reader

    async def _from_the_record(self, name: str, into: Target) -> None:
        """All that was on the topic at some moment, from Cassandra; what came later is read there (decision 15)."""
        server, notes = self._generations.server(), self._generations.notes(name)
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
        if self._generations.server() != server:  # nor would this, and the client may have met it between two calls
            raise Rewound("Redis was started again meanwhile. What is there is gone on from.")
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
            return "live", await self._hand_over(name, filler, reader)

    async def _handed_over(self, name: str) -> bool | None:
        """The rest of it, where a server went away after the flip, or in it."""
        with ExitStack() as opened:
            reader = self._reader(name, opened)
            async with self._target(name) as into:
                return await self._hand_over(name, into.filler, reader)

    async def _hand_over(self, name: str, filler: Filler, reader: TopicReader) -> bool | None:
        self._tell("hand_over", 0, 1)  # it takes seconds where nothing comes, and readers have it already
        worker = await hand_over(self._settings, self._generations, name, filler, reader, self._stop)
        self._tell("hand_over", 1, 1)
        return worker
