"""Our own background processes: each in its own session, with a log, known by pid and start time."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ops.stack import log

# The shell ends at once, so that the process is nobody's child here: no zombie and no unreaped handle stays with us.
_SPAWN = 'log=$1; shift; "$@" >>"$log" 2>&1 </dev/null & echo $!'


class ProcessEnded(Exception):
    """A process ended by itself. The text says which, and shows the end of its log."""


def log_of(home: Path, name: str) -> Path:
    """The log file of a process."""
    return home / "processes" / f"{name}.log"


def names(home: Path) -> list[str]:
    """The processes that were started in a home and not stopped."""
    return sorted(file.stem for file in (home / "processes").glob("*.pid"))


def start(home: Path, name: str, command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Start a process that outlives us and that Ctrl-C does not reach; return its pid."""
    file = log_of(home, name)
    file.parent.mkdir(parents=True, exist_ok=True)
    before = log.size(file)
    shell = ["/bin/sh", "-c", _SPAWN, "sh", str(file), *command]
    own = {**os.environ, **environment}
    with _uninterrupted():
        started = subprocess.run(  # noqa: S603
            shell, env=own, stdout=subprocess.PIPE, start_new_session=True, check=True, text=True
        )
        pid = int(started.stdout)
        record = {"pid": pid, "started": _started(pid), "log": before}
        _pid_file(home, name).write_text(json.dumps(record), "utf-8")
    return pid


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Let Ctrl-C wait until the block is done: a process whose pid nobody wrote down could not be stopped."""
    asked: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: asked.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if asked:
        raise KeyboardInterrupt


def pid_of(home: Path, name: str) -> int | None:
    """The pid of a process that runs; None when it ended, even if another one got its pid meanwhile."""
    record = _record(home, name)
    started = record.get("started")
    return int(record["pid"]) if started is not None and started == _started(record["pid"]) else None


def said(home: Path, name: str) -> str:
    """What a process has written to its log since it was started."""
    return log.since(log_of(home, name), _record(home, name).get("log", 0))


def check(home: Path, name: str) -> None:
    """Say so when a process that was started runs no more.

    Raises:
        ProcessEnded: it ended.
    """
    if pid_of(home, name) is None:
        lines = said(home, name).splitlines()[-8:]
        raise ProcessEnded("\n".join([f"The process {name} ended by itself. The end of {log_of(home, name)}:", *lines]))


def stop(home: Path, which: Collection[str], grace: float = 30.0) -> list[str]:
    """Stop processes together: SIGTERM, `grace` seconds of patience, then SIGKILL. Returns those that ran."""
    ran = [name for name in which if _signal(home, name, signal.SIGTERM)]
    deadline = time.monotonic() + grace
    left = ran
    while left := [name for name in left if pid_of(home, name) is not None]:
        if time.monotonic() > deadline:
            for name in left:
                _signal(home, name, signal.SIGKILL)
        time.sleep(0.05)
    for name in which:
        _pid_file(home, name).unlink(missing_ok=True)
    return ran


def _record(home: Path, name: str) -> dict[str, Any]:
    """What was noted when the process was started: pid, start time, length of the log before; empty: never."""
    try:
        return dict(json.loads(_pid_file(home, name).read_text("utf-8")))
    except (FileNotFoundError, ValueError):
        return {}


def _pid_file(home: Path, name: str) -> Path:
    return home / "processes" / f"{name}.pid"


def _signal(home: Path, name: str, number: int) -> bool:
    pid = pid_of(home, name)
    if pid is None:
        return False
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


def _started(pid: int) -> str | None:
    """When a process started, in words of the system; None for one that is gone or a zombie."""
    if Path("/proc/self/stat").exists():
        try:
            fields = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
        except OSError:
            return None
        return None if fields[0] in "ZX" else fields[19]
    ps = ["ps", "-o", "stat=,lstart=", "-p", str(pid)]
    state, _, began = subprocess.run(ps, capture_output=True, text=True, check=False).stdout.strip().partition(" ")  # noqa: S603
    return None if not state or state.startswith("Z") else began.strip()
