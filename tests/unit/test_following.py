"""Which live generations a worker of a VERSION fills, and how it waits for one, on a real event loop and no server."""

import asyncio
from pathlib import Path
from typing import cast

import pytest
from structlog.testing import capture_logs

from projections import following
from projections.following import Following
from projections.patience import Stopping
from projections.redis_model.live import Filled, LiveGeneration
from projections.settings import Settings
from projections.views import VIEWS

VIEW = VIEWS["licenses"]
OTHERS = f"{VIEW.VERSION}0"  # begins like ours


@pytest.mark.parametrize(
    ("generation", "version", "ours"),
    [
        ("1", "1", True),
        ("1.7", "1", True),
        ("named by hand", "1", True),
        ("1", None, True),
        ("1.7", None, True),
        ("1", "2", False),  # what is said counts, not the name
        ("1.7", "2", False),
        ("2", "2", False),
        ("10", None, False),
        ("10.1", None, False),
        ("named by hand", None, False),
    ],
)
def test_a_generation_is_filled_by_the_version_that_is_said_else_named(
    generation: str, version: str | None, ours: bool
) -> None:
    assert Filled(generation, version).by("1") == ours


class Pointer:
    """What `read` answers, one after the other; the last for ever."""

    def __init__(self, *answers: Filled) -> None:
        self.answers, self.reads = list(answers), 0

    async def read(self) -> Filled:
        self.reads += 1
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def follows(*answers: Filled, alive: Path | None = None) -> tuple[Following, Pointer]:
    found, pointer = Following(VIEW, Settings(alive_file=alive)), Pointer(*answers)
    found._live = cast(LiveGeneration, pointer)
    return found, pointer


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "LOOK_SECONDS", 0.001)


def test_it_waits_until_its_version_is_live_and_says_once_for_each_generation_why(tmp_path: Path) -> None:
    alive = tmp_path / "alive"
    found, pointer = follows(
        Filled(OTHERS, OTHERS), Filled(OTHERS, OTHERS), Filled("x", None), Filled("x", None),
        Filled(f"{VIEW.VERSION}.2", VIEW.VERSION), alive=alive,
    )  # fmt: skip
    with capture_logs() as logs:
        assert asyncio.run(found.until_ours(asyncio.Event())) == f"{VIEW.VERSION}.2"
    assert pointer.reads == 5
    assert [(one["live"], one["its_version"], one["this_version"]) for one in logs] == [
        (OTHERS, OTHERS, VIEW.VERSION),
        ("x", "unknown", VIEW.VERSION),
    ]
    assert all("licensing rebuild licenses" in one["to_do"] for one in logs)
    assert alive.exists()


def test_it_stops_when_asked_to_while_it_waits() -> None:
    async def main() -> None:
        stopping = asyncio.Event()
        found, _ = follows(Filled(OTHERS, OTHERS))
        asyncio.get_running_loop().call_later(0.01, stopping.set)
        with pytest.raises(Stopping):
            await found.until_ours(stopping)

    asyncio.run(main())


def test_a_worker_leaves_its_generation_when_another_one_or_another_version_of_it_is_live() -> None:
    found, _ = follows(Filled("1", "1"))
    assert not found.is_left(Filled("1", VIEW.VERSION), "1")
    assert not found.is_left(Filled("1", None), "1")  # flushed this moment
    assert found.is_left(Filled("1.1", VIEW.VERSION), "1")
    assert found.is_left(Filled("1", OTHERS), "1")
