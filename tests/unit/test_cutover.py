"""When readers are led from one generation to the next. Memory stands in for Redis and Kafka."""

import asyncio
from collections.abc import Collection
from typing import Any

import pytest

from ops.rebuild.cutover import cut_over
from ops.rebuild.stop import Stop


class Ground:
    """A topic of one partition, and two generations. While anybody asks a server, another event comes, and the worker
    of the live one has seen it at once."""

    def __init__(self, events: int) -> None:
        self.end, self.positions_of = 10, {"1": 10, "1.1": 10}
        self.to_come = events

    def pass_time(self) -> None:
        if self.to_come:
            self.to_come -= 1
            self.end += 1
            self.positions_of["1"] = self.end

    def ends(self, bootstrap: str, topic: str) -> dict[int, int]:
        self.pass_time()
        found = {0: self.end}
        self.pass_time()
        return found

    def positions(self, generation: str) -> dict[int, int]:
        self.pass_time()
        return {0: self.positions_of[generation]}

    def flip(self, was: str, to: str, now: int, as_far: Collection[int], *more: Any) -> str:
        behind = any(self.positions_of[to] < self.positions_of[was] for _ in as_far)
        return "behind" if behind else "flipped"

    def note(self, name: str, notes: Any) -> None:
        pass

    @property
    def reached(self) -> dict[int, int]:
        return {0: self.positions_of["1.1"]}

    def until(self, ends: dict[int, int]) -> dict[int, int]:
        return ends

    async def fill(self, ends: dict[int, int]) -> None:
        self.positions_of["1.1"] = max(self.positions_of["1.1"], ends[0])


@pytest.mark.parametrize("events", range(12))
def test_readers_never_come_to_a_generation_that_has_seen_less(monkeypatch: pytest.MonkeyPatch, events: int) -> None:
    ground: Any = Ground(events)
    monkeypatch.setattr("ops.rebuild.cutover.kafka.ends", ground.ends)
    settings: Any = type("S", (), {"kafka": "", "topics": type("T", (), {"events": "e"})})
    assert asyncio.run(cut_over(settings, ground, "1", "1.1", ground, ground, Stop()))
    assert ground.positions_of["1.1"] >= ground.positions_of["1"]
