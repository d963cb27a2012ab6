"""Sending by the clock, whether answers come or not, so that a slow answer delays no later question."""

import math
import time
from collections.abc import Callable, Sequence

_STEP = 0.001  # seconds: the least that is idled at once; clients count in whole milliseconds, and 0 would be no rest


def send(count: int, rate: float, one: Callable[[int, float], None], idle: Callable[[float], object]) -> float:
    """Call `one(number, due)` for each number when it is due, `rate` times a second; `idle(seconds)` in between.

    `due` is in monotonic seconds, by the schedule: latency counts from there, also where sending is late itself.
    Returns the seconds that the last one was late, which tells whether the sender could keep up.
    """
    began = time.monotonic()
    for number in range(count):
        due = began + number / rate
        while (left := due - time.monotonic()) > 0:
            idle(max(left, _STEP))
        one(number, due)
    return time.monotonic() - due if count else 0.0


def percentile(waits: Sequence[float], share: float) -> float:
    """The wait that so large a share of all does not exceed; nan of nothing."""
    ordered = sorted(waits)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else math.nan
