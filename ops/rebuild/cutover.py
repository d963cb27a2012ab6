"""From one generation to the next: close to the ends of the topic, flipped in one step, handed over to the worker."""

import asyncio
import os
import time
from collections.abc import Collection, Mapping
from types import MappingProxyType

from ops import kafka
from ops.rebuild.fill import Filler, LostData, Rewound
from ops.rebuild.stop import Stop
from ops.rebuild.topic import TopicReader
from ops.settings import Settings
from projections.redis_model.generations import Generations

#: Events behind the end that are few enough for a barrier, and how often it is tried to come so close.
CLOSE, ROUNDS = 5_000, 20
#: Seconds after the flip for which it goes on filling until a worker does: at most, and where nothing comes.
HAND_OVER, QUIET = 20.0, 1.5
_LOOK = 0.3

_DAYS = "LICENSING_RETIRED_DAYS"


class BadSetting(Exception):
    """A setting is wrong. The text says which."""


async def follow(settings: Settings, filler: Filler, reader: TopicReader, stop: Stop) -> None:
    """Fill up to a barrier: the ends of the topic at a moment when there was little left.

    Raises:
        Stopped: it was asked to.
    """
    for _ in range(ROUNDS):
        ends = kafka.ends(settings.kafka, settings.topics.events)
        left = sum(max(0, end - reader.reached[partition]) for partition, end in ends.items())
        await filler.fill(reader.until(ends))
        stop.check()
        if left <= CLOSE:
            return


async def cut_over(
    settings: Settings,
    generations: Generations,
    was: str | None,
    to: str,
    filler: Filler,
    reader: TopicReader,
    stop: Stop,
) -> bool:
    """Bring `to` to where readers of `was` are, and make it live in one step. False: another one is live by now.

    The worker of `was` goes on meanwhile; whoever waited for an effect there finds it after the flip.

    Raises:
        Stopped: it was asked to.
        LostData: Redis lost the generation; Rewound: some of it.
    """
    while True:
        # The ends after the positions, which are real then; and both before the last events: the flip follows at once.
        seen = generations.positions(was) if was else {}
        ends = kafka.ends(settings.kafka, settings.topics.events)
        # A position that the topic does not have is nobody's, and could never be reached.
        as_far = [partition for partition, position in seen.items() if position <= ends.get(partition, 0)]
        await follow(settings, filler, reader, stop)
        if (done := flip(generations, was, to, as_far, reader.reached)) is not None:
            return done


def flip(
    generations: Generations,
    was: str | None,
    to: str,
    as_far: Collection[int] = (),
    least: Mapping[int, int] = MappingProxyType({}),
) -> bool | None:
    """Make `to` live in one step. False: another one than `was` is live by now; None: readers are further.

    `least`: the positions that it was brought to.

    Raises:
        LostData: `to` is gone; Rewound: it is not as far as it was.
    """
    answer = generations.flip(was, to, int(time.time() * 1000), as_far, least)
    if answer == "behind":
        return None
    if answer == "less":
        raise Rewound(f"Redis lost data of generation {to} before it went live. What is there is gone on from.")
    if answer == "gone":
        raise LostData(f"Redis lost generation {to} before it went live; readers use what they used. Run it again.")
    if answer != "flipped" and generations.live() != to:  # it may be asked again where an answer was lost
        return False
    generations.note(to, {"state": "live"})
    return True


async def hand_over(
    settings: Settings, generations: Generations, name: str, filler: Filler, reader: TopicReader, stop: Stop
) -> bool | None:
    """Go on filling until somebody else does. False: nobody has; None: nothing came that would show it."""
    begun = heard = time.monotonic()
    came = False
    while not stop.asked and time.monotonic() < begun + HAND_OVER:
        if _passed(generations.positions(name), reader.reached):
            return True
        ends = kafka.ends(settings.kafka, settings.topics.events)
        if _passed(ends, reader.reached):
            came, heard = True, time.monotonic()
        elif time.monotonic() > heard + QUIET:
            break
        await filler.fill(reader.until(ends))
        await asyncio.sleep(_LOOK)
    return False if came else None


def _passed(positions: Mapping[int, int], reached: Mapping[int, int]) -> bool:
    return any(position > reached.get(partition, 0) for partition, position in positions.items())


def retired_days(environment: Mapping[str, str] = os.environ) -> float:
    """For how many days a generation stays that readers used once.

    Raises:
        BadSetting: the setting is no such number.
    """
    text = environment.get(_DAYS) or "7"
    try:
        days = float(text)
    except ValueError:
        days = -1.0
    if not 0 <= days < 36_500:
        raise BadSetting(f"{_DAYS} is a number of days, not {text}")
    return days


def drop_retired(generations: Generations, days: float) -> list[str]:
    """Drop the generations that readers used once, and not for so many days; never the live one nor the one before."""
    before = (time.time() - days * 86_400) * 1000
    old = [
        one.name
        for one in generations.all()
        if one.state == "retired" and (retired := one.time("retired")) is not None and retired < before
    ]
    for name in old:
        generations.drop(name)
    return old
