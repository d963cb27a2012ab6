"""What binds: the share of the processors that each process used over a stretch of time."""

import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from ops import stack
from ops.bench.watch import cpu_seconds


def servers(home: Path) -> dict[str, int]:
    """Name -> pid of the servers of a home that run."""
    pids = {name: stack.pid(home, name) for name in ("kafka", "cassandra")}
    return {name: pid for name, pid in pids.items() if pid is not None}


class Cpu:
    """Processor time of some processes since this was made, or since the last `shares`."""

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._pids = pids
        self._began, self._used = time.monotonic(), self._now()

    def shares(self) -> dict[str, float]:
        """Name -> cores used on average; empty where the system has no /proc."""
        began, used = self._began, self._used
        self._began, self._used = time.monotonic(), self._now()
        seconds = max(self._began - began, 0.001)
        return {name: (self._used[name] - used[name]) / seconds for name in used if name in self._used}

    def _now(self) -> dict[str, float]:
        """User and system time of each process so far, in seconds."""
        used = {}
        for name, pid in self._pids.items():
            with suppress(OSError):
                used[name] = cpu_seconds(pid)
        return used


def told(shares: Mapping[str, float]) -> str:
    """The shares as a phrase."""
    return ", ".join(f"{name} {share:.2f}" for name, share in shares.items())
