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
    "filling certifying live",
    "filling filling live",
    "filling certified live",
    "filling certifying live",
    "filling certified live",
    "filling certifying certified certified live",
]
#: How much later than the stage began, at most (seconds); every other kill comes at once.
LATER = {"filling": 0.02, "certifying": 0.3, "certified": 0.05, "live": 0.3}
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
    """When to kill: once this run of a rebuild has come to a stage, and maybe some milliseconds later."""

    def __init__(self, chance: Random, stage: str, at_once: bool) -> None:
        self.stage, self.share = stage, chance.uniform(0, 0.7)
        self.later = 0.0 if at_once else chance.uniform(0, LATER[stage])

    def enough(self, scene: Scene) -> int:
        """`share` of what this run has to fill, in events."""
        filling = scene.generations.filling()
        done = sum(scene.generations.positions(filling).values()) if filling else 0
        return int(self.share * (sum(scene.ends().values()) - done))

    def wait(self, rebuilding: Rebuilding) -> None:
        rebuilding.in_the_middle()
        if self.later:
            rebuilding.go_on()
            time.sleep(self.later)

    def __str__(self) -> str:
        share = f" at {self.share:.0%}" if self.stage == "filling" else ""
        return f"{self.stage}{share}, {self.later * 1000:.0f} ms later"


def test_killed_twenty_times(scene: Scene) -> None:
    chance, expected = Random(SEED), scene.expected()
    assert scene.documents() == expected
    stages = [stage for generation in STAGES for stage in generation.split()]
    moments = [Moment(chance, stage, stages[:number].count(stage) % 2 == 0) for number, stage in enumerate(stages)]
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
    with scene.rebuild(stage=moment.stage, events=moment.enough(scene)) as rebuilding:
        moment.wait(rebuilding)
        rebuilding.kill()
    scene.forget_the_dead()
    filling = scene.generations.filling()
    if filling is None:
        return "live", 0
    return scene.generations.notes(filling)["state"], sum(scene.generations.positions(filling).values())


def test_one_that_was_killed_is_waited_for_and_its_work_goes_on(scene: Scene) -> None:
    """Without help of the test: its sign of life runs out."""
    with scene.rebuild(stage="certifying") as rebuilding:
        rebuilding.in_the_middle()
        rebuilding.kill()
    left = scene.generations.filling()
    assert left is not None
    said = scene.rebuilt()
    assert scene.live() == left, said
    assert scene.documents() == scene.expected()
