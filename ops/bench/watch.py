"""Watching processes at work: CPU time and memory from /proc, progress from whoever knows it."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import nan
from pathlib import Path
from typing import NamedTuple, TypeAlias

from ops.bench.ground import Process

#: Whether this system tells of the processes in /proc, as Linux does.
POSSIBLE = Path("/proc/self/stat").exists()

_PATIENCE = 120.0  # seconds without progress

Progress: TypeAlias = Callable[[], int]


class NoProgress(Exception):
    """A process does not go on with its work. The text says which."""


class Sample(NamedTuple):
    """How much is done after `at` seconds (monotonic) and `cpu` seconds of CPU time."""

    done: float
    at: float
    cpu: float


@dataclass(frozen=True, slots=True)
class Watched:
    """A process, and how to learn how much it has done so far."""

    process: Process
    progress: Progress


def cpu_seconds(pid: int) -> float:
    """CPU time of a process with all its threads, user and system; nan where the system does not tell.

    Its clock (Linux: clock_getcpuclockid) is exact, where /proc/PID/stat counts hundredths of a second.
    """
    return time.clock_gettime((~pid << 3) | 2) if POSSIBLE else nan


def resident(pid: int) -> int:
    """Resident memory of a process, bytes."""
    status = Path(f"/proc/{pid}/status").read_text("utf-8", "replace")
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmRSS:"))


def follow(watched: Sequence[Watched], until: int, step: float = 0.02) -> list[list[Sample]]:
    """Look every `step` seconds until all have done `until`; the samples of each, beginning with the last that said 0.

    Raises:
        NoProgress: one of them stands still.
        ProcessEnded: one of them ended.
    """
    traces: list[list[Sample]] = [[] for _ in watched]
    last = time.monotonic()
    while late := [i for i, trace in enumerate(traces) if not trace or trace[-1].done < until]:
        for i in late:
            sample = Sample(watched[i].progress(), time.monotonic(), cpu_seconds(watched[i].process.pid))
            if traces[i] and traces[i][-1].done < sample.done:
                last = sample.at
            elif traces[i] and sample.done == 0:
                traces[i].pop()
            traces[i].append(sample)
        if time.monotonic() - last > _PATIENCE:
            raise NoProgress(f"{watched[late[0]].process.name} stands still at {traces[late[0]][-1].done} of {until}.")
        for one in watched:
            one.process.check()
        time.sleep(step)
    return traces


def rate(trace: Sequence[Sample]) -> float:
    """Pieces of work a second, from the first sample that saw any to the last."""
    first = next(sample for sample in trace if sample.done)
    return (trace[-1].done - first.done) / max(trace[-1].at - first.at, 1e-9)
