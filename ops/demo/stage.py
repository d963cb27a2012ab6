"""What the demonstration plays on: fresh servers, topics, tables, the handler and the workers, stopped at the end."""

import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType

from ops import history, services, stack, topics
from ops.settings import Settings
from ops.stack.files import locked

PARTITIONS = 4
_ENDING = (signal.SIGTERM, signal.SIGHUP)  # besides Ctrl-C


@dataclass(frozen=True, slots=True)
class Stage:
    """A running system."""

    home: Path
    settings: Settings


@contextmanager
def stage(home: Path, keep: bool, tell: Callable[[str], None]) -> Iterator[Stage]:
    """A fresh system in `home`; whatever an earlier one left there is stopped and removed.

    It is stopped at the end, also after a failure, Ctrl-C, SIGTERM or a closed terminal; with `keep` only then.
    """
    with locked(home.with_name(f"{home.name}.lock"), tell), _signals_interrupt():
        _stop(home)
        shutil.rmtree(home, ignore_errors=True)
        try:
            yield _start(home, tell)
        except BaseException:
            with suppress(OSError):  # a closed terminal takes no words
                tell(f"Stopping what was started; the logs stay in {home}")
            _stop(home)
            raise
        if not keep:
            tell("Stopping what was started")
            _stop(home)


def _start(home: Path, tell: Callable[[str], None]) -> Stage:
    address = stack.start(home, partitions=PARTITIONS, progress=tell)
    settings = Settings(**asdict(address))
    topics.create(settings.kafka, settings.topics, PARTITIONS)
    history.create(settings)
    tell("Topics and tables are there")
    services.start(home, settings, tell)
    return Stage(home, settings)


def _stop(home: Path) -> None:
    """Handler and workers first. Whoever is impatient with a second signal must not leave half of them behind."""
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
