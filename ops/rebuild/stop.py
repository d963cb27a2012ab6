"""Stopping in order: a wish that whoever works looks at between two chunks."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Literal, TypeAlias

Why: TypeAlias = Literal["interrupted", "pause", "cancel", "lost"]

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(Exception):
    """The work ended early because it was asked to. All that was applied stays."""

    def __init__(self, why: Why) -> None:
        super().__init__(why)
        self.why = why


class Stop:
    """Whether the work is to end, and why: the first reason counts."""

    def __init__(self) -> None:
        self.why: Why | None = None

    def ask(self, why: Why) -> None:
        """End the work after the chunk under way. Any thread may ask."""
        self.why = self.why or why

    @property
    def asked(self) -> bool:
        """Whether somebody has."""
        return self.why is not None

    def check(self) -> None:
        """Raise Stopped if the work is to end."""
        if self.why is not None:
            raise Stopped(self.why)


@contextmanager
def by_signal(stop: Stop) -> Iterator[None]:
    """Ctrl-C, SIGTERM and a closed terminal ask for a stop; a second one interrupts at once, and nothing is lost."""

    def asked(number: int, frame: FrameType | None) -> None:
        if stop.asked:
            raise KeyboardInterrupt
        stop.ask("interrupted")

    before = {number: signal.signal(number, asked) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
