"""A stack of one's own for the length of a block: fresh servers, and whatever was started in their home stopped."""

import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

from ops import services, stack
from ops.stack import StackAddress
from ops.stack.files import locked

_ENDING = (signal.SIGTERM, signal.SIGHUP)  # besides Ctrl-C


@contextmanager
def fresh_stack(home: Path, partitions: int, keep: bool, tell: Callable[[str], None]) -> Iterator[StackAddress]:
    """Fresh servers in `home`; whatever an earlier block left there is stopped and removed.

    They and all processes of the home are stopped at the end, also after a failure, Ctrl-C, SIGTERM or a closed
    terminal; with `keep` only then.
    """
    with locked(home.with_name(f"{home.name}.lock"), tell), _signals_interrupt():
        _stop(home)
        shutil.rmtree(home, ignore_errors=True)
        try:
            yield stack.start(home, partitions=partitions, progress=tell)
        except BaseException:
            with suppress(OSError):  # a closed terminal takes no words
                tell(f"Stopping what was started; the logs stay in {home}")
            _stop(home)
            raise
        if not keep:
            tell("Stopping what was started")
            _stop(home)


def _stop(home: Path) -> None:
    """Our processes first. Whoever is impatient with a second signal must not leave half of them behind."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, *_ENDING)}
    try:
        services.stop(home)
        stack.stop(home)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _signals_interrupt() -> Iterator[None]:
    """SIGTERM and a closed terminal end the work in the same orderly way as Ctrl-C."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in _ENDING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
