"""Rebuilds that were begun and are not done, for whoever looks at the whole."""

from collections.abc import Iterator
from dataclasses import dataclass

from ops.settings import Settings
from projections.redis_model.generations import Generations
from projections.redis_model.owner import Ownership
from projections.views import VIEWS


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A generation that a rebuild has begun; `state`: `at work`, `stopped` or `not certified`."""

    view: str
    generation: str
    state: str
    to_do: str


def unfinished(settings: Settings) -> Iterator[Unfinished]:
    """One for each view that has one.

    Raises:
        RedisError: Redis does not answer.
    """
    for view in VIEWS:
        generations = Generations(settings.redis, settings.namespace, view)
        owner = Ownership(settings.redis, settings.namespace, view, "")
        try:
            if (name := generations.filling()) is None:
                continue
            again = f"`licensing rebuild {view}`"
            if owner.taken_by() is not None:
                yield Unfinished(view, name, "at work", f"{again} with --pause or --cancel stops it.")
            elif generations.notes(name).get("state") == "refused":
                yield Unfinished(view, name, "not certified", f"{again} compares it again, with --cancel it goes.")
            else:
                yield Unfinished(view, name, "stopped", f"{again} goes on with it, with --cancel it goes.")
        finally:
            generations.close()
            owner.close()
