"""Server processes: started in a session of their own, known by a pid file, signalled only when they are ours."""

import os
import signal
import subprocess
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

# The shell writes the pid before we hear of it, so a launcher killed right here leaves no unknown server behind.
# It also ends at once, so that the server is nobody's child: no zombie and no unreaped handle stays with us.
_SPAWN = 'log=$1 pid=$2; shift 2; "$@" >>"$log" 2>&1 </dev/null & echo $! >"$pid"'


def spawn(command: Sequence[str], folder: Path) -> None:
    """Start a server that works in `folder`, with its log and its pid file there; Ctrl-C does not reach it."""
    names = [str(folder / "server.log"), str(folder / "pid")]
    subprocess.run(  # noqa: S603
        ["/bin/sh", "-c", _SPAWN, "sh", *names, *command], cwd=folder, start_new_session=True, check=True
    )


def pid_of(folder: Path) -> int | None:
    """Return the pid of the server that runs in `folder`; its command line names a file there, so it is ours.

    A process that is just beginning or dying is waited for: one has no command line yet, and the other's ports are free
    only when it is gone.
    """
    try:
        pid = int((folder / "pid").read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return pid if f"{folder}/" in _settled_command_line(pid) else None


def _command_line(pid: int) -> str:
    """Return the arguments of a process; nothing for one that is gone or dying."""
    if Path("/proc/self/cmdline").exists():
        try:
            return Path(f"/proc/{pid}/cmdline").read_text("utf-8", "replace")
        except OSError:
            return ""
    ps = ["ps", "-ww", "-o", "command=", "-p", str(pid)]
    return subprocess.run(ps, capture_output=True, text=True, check=False).stdout  # noqa: S603


def _settled_command_line(pid: int, patience: float = 5.0) -> str:
    """Return the arguments of a process once it has any, or nothing once its last thread, with its sockets, is gone."""
    deadline = time.monotonic() + patience
    while not (command := _command_line(pid)) and time.monotonic() < deadline:
        try:
            threads = len(list(Path(f"/proc/{pid}/task").iterdir()))
            state = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0]
        except OSError:
            return ""
        if threads == 1 and state in "ZX":
            return ""
        time.sleep(0.01)
    return command


def end(folders: Iterable[Path], grace: float = 20.0) -> None:
    """Stop the servers of these folders together: SIGTERM, `grace` seconds of patience, then SIGKILL."""
    left = [folder for folder in folders if send(folder, signal.SIGTERM)]
    deadline = time.monotonic() + grace
    while left := [folder for folder in left if pid_of(folder) is not None]:
        if time.monotonic() > deadline:
            for folder in left:
                send(folder, signal.SIGKILL)
        time.sleep(0.05)


def send(folder: Path, signal_number: int) -> bool:
    """Signal the server of a folder; False when none runs there. After SIGKILL it is gone on return."""
    pid = pid_of(folder)
    if pid is None:
        return False
    try:
        os.kill(pid, signal_number)
    except ProcessLookupError:
        return False
    while signal_number == signal.SIGKILL and pid_of(folder) == pid:
        time.sleep(0.01)
    return True
