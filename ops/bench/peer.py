"""A peer in a process of its own, which lives through all runs so that it is warm, and works when it is asked to."""

import json
import os
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

_GRACE = 10.0  # seconds from the end of its stdin to SIGKILL


class PeerEnded(Exception):
    """A peer ended, or gave no answer. The text shows the end of its log."""


class Peer:
    """One line to its stdin, one line of JSON from its stdout; its stderr is the log.

    A peer ends at the end of its stdin, so none outlives a benchmark that is killed.
    """

    def __init__(self, argv: Sequence[str], log: Path, environment: Mapping[str, str]) -> None:
        log.parent.mkdir(parents=True, exist_ok=True)
        self._log, self._name = log, log.stem
        with log.open("ab") as out:
            self._process = subprocess.Popen(  # noqa: S603
                argv,
                env={**os.environ, **environment},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=out,
                start_new_session=True,  # Ctrl-C is ours to pass on
                text=True,
            )
        self.pid = self._process.pid

    def ask(self, line: str, patience: float = 300.0) -> dict[str, Any]:
        """Send a line and return the answer to it; `patience` in seconds.

        Raises:
            PeerEnded: it ended instead, or did not answer in time.
        """
        assert self._process.stdin is not None  # noqa: S101 - we asked for the pipes
        assert self._process.stdout is not None  # noqa: S101
        clock = threading.Timer(patience, self._process.kill)
        clock.start()
        try:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        finally:
            clock.cancel()
        if not answer:
            tail = self._log.read_text("utf-8", "replace").splitlines()[-8:]
            raise PeerEnded("\n".join([f"The peer {self._name} ended. The end of {self._log}:", *tail]))
        return dict(json.loads(answer))

    def close(self) -> None:
        """End it."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
