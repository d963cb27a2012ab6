"""The command line says what is wrong in a sentence: 1 for failures, 2 for misuse."""

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ops.cli import app

BAD = '{"type": "SetPlan", "account_id": "a"}\n'
GOOD = '{"type": "SetPlan", "account_id": "a", "plan": "basic"}\n'


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setenv("LICENSING_KAFKA", "127.0.0.1:1")  # nobody listens there
    return CliRunner()


COMMANDS = [
    command.callback.__name__.replace("_", "-") for command in app.registered_commands if command.callback is not None
]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(run: CliRunner, command: str) -> None:
    result = run.invoke(app, [command, "--help"])
    assert result.exit_code == 0
    assert "Example: " in result.output
    assert f"licensing {command}" in result.output


@pytest.mark.parametrize("verb", ["list", "show", "replay", "purge"])
def test_so_have_those_of_dead_letters(run: CliRunner, verb: str) -> None:
    result = run.invoke(app, ["dead-letters", verb, "--help"])
    assert result.exit_code == 0
    assert f"Example: licensing dead-letters {verb}" in " ".join(result.output.split())


@pytest.mark.parametrize(
    "arguments",
    [
        ["fly"],
        ["send"],
        ["send", "x", "--json"],
        ["simulate", "--commands", "0"],
        ["simulate", "--over", "1y"],
        ["simulate", "--over", "0d"],
        ["simulate", "--over", "99999d"],
        ["simulate", "--bad", "2"],
        ["view", "films", "a"],
        ["worker", "films"],
        ["init", "--partitions", "0"],
        ["demo", "--commands", "some"],
        ["dead-letters", "show", "17"],
        ["dead-letters", "list", "--since", "yesterday"],
        ["dead-letters", "replay"],
        ["dead-letters", "replay", "2:17", "--all"],
        ["dead-letters", "replay", "2:17", "--stage", "decode"],
        ["dead-letters", "replay", "2:x"],
        ["dead-letters", "purge"],
        ["dead-letters", "purge", "2:17", "--all"],
    ],
)
def test_misuse_is_exit_code_2(run: CliRunner, arguments: list[str]) -> None:
    assert run.invoke(app, arguments).exit_code == 2


def test_a_file_with_bad_lines_is_refused_with_their_numbers(run: CliRunner, tmp_path: Path) -> None:
    file = tmp_path / "commands.jsonl"
    file.write_text(GOOD + BAD * 25, "utf-8")
    result = run.invoke(app, ["send", str(file)])
    assert result.exit_code == 1
    lines = result.stderr.splitlines()
    assert lines[0] == "line 2: SetPlan needs plan"
    assert lines[19:] == [
        "line 21: SetPlan needs plan",
        "... and 5 more",
        "Nothing was sent: mend these lines, or use --keep-going.",
    ]


def test_a_missing_file_is_said(run: CliRunner) -> None:
    result = run.invoke(app, ["send", "nowhere.jsonl"])
    assert result.exit_code == 1
    assert result.stderr == "nowhere.jsonl: No such file or directory\n"


def test_help_is_quick_because_it_imports_no_client() -> None:
    code = "import sys, ops.cli; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"confluent_kafka", "cassandra", "faust", "redis", "fastavro", "pydantic", "ops.stack"} & set(loaded)
