"""What a worker notices without a chunk that would show it. Nothing connects."""

import asyncio
from typing import Any, cast

import pytest
from faust.types import TP
from structlog.testing import capture_logs

from projections.following import Following
from projections.patience import Patience
from projections.redis_model.live import Filled
from projections.settings import Settings
from projections.views import VIEWS
from projections.worker import Worker


class Placed:
    """A consumer that is at an offset of partition 1, or has been told of none."""

    connected = True

    def __init__(self, reached: int | None) -> None:
        self.reached = reached
        self.rewound: list[int] = []

    def idle_positions(self) -> dict[int, int | None]:
        return {1: self.reached}

    async def rewind(self, tp: TP, offset: int) -> None:
        self.reached = offset
        self.rewound.append(offset)


class Model:
    """A read model that is at offset 100."""

    async def is_announced(self) -> bool:
        return True

    async def announce(self, partitions: int) -> None: ...

    async def positions(self, partitions: list[int]) -> dict[int, int]:
        return dict.fromkeys(partitions, 100)


@pytest.mark.parametrize(
    ("reached", "rewound"),
    [
        (100, []),
        (200, [100]),  # the model has lost something
        (None, [100]),  # the model was away when the partition came, and may have lost something meanwhile
    ],
)
def test_it_goes_back_to_where_the_read_model_is(reached: int | None, rewound: list[int]) -> None:
    async def story() -> None:
        worker, consumer = Worker(VIEWS["licenses"], "1", Settings()), Placed(reached)
        worker._consumer, worker.model = cast(Any, consumer), cast(Any, Model())
        for _ in range(2):
            await worker.watch()
        assert consumer.rewound == rewound

    asyncio.run(story())


class Flipped(Following):
    """Readers see generation 2 of the same version."""

    async def look(self, patience: Patience) -> Filled:
        await asyncio.sleep(0)
        return Filled("2", VIEWS["licenses"].VERSION)


def test_a_generation_is_left_once_whoever_sees_it_first() -> None:
    """A chunk that Redis has lost, and the watch."""

    async def story() -> None:
        view, settings = VIEWS["licenses"], Settings()
        worker = Worker(view, "1", settings, Flipped(view, settings))
        with capture_logs() as logs:
            await asyncio.gather(worker._follow(), worker._follow())
        assert [line["event"] for line in logs] == ["another generation is live, leaving this one"]
        assert (worker.anew, worker.stopping.is_set()) == (True, True)

    asyncio.run(story())
