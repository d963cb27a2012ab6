"""What-if with a process for each core, on real servers: the same words, and a clean end when something ends it."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from subprocess import PIPE
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from commands.policy_file import DEFAULT
from ops.cli import app
from ops.deciders.pool import Process
from tests.support.load import Load, Stores, some_commands
from tests.support.processes import eventually, handler
from tests.support.space import Servers, Space, new_space


@pytest.fixture(scope="module")
def space(servers: Servers) -> Space:
    """A space whose handler has decided two thousand commands and has gone."""
    space = new_space(servers)
    stores = Stores(space)
    with handler(space):
        Load(space).send(*some_commands(2000, accounts=40))
        eventually(stores.followed_up, what="all commands are followed up")
    stores.close()
    return space


@pytest.fixture
def two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)


@pytest.mark.usefixtures("two_cores")
def test_several_processes_print_what_one_does(cli: CliRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    strict = tmp_path / "strict.yaml"
    strict.write_text(DEFAULT.read_text("utf-8").replace("device_downloads: 100", "device_downloads: 2"), "utf-8")
    monkeypatch.setattr(sys.modules["ops.cli.what_if"], "time", SimpleNamespace(time=lambda: 1e10))
    arguments = ["what-if", "--all", "--policy", str(strict)]
    several = [cli.invoke(app, [*arguments, *form]).stdout for form in ([], ["--json"])]
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    assert [cli.invoke(app, [*arguments, *form]).stdout for form in ([], ["--json"])] == several


@pytest.mark.usefixtures("two_cores")
def test_a_killed_process_is_a_sentence(cli: CliRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    pids: list[int] = []
    receive = Process.receive

    def killed_first(process: Process) -> Any:
        if not pids:
            pids.append(process.pid)
            os.kill(process.pid, signal.SIGKILL)
            os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        return receive(process)

    monkeypatch.setattr(Process, "receive", killed_first)
    result = cli.invoke(app, ["what-if", "--all"])
    assert (result.exit_code, result.stderr) == (
        1,
        "A process that decides commands again was ended by SIGKILL, so what would be different is not known.\n",
    )


@pytest.mark.skipif((os.cpu_count() or 1) < 2 or sys.platform != "linux", reason="one core, or no /proc")
def test_ctrl_c_ends_all_processes_without_a_word(space: Space) -> None:
    command = [sys.executable, "-P", "-m", "ops.cli", "what-if", "--all"]
    with subprocess.Popen(
        command, env=space.environment(), stdout=PIPE, stderr=PIPE, text=True, start_new_session=True
    ) as parent:
        pids: list[int] = []
        try:
            children = Path(f"/proc/{parent.pid}/task/{parent.pid}/children")
            eventually(lambda: len(children.read_text().split()) > 1, what="it has processes that decide")
            pids = [int(pid) for pid in children.read_text().split()]
            os.kill(pids[0], signal.SIGSTOP)  # so that it is not done before
            os.killpg(parent.pid, signal.SIGINT)  # as a terminal does
            said = parent.communicate(timeout=60)
        except BaseException:
            for pid in (parent.pid, *pids):
                os.kill(pid, signal.SIGKILL)
            raise
    assert (parent.returncode, "Traceback" in said[1], said[0]) == (130, False, "")
    # One that was just being started is not killed; it ends with the pipe.
    eventually(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids), what="none of them is left")
