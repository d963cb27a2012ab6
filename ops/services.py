"""The processes of the system: the handler and one worker per view, started behind the servers of a home."""

import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from ops import kafka, processes
from ops.settings import Settings
from ops.stack.files import locked
from projections.views import VIEWS

HANDLER = "handler"
_WAITS = '"event": "another version is live, waiting"'
_PATIENCE = 180.0  # seconds until each process must have its partitions; one that ends is noticed at once


def commands() -> dict[str, list[str]]:
    """Name -> arguments of `licensing`, in the order of starting."""
    return {HANDLER: ["handler"], **{f"worker-{view}": ["worker", view] for view in VIEWS}}


def start(home: Path, settings: Settings, tell: Callable[[str], None]) -> list[str]:
    """Start what does not run, and return its names once each has its share of the work.

    Raises:
        ProcessEnded: one of them ended at once; those that were started here are stopped again.
    """
    with locked(home / "processes.lock", tell):
        missing = [name for name in commands() if processes.pid_of(home, name) is None]
        try:
            for name in missing:
                start_one(home, settings, name, commands()[name])
            _until_at_work(home, missing, tell)
        except BaseException:  # Ctrl-C too
            processes.stop(home, missing)
            raise
    return missing


def start_one(home: Path, settings: Settings, name: str, arguments: Sequence[str]) -> None:
    """Start `licensing` with these arguments in the background."""
    # -P: no folder called `ops` where we are started comes before ours.
    command = [sys.executable, "-P", "-m", "ops.cli", *arguments]
    processes.start(home, name, command, settings.environment() | _importable())


def stop(home: Path) -> list[str]:
    """Stop all processes that were started in a home; return those that ran."""
    return processes.stop(home, processes.names(home))


def check(home: Path) -> None:
    """Raise ProcessEnded when one of them runs no more."""
    for name in commands():
        processes.check(home, name)


def _until_at_work(home: Path, names: list[str], tell: Callable[[str], None]) -> None:
    silent, deadline = list(names), time.monotonic() + _PATIENCE
    while silent:
        for name in list(silent):
            processes.check(home, name)
            said = processes.said(home, name)
            waits = _WAITS in said
            if waits or _at_work(said):
                silent.remove(name)
                doing = "waits: see `licensing status`" if waits else "is at work"
                tell(f"The {name.replace('-', ' of ')} {doing}")
        if silent and time.monotonic() > deadline:
            logs = ", ".join(str(processes.log_of(home, name)) for name in silent)
            raise kafka.KafkaProblem(f"Not at work after {_PATIENCE:.0f} s: {', '.join(silent)}. See {logs}")
        time.sleep(0.1)


def _importable() -> dict[str, str]:
    """This very code is what the processes run, installed or not."""
    given = os.environ.get("PYTHONPATH")
    here = str(Path(__file__).parents[1])
    return {"PYTHONPATH": f"{given}{os.pathsep}{here}" if given else here}


def _at_work(said: str) -> bool:
    """Whether the log of one start tells of partitions; for a while the group still counts a predecessor's as given."""
    return any(f'"event": "{event}"' in said for event in ("partitions_assigned", "working"))
