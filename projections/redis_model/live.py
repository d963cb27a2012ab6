"""The pointer of a view as its workers see it: the live generation, and which version of the view fills it."""

from dataclasses import dataclass

from projections.redis_model.keys import Keys, live_key
from projections.redis_model.writer import connect
from projections.views.view import View


@dataclass(frozen=True, slots=True)
class Filled:
    """A generation, and the VERSION of the view that fills it (None: nobody has said)."""

    generation: str
    version: str | None

    def by(self, version: str) -> bool:
        """Whether workers of this VERSION fill it; where nobody has said, by its name: `2` or `2.1` is of VERSION 2."""
        named = self.generation == version or self.generation.startswith(f"{version}.")
        return named if self.version is None else self.version == version


class LiveGeneration:
    """The pointer of a view, as a worker follows it. Connects late."""

    def __init__(self, url: str, namespace: str, view: View) -> None:
        self._redis = connect(url)
        self._namespace, self._view = namespace, view

    async def read(self) -> Filled:
        """The live generation; where none is, the first of the view's VERSION, which goes live when it is announced."""
        generation = await self._get(live_key(self._namespace, self._view.NAME)) or self._view.VERSION
        return Filled(generation, await self._get(Keys(self._namespace, self._view.NAME, generation).version))

    async def _get(self, key: str) -> str | None:
        value = await self._redis.get(key)
        return value.decode() if isinstance(value, bytes) else value

    async def close(self) -> None:
        """Close the connections."""
        await self._redis.aclose()
