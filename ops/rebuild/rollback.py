"""Back to the generation that readers used before."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from ops.rebuild.cutover import cut_over, flip, hand_over
from ops.rebuild.fill import Sums
from ops.rebuild.into import target
from ops.rebuild.plan import Refused, passed_over, reach_of
from ops.rebuild.stop import Stop
from ops.rebuild.topic import TopicReader
from ops.rebuild.waiting import Waiting
from ops.settings import Settings
from projections.redis_model.generations import Generations
from projections.views.view import View


@dataclass(frozen=True, slots=True)
class RolledBack:
    """Readers use `generation` again, and not `was`. `events`: read to bring it up to date; `behind`: still missing.

    `version`: of the view that fills it; where that is another than this release's, nothing could be read for it.
    """

    generation: str
    was: str
    version: str
    events: int
    behind: int
    worker: bool | None


def roll_back(
    settings: Settings,
    view: View,
    generations: Generations,
    stop: Stop,
    waiting: Waiting,
    tell: Callable[[str, int, int], None],
) -> RolledBack:
    """Bring the previous generation up to date, if this release can, and make it live again.

    Raises:
        Refused: there is none, or it cannot be brought up to date any more.
        Stopped: it was asked to stop before the flip.
    """
    was, name = generations.live(), generations.previous()
    if was is None or name is None:
        raise Refused(f"Readers of {view.NAME} have used no other generation before: there is nothing to go back to.")
    version = generations.version(name)
    if version is None:
        raise _gone(view, name)
    reach, positions = reach_of(settings), generations.positions(name)
    if (why := passed_over(view, name, reach, positions)) is not None:
        raise Refused(f"{why}, so nobody could go on with it: rebuild the view with `licensing rebuild {view.NAME}`.")
    behind = sum(end - positions.get(partition, 0) for partition, (_, end) in reach.items())
    if version != view.VERSION:
        if not waiting.through(lambda: flip(generations, was, name)):  # its answer may be lost, and it be done
            raise _moved(was)
        return RolledBack(name, was, version, 0, behind, None)
    return waiting.through(lambda: asyncio.run(_up_to_date(settings, view, generations, was, name, behind, stop, tell)))


async def _up_to_date(
    settings: Settings,
    view: View,
    generations: Generations,
    was: str,
    name: str,
    behind: int,
    stop: Stop,
    tell: Callable[[str, int, int], None],
) -> RolledBack:
    def told(sums: Sums) -> None:
        tell("events", sums.events, max(behind, sums.events))

    if generations.version(name) is None:  # it is asked again when Redis is back
        raise _gone(view, name)
    reader = TopicReader(settings, generations.positions(name), stop)
    try:
        async with target(settings, view, generations, name, None, told) as into:
            if not await cut_over(settings, generations, was, name, into.filler, reader, stop):
                raise _moved(was)
            events = into.filler.sums.events
            worker = await hand_over(settings, generations, name, into.filler, reader, stop)
    finally:
        reader.close()
    return RolledBack(name, was, view.VERSION, events, 0, worker)


def _gone(view: View, name: str) -> Refused:
    return Refused(f"Generation {name} of {view.NAME} is gone: rebuild the view with `licensing rebuild {view.NAME}`.")


def _moved(was: str) -> Refused:
    return Refused(f"Another generation than {was} is live by now: look with --list, and decide again.")
