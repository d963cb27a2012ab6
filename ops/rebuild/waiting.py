"""A server that goes away in the middle is waited for, as the workers do; what is done is then gone on with."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

from ops import history, kafka
from ops.away import server_away
from ops.rebuild.fill import Rewound
from ops.rebuild.owner import Owner
from ops.rebuild.stop import Stop
from ops.settings import Settings
from projections.patience import Patience, Stopping

T = TypeVar("T")

_LOOK = 0.05  # seconds between two looks at whether it is to stop
_ANSWER = 2.0  # seconds for a server that is back to answer in


class Waiting:
    """The patience of a rebuild. `say`: is told in a sentence what is waited for, and that it is back.

    What is tried anew has to go on from what Redis says: a server that is back may have lost what it had.
    """

    def __init__(self, settings: Settings, owner: Owner, stop: Stop, say: Callable[[str], None]) -> None:
        self._settings, self._owner, self._stop, self._say = settings, owner, stop, say

    @property
    def for_redis(self) -> bool:
        """Whether it is Redis that does not answer."""
        return self._owner.away

    def through(self, attempt: Callable[[], T]) -> T:
        """Repeat the attempt as long as what ends it is a server's being away.

        Raises:
            Stopped: it was asked to.
            Exception: whatever else ended it, or is the answer of a server that is back.
        """
        while True:
            try:
                return attempt()
            except Rewound as error:
                self._stop.check()
                self._say(str(error))
            except Exception as error:
                server = server_away(error)
                if server is None:
                    raise
                asyncio.run(self._until_back(server, error))

    async def _until_back(self, server: str, error: Exception) -> None:
        stopping, first = asyncio.Event(), [error]
        relay = asyncio.ensure_future(self._pass_on(stopping))

        async def ask() -> None:
            if first:  # it is what is said of it
                raise first.pop()
            await self._ask(server)

        patience = Patience(stopping, self._tell)
        try:
            with suppress(Stopping):
                await patience.until(server, lambda found: server_away(found) is not None, ask)
        finally:
            relay.cancel()
        self._stop.check()

    def _ask(self, server: str) -> Awaitable[None]:
        """Ask what a rebuild needs of it: of Redis that something can be written, and that the place is still ours."""
        asked = {"Kafka": self._kafka, "Cassandra": self._cassandra, "Redis": self._owner.keep}[server]
        return asyncio.to_thread(asked)

    def _kafka(self) -> None:
        kafka.spans(self._settings.kafka, self._settings.topics.events, timeout=_ANSWER)

    def _cassandra(self) -> None:
        history.answers(self._settings, timeout=_ANSWER)

    def _tell(self, server: str, error: Exception | None) -> None:
        if error is None:
            self._say(f"{server} is back.")
        else:
            self._say(f"{server} is away; this goes on when it is back, and Ctrl-C ends it. The error: {error}")

    async def _pass_on(self, stopping: asyncio.Event) -> None:
        while not self._stop.asked:
            await asyncio.sleep(_LOOK)
        stopping.set()
