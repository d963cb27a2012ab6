"""A worker that was told no generation fills the live one, and fills nothing while another VERSION of its view does."""

import asyncio
from contextlib import suppress

import structlog

from projections.patience import Patience
from projections.redis_model import writer
from projections.redis_model.live import Filled, LiveGeneration
from projections.settings import Settings
from projections.views.view import View

LOOK_SECONDS = 1.0

log = structlog.get_logger("projections")


class Following:
    """The live generation of a view, looked at with the patience of whoever asks."""

    def __init__(self, view: View, settings: Settings) -> None:
        self._view, self._settings = view, settings
        self._live = LiveGeneration(settings.redis, settings.namespace, view)

    async def look(self, patience: Patience) -> Filled:
        """The generation that readers see, or will.

        Raises:
            Stopping: the process is to stop.
        """
        return await patience.until("Redis", writer.is_away, self._live.read)

    async def until_ours(self, stopping: asyncio.Event) -> str:
        """Wait until this VERSION fills the live generation, and return it. Looks alive meanwhile, and says once why.

        Raises:
            Stopping: the process is to stop.
        """
        life = asyncio.ensure_future(self._show_life())
        said: Filled | None = None
        patience = Patience(stopping)
        try:
            while not (found := await self.look(patience)).by(self._view.VERSION):
                if found != said:
                    self._say(found)
                said = found
                with suppress(TimeoutError):
                    await asyncio.wait_for(stopping.wait(), LOOK_SECONDS)
            return found.generation
        finally:
            life.cancel()

    def is_left(self, found: Filled, generation: str) -> bool:
        """Whether a worker of `generation` has to go elsewhere, or wait."""
        return found.generation != generation or not found.by(self._view.VERSION)

    async def close(self) -> None:
        """Close the connections."""
        await self._live.close()

    def _say(self, found: Filled) -> None:
        theirs = found.version or "unknown"
        log.warning(
            "another version is live, waiting",
            live=found.generation,
            its_version=theirs,
            this_version=self._view.VERSION,
            to_do=f"licensing rebuild {self._view.NAME} with this release, or the release of version {theirs}",
        )

    async def _show_life(self) -> None:
        while self._settings.alive_file is not None:
            self._settings.alive_file.touch()
            await asyncio.sleep(LOOK_SECONDS)
