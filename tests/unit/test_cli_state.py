"""`licensing state`: what it prints of an account, as a table and as JSON, and what it refuses."""

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from commands.account import fold, initial
from commands.memory import MemorySnapshots
from ops import history
from ops.as_of import Past, state_as_of
from ops.cli import app
from ops.settings import Settings
from tests.support.examples import ACCOUNT, EVENT_EXAMPLES, LICENSE, day
from tests.unit.test_as_of import stored


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    snapshots, events = MemorySnapshots(), stored(list(EVENT_EXAMPLES))
    snapshots.save(ACCOUNT, fold(initial(), EVENT_EXAMPLES[:3]))

    def state(settings: Settings, account_id: str, **wanted: Any) -> Past:
        return state_as_of(account_id, events, snapshots, **wanted)

    monkeypatch.setattr(history, "state", state)
    return CliRunner()


def test_an_account_at_a_version(run: CliRunner) -> None:
    result = run.invoke(app, ["state", ACCOUNT, "--at-version", "5"])
    assert result.exit_code == 0
    assert "the snapshot of version 3 and 2 events after it" in result.stdout
    assert "premium" in result.stdout
    assert "tablet   alien-1979   active   2026-04-02 00:00:00" in result.stdout
    assert "Acquired in the 365 days before" in result.stdout


def test_a_time_means_its_whole_second(run: CliRunner) -> None:
    found = json.loads(run.invoke(app, ["state", ACCOUNT, "--as-of", "2026-03-02T00:00:00Z", "--json"]).stdout)
    assert (found["account_id"], found["as_of"], found["snapshot"]) == (ACCOUNT, day(1) + 999, 3)
    assert found["state"]["version"] == 4
    assert found["state"]["devices"]["tablet"]["alien-1979"]["license_id"] == LICENSE


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            ["--as-of", "2026-02-01T00:00:00Z"],
            f"Nothing has happened to the account {ACCOUNT} up to 2026-02-01T00:00:00Z.",
        ),
        (["--at-version", "9"], f"The account {ACCOUNT} has 8 events, not 9."),
    ],
)
def test_a_moment_that_is_not_there_is_said(run: CliRunner, options: list[str], said: str) -> None:
    result = run.invoke(app, ["state", ACCOUNT, *options])
    assert (result.exit_code, result.stderr) == (1, f"{said}\n")


@pytest.mark.parametrize(
    "options",
    [["--as-of", "yesterday"], ["--at-version", "0"], ["--as-of", "2026-03-02T00:00:00Z", "--at-version", "1"]],
)
def test_misuse_is_exit_code_2(run: CliRunner, options: list[str]) -> None:
    assert run.invoke(app, ["state", ACCOUNT, *options]).exit_code == 2
