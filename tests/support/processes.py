"""Handler processes of a test: started for real, killed for real, their logs kept."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.space import Space

HANDLER = "import sys, commands.main; sys.exit(commands.main.run())"


class HandlerProcess:
    """A handler of a space; `log` is what it wrote to stderr, after what an earlier one of that name did."""

    def __init__(self, environment: dict[str, str], log: Path, arguments: list[str]) -> None:
        self.log = log
        with log.open("ab") as out:
            self._begin = out.tell()
            self._process = subprocess.Popen(
                [sys.executable, *arguments], env=environment, stdout=out, stderr=out, start_new_session=True
            )

    def send(self, number: signal.Signals) -> None:
        """Send a signal."""
        os.kill(self._process.pid, number)

    def alive(self) -> bool:
        """Whether it runs."""
        return self._process.poll() is None

    def stopped(self) -> bool:
        """Whether a signal has paused it (Linux: state T of /proc/PID/stat)."""
        return Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"

    def wait(self, seconds: float = 60) -> int:
        """Wait for its end; the exit code, negative for a signal."""
        return self._process.wait(seconds)

    def end(self) -> None:
        """Make sure that it is gone."""
        if self._process.poll() is None:
            os.kill(self._process.pid, signal.SIGCONT)
            self._process.kill()
            self._process.wait(30)

    def said(self, text: str) -> bool:
        """Whether it has written that text."""
        return text.encode() in self.log.read_bytes()[self._begin :]


@contextmanager
def handler(
    space: Space,
    name: str = "handler",
    arguments: list[str] | None = None,
    environment: dict[str, str] | None = None,
) -> Iterator[HandlerProcess]:
    """Run a handler for the length of the block; `arguments` run another program in its place."""
    log = space.servers.home / f"{space.name}-{name}.log"
    process = HandlerProcess({**space.environment(), **(environment or {})}, log, arguments or ["-c", HANDLER])
    try:
        yield process
    except BaseException:
        print(f"--- the log of {name}", *log.read_text(errors="replace").splitlines()[-40:], sep="\n")
        raise
    finally:
        process.end()


def eventually(true: Callable[[], bool], seconds: float = 60, *, what: str) -> None:
    """Wait until something is true.

    Raises:
        AssertionError: it never became true.
    """
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, f"not within {seconds} s: {what}"
        time.sleep(0.05)


def at_work(handling: HandlerProcess, worker: HandlerProcess | None = None) -> None:
    """Wait until a handler, and a worker, have begun: those who ask them then need not wait for their start."""
    eventually(lambda: handling.said('"event": "shard_taken_over"'), what="the handler works")
    if worker is not None:
        eventually(lambda: worker.said('"event": "working"'), what="the worker works")
