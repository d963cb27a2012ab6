"""`licensing what-if`: what it prints, and what it refuses."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain, combinations
from pathlib import Path

import pytest
from typer.testing import CliRunner

from commands.policy_log import PolicyLog
from ops import history, journal, policies
from ops.cli import app
from ops.cli.output import moment
from ops.recorded import Stores
from ops.settings import Settings
from tests.unit.test_batch_properties import ACCOUNTS, POLICY, histories, messages, run
from tests.unit.test_policy_file import GOOD
from tests.unit.test_timeline import stores_of

DECIDED, _ = run(messages(3, 300))
#: The version of an acquisition whose licence was renewed later.
ACQUIRED = next(
    acquired.version
    for acquired, renewed in combinations(histories(DECIDED)[ACCOUNTS[0]], 2)
    if (acquired.type, renewed.type) == ("LicenseAcquired", "LicenseRenewed")
    and getattr(acquired.event, "license_id", None) == getattr(renewed.event, "license_id", None)
)


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    @contextmanager
    def stores(settings: Settings) -> Iterator[Stores]:
        yield stores_of(DECIDED)

    monkeypatch.setattr(journal, "stores", stores)
    monkeypatch.setattr(journal, "shards", lambda settings: 1)
    monkeypatch.setattr(policies, "read", lambda settings: PolicyLog(POLICY))
    monkeypatch.setattr(history, "events", lambda settings, account: histories(DECIDED).get(account, []))
    monkeypatch.setattr(history, "some_accounts", lambda settings, count: set(ACCOUNTS[:count]))
    return CliRunner()


@pytest.fixture
def strict(tmp_path: Path) -> str:
    file = tmp_path / "strict.yaml"
    file.write_text(GOOD, "utf-8")
    return str(file)


def lines(cli: CliRunner, *arguments: str) -> list[dict[str, object]]:
    result = cli.invoke(app, ["what-if", *arguments, "--json"])
    assert result.exit_code == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.mark.parametrize("scope", [["--all"], ["--sample", "1"], [ACCOUNTS[1]]])
def test_the_policies_that_were_in_force_make_no_difference(cli: CliRunner, scope: list[str]) -> None:
    result = cli.invoke(app, ["what-if", *scope])
    assert result.exit_code == 0
    assert "No difference." in result.stdout
    (totals,) = lines(cli, *scope)
    assert totals["kind"] == "totals"
    assert totals["before"] == totals["after"]
    assert totals["changed"] == []


def test_a_difference_without_a_change_is_a_finding(cli: CliRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policies, "read", lambda settings: PolicyLog(replace(POLICY, device_downloads=1)))
    result = cli.invoke(app, ["what-if", "--all"])
    assert result.exit_code == 1
    assert "device_download_limit" in result.stdout


def test_another_policy_prints_what_changes(cli: CliRunner, strict: str) -> None:
    found = lines(cli, "--all", "--policy", strict)
    assert {one["kind"] for one in found} == {"outcome", "account", "document", "totals"}
    totals = found[-1]
    assert totals["kind"] == "totals"
    outcomes = [one for one in found if one["kind"] == "outcome"]
    changed = totals["changed"]
    assert isinstance(changed, list)
    assert sum(one["commands"] for one in changed) == len(outcomes)
    result = cli.invoke(app, ["what-if", "--all", "--policy", strict])
    assert result.exit_code == 0
    for title in ("Commands that differ, the first 20 of", "Accounts that differ", "Outcomes by reason", "Totals"):
        assert title in result.stdout
    alone = cli.invoke(app, ["what-if", ACCOUNTS[0], "--policy", strict])
    assert f"State of {ACCOUNTS[0]}" in alone.stdout


def test_other_events_print_what_changes(cli: CliRunner, tmp_path: Path) -> None:
    found = lines(cli, ACCOUNTS[0], "--drop", "2")
    assert found[0]["kind"] == "account"
    assert found[0]["version"] == 1
    result = cli.invoke(app, ["what-if", ACCOUNTS[0], "--drop", str(ACQUIRED)])
    assert (result.exit_code, result.stderr) == (0, "")
    assert "Could not have happened, and left out" in result.stdout
    file = tmp_path / "more.jsonl"
    event = {"type": "PlanChanged", "at": "2030-01-01T00:00:00Z", "event": {"plan": "x", "previous_plan": None}}
    file.write_text(json.dumps(event), "utf-8")
    result = cli.invoke(app, ["what-if", ACCOUNTS[0], "--insert", str(file)])
    assert result.exit_code == 0
    assert "PlanChanged" in result.stdout
    result = cli.invoke(app, ["what-if", ACCOUNTS[0], "--set", "1", "plan=three"])
    assert result.exit_code == 0
    assert "three" in result.stdout


def test_several_values_may_be_set_in_one_event_and_in_others(cli: CliRunner) -> None:
    later = histories(DECIDED)[ACCOUNTS[0]][0].at + 1000
    values = [("1", "plan=three"), ("1", f"at={later}"), (str(ACQUIRED), "title_id=another")]
    result = cli.invoke(app, ["what-if", ACCOUNTS[0], *chain(*(["--set", *one] for one in values))])
    assert result.exit_code == 0
    first = next(line for line in result.stdout.splitlines() if line.startswith(" would be"))
    assert "three" in first
    assert moment(later) in first
    assert "another" in result.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--all", "--sample", "3"],
        ["ann", "--all"],
        ["--all", "--drop", "1"],
        ["--sample", "0"],
        ["ann", "--drop", "1", "--policy", "x.yaml"],
        [ACCOUNTS[0], "--drop", "9999"],
        [ACCOUNTS[0], "--set", "1", "colour=red"],
        [ACCOUNTS[0], "--set", "1"],
        [ACCOUNTS[0], "--set"],
        [ACCOUNTS[0], "--set", "plan=red"],
        [ACCOUNTS[0], "--set", "1", "--json"],
    ],
)
def test_misuse_is_exit_code_2(cli: CliRunner, arguments: list[str]) -> None:
    assert cli.invoke(app, ["what-if", *arguments]).exit_code == 2


def test_what_is_not_there_is_said(cli: CliRunner, tmp_path: Path) -> None:
    result = cli.invoke(app, ["what-if", "nobody", "--drop", "1"])
    assert (result.exit_code, result.stderr) == (1, "The account nobody has no events.\n")
    file = tmp_path / "more.jsonl"
    file.write_text("{}\n", "utf-8")
    result = cli.invoke(app, ["what-if", ACCOUNTS[0], "--insert", str(file)])
    assert result.exit_code == 1
    assert result.stderr.startswith(f"{file}: line 1: not an object such as")
    result = cli.invoke(app, ["what-if", "--all", "--policy", str(tmp_path / "none.yaml")])
    assert result.exit_code == 1
