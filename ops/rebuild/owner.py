"""One rebuild of a view at a time, and what another terminal asks of it."""

import os
import socket
import time
from contextlib import suppress
from threading import Event, Thread
from types import TracebackType
from uuid import uuid4

from ops.rebuild.stop import Stop
from ops.redis import RedisError
from ops.settings import Settings
from projections.redis_model.owner import TTL_MS, Ownership

_LOOK = 1.0  # seconds between two signs of life


class Busy(Exception):
    """Somebody else rebuilds the view. The text says who and what to do."""


class Owner:
    """The place of the one who rebuilds a view, for the length of the block; `stop` is told of what is asked."""

    def __init__(self, settings: Settings, view: str, stop: Stop) -> None:
        token = f"process {os.getpid()} on {socket.gethostname()} {uuid4().hex[:8]}"
        self._ownership = Ownership(settings.redis, settings.namespace, view, token)
        self._view, self._stop, self._ended, self._away = view, stop, Event(), False
        self._thread = Thread(target=self._keep_on, name="owner", daemon=True)

    def __enter__(self) -> "Owner":
        """Waits until the sign of life of one that was killed has run out.

        Raises:
            Busy: somebody is at work.
        """
        end = time.monotonic() + TTL_MS / 1000 + 1
        while not self._ownership.keep()[0]:
            self._stop.check()
            if time.monotonic() > end:
                who = (self._ownership.taken_by() or "another process").rpartition(" ")[0]
                raise Busy(
                    f"{who} is rebuilding {self._view}: pause it with `licensing rebuild {self._view} --pause`, or"
                    " cancel it with --cancel."
                )
            time.sleep(0.2)
        self._ownership.answered()
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._ended.set()
        self._thread.join()  # a sign of life under way would keep the place; its client does not wait for long
        if self._away:  # the place goes by itself
            return
        try:
            self._ownership.leave()
        except RedisError:
            pass
        finally:
            self._ownership.close()

    @property
    def away(self) -> bool:
        """Whether Redis did not take the last sign of life."""
        return self._away

    def keep(self) -> None:
        """A sign of life. Who has lost the place, or is asked something, is told so.

        Raises:
            RedisError: Redis does not take it.
        """
        try:
            ours, wish = self._ownership.keep()
        except RedisError:
            self._away = True
            raise
        self._away = False
        if not ours:
            self._stop.ask("lost")
        elif wish is not None:
            self._stop.ask(wish)

    def _keep_on(self) -> None:
        while not self._ended.wait(_LOOK):
            with suppress(RedisError):
                self.keep()


def ask_the_owner(settings: Settings, view: str, wish: "str", patience: float = 60.0) -> bool:
    """Ask whoever rebuilds the view to pause or to cancel, and wait until the place is free. False: nobody was there.

    Raises:
        Busy: whoever it is does not stop.
    """
    ownership = Ownership(settings.redis, settings.namespace, view, "")
    try:
        if ownership.taken_by() is None:
            return False
        ownership.ask("cancel" if wish == "cancel" else "pause")
        end = time.monotonic() + patience
        while (who := ownership.taken_by()) is not None:
            if time.monotonic() > end:
                raise Busy(f"{who.rpartition(' ')[0]} has not stopped within {patience:.0f} s.")
            time.sleep(0.1)
        return True
    finally:
        ownership.close()
