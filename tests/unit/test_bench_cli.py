"""`licensing bench`: which rows, which exit code, which files."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ops.bench.row import Row
from ops.bench.rows import ROWS
from ops.cli import app
from ops.stack import StackAddress
from tests.unit.test_bench_report import FAST, ARow


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The command line with two rows and no servers; the second row fails."""
    rows: tuple[Row, ...] = (ARow("good", [FAST]), ARow("bad", []))

    @contextmanager
    def no_stack(*_: Any, **__: Any) -> Iterator[StackAddress]:
        yield StackAddress("", "", "")

    monkeypatch.setattr("ops.bench.rows.ROWS", rows)
    monkeypatch.setattr("ops.fresh.fresh_stack", no_stack)
    monkeypatch.setattr("ops.bench.handled.warm_up", lambda ground: None)
    monkeypatch.setattr("ops.bench.machine.versions", lambda address: {"Python": "3"})
    return lambda *arguments: CliRunner().invoke(app, ["bench", *arguments])


def test_a_row_that_is_not_there_is_a_sentence_and_exit_code_2(run: Any) -> None:
    result = run("good", "fast")
    assert result.exit_code == 2
    assert "there is no row fast; the rows are good, bad" in " ".join(result.stderr.replace("│", "").split())


def test_the_list_of_rows(run: Any) -> None:
    result = run("--list")
    assert result.exit_code == 0
    assert "good" in result.stdout


def test_what_was_asked_for_is_written_and_shown(run: Any, tmp_path: Path) -> None:
    result = run("good", "--runs", "1", "--out", str(tmp_path / "new"))
    assert result.exit_code == 0
    assert "12,346 / 16,173 / 20,000" in result.stdout
    written = json.loads((tmp_path / "new" / "bench.json").read_text("utf-8"))
    assert [row["name"] for row in written["rows"]] == ["good"]
    assert written["runs"] == 1
    assert "| work, beside a peer |" in (tmp_path / "new" / "bench.md").read_text("utf-8")


def test_a_failed_row_is_exit_code_1_and_the_others_are_written(run: Any, tmp_path: Path) -> None:
    result = run("--json", "--out", str(tmp_path))
    assert result.exit_code == 1
    assert [row["failure"] is None for row in json.loads(result.stdout)["rows"]] == [True, False]
    assert "The row bad failed: " in result.stderr
    assert (tmp_path / "bench.md").exists()


def test_every_row_has_a_word_of_its_own() -> None:
    names = [row.NAME for row in ROWS]
    assert len(set(names)) == len(names)
    assert all(row.TITLE for row in ROWS)
