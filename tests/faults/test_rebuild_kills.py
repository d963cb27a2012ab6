"""A rebuild that is killed at any moment goes on, or begins again; readers of the live generation never notice."""

import time
from collections import Counter
from collections.abc import Iterator
from random import Random

import pytest

from tests.faults.rebuild_support import Rebuilding, Scene
from tests.support.space import Servers, new_space

SEED = 20_261_124
#: Where each generation's rebuild is killed, one run after the other; the last one has made it live.
STAGES = [
    "fill certification live",
    "fill fill live",
    "fill flip live",
    "fill certification live",
    "fill flip live",
    "fill certification flip flip live",
]
#: How much later than the stage began, at most (seconds).
LATER = {"fill": 0.02, "certification": 0.3, "flip": 0.05, "live": 0.3}
KILLED = "killed"
COMMANDS, ACCOUNTS = 80_000, 1500


@pytest.fixture(scope="module")
def scene(servers: Servers) -> Iterator[Scene]:
    """A view with some 20,000 events, whose worker is gone: whatever changes in it, a rebuild did."""
    scene = Scene(new_space(servers))
    scene.load(COMMANDS, ACCOUNTS)
    scene.filled_by_a_worker()
    yield scene
    scene.close()


class Moment:
    """When to kill: once this run of a rebuild has come to a stage, and some milliseconds later."""

    def __init__(self, chance: Random, stage: str) -> None:
        self.stage, self.share, self.later = stage, chance.uniform(0, 0.7), chance.uniform(0, LATER[stage])

    def wait(self, scene: Scene, rebuilding: Rebuilding) -> None:
        """`share` is of what this run has to fill."""
        was, filling, total = scene.live(), scene.generations.filling(), sum(scene.ends().values())
        done = sum(scene.generations.positions(filling).values()) if filling else 0
        enough = done + self.share * (total - done)
        end = time.monotonic() + 60
        while not self._come(scene, was, enough):
            assert rebuilding.runs(), "it ended by itself"
            assert time.monotonic() < end, "the moment never came"
            time.sleep(0.001)
        time.sleep(self.later)

    def _come(self, scene: Scene, was: str | None, enough: float) -> bool:
        if scene.live() != was:
            return True
        filling = scene.generations.filling()
        state = scene.generations.notes(filling).get("state", KILLED) if filling else KILLED
        if filling is None or state == KILLED:
            return False
        if self.stage == "live":
            return False
        if self.stage == "fill":
            return state != "filling" or sum(scene.generations.positions(filling).values()) >= enough
        return state == "certified" if self.stage == "flip" else state in ("certifying", "certified")

    def __str__(self) -> str:
        share = f" at {self.share:.0%}" if self.stage == "fill" else ""
        return f"{self.stage}{share}, {self.later * 1000:.0f} ms later"


def test_killed_twenty_times(scene: Scene) -> None:
    chance, expected = Random(SEED), scene.expected()
    assert scene.documents() == expected
    moments = [Moment(chance, stage) for generation in STAGES for stage in generation.split()]
    assert len(moments) == 20
    found = Counter[str]()
    for moment in moments:
        was = scene.live()
        assert was is not None
        before = scene.written(was)
        state, at = killed(scene, moment)
        found[state] += 1
        print(f"seed {SEED}: {moment}: {state}, {at:,} events in")
        assert scene.written(was) == before
        if scene.live() != was:
            assert scene.documents() == expected
    scene.rebuilt()
    assert scene.generations.filling() is None
    assert scene.documents() == expected
    print(f"killed while {dict(found)}; live is {scene.live()}")
    assert found.keys() >= {"filling", "certifying", "certified", "live"}, "the kills landed elsewhere"


def killed(scene: Scene, moment: Moment) -> tuple[str, int]:
    """Run a rebuild until the moment, kill it there; what it was doing, and how many events it had by then."""
    filling = scene.generations.filling()
    if filling is not None:
        scene.generations.note(filling, {"state": KILLED})  # so that what the next run says is its own
    with scene.rebuild() as rebuilding:
        moment.wait(scene, rebuilding)
        assert rebuilding.runs(), "it was over before it could be killed"
        rebuilding.kill()
    scene.forget_the_dead()
    filling = scene.generations.filling()
    if filling is None:
        return "live", 0
    return scene.generations.notes(filling)["state"], sum(scene.generations.positions(filling).values())


def test_one_that_was_killed_is_waited_for_and_its_work_goes_on(scene: Scene) -> None:
    """Without help of the test: its sign of life runs out."""
    moment = Moment(Random(SEED), "certification")
    with scene.rebuild() as rebuilding:
        moment.wait(scene, rebuilding)
        rebuilding.kill()
    left = scene.generations.filling()
    assert left is not None
    said = scene.rebuilt()
    assert scene.live() == left, said
    assert scene.documents() == scene.expected()
