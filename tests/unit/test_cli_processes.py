"""Background processes are known by pid and start time, and nobody else is ever signalled."""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops import processes
from tests.support.processes import eventually

SLEEP = [sys.executable, "-c", "import os, time; print(os.environ['WORD'], flush=True); time.sleep(600)"]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    processes.stop(tmp_path, ["one"], grace=0)


def test_a_process_starts_in_the_background_logs_and_stops(home: Path) -> None:
    pid = processes.start(home, "one", SLEEP, {"WORD": "hello"})
    assert processes.pid_of(home, "one") == pid
    assert os.getsid(pid) != os.getsid(0)
    eventually(lambda: processes.log_of(home, "one").read_text("utf-8") == "hello\n", what="it says hello")
    assert processes.stop(home, ["one", "two"]) == ["one"]
    assert processes.pid_of(home, "one") is None
    assert processes.stop(home, ["one", "two"]) == []


def test_a_stranger_who_has_the_pid_now_is_left_alone(home: Path) -> None:
    pid = processes.start(home, "one", SLEEP, {"WORD": "hello"})
    file = home / "processes" / "one.pid"
    record = json.loads(file.read_text("utf-8"))
    file.write_text(json.dumps(record | {"started": "another time"}), "utf-8")
    assert processes.pid_of(home, "one") is None
    assert processes.stop(home, ["one"]) == []
    os.kill(pid, 0)
    file.write_text(json.dumps(record), "utf-8")


def test_a_process_that_ended_is_said_with_the_end_of_its_log(home: Path) -> None:
    processes.start(home, "one", [sys.executable, "-c", "raise SystemExit('no luck')"], {})
    eventually(lambda: processes.pid_of(home, "one") is None, what="it has ended")
    with pytest.raises(processes.ProcessEnded, match="no luck"):
        processes.check(home, "one")


def test_what_a_process_said_is_not_what_its_predecessor_said(home: Path) -> None:
    for word in ("first", "second"):
        processes.start(home, "one", SLEEP, {"WORD": word})
        eventually(lambda: bool(processes.said(home, "one")), what="it says something")
        assert processes.said(home, "one") == f"{word}\n"
        processes.stop(home, ["one"], grace=0)
    assert processes.log_of(home, "one").read_text("utf-8") == "first\nsecond\n"
