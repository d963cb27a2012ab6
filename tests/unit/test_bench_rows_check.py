"""The regression check fails when it has to, and only then."""

import json
from pathlib import Path
from typing import Literal

import pytest
from typer.testing import CliRunner

from ops.bench import check, yardstick
from ops.bench.check import MARGIN, record, regressions
from ops.bench.row import Line
from ops.bench.rows import pure
from ops.cli import app

RECORDED = Path(check.__file__).with_name("recorded.json")


def line(what: str, ours: float, better: Literal["higher", "lower"] = "lower") -> Line:
    return Line(what, "a fixed piece of work", "µs", ((ours, 10.0), (ours * 9, 10.0), (ours / 9, 10.0)), better)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "recorded.json"
    record([line("reading", 20), line("rate", 20, "higher")], file)
    return file


def test_what_is_on_record_passes_and_so_does_what_became_better_or_is_within_the_margin(file: Path) -> None:
    assert regressions([line("reading", 20), line("rate", 20, "higher")], file) == []
    assert regressions([line("reading", 1), line("rate", 400, "higher")], file) == []
    assert regressions([line("reading", 19.9 * MARGIN), line("rate", 20.1 / MARGIN, "higher")], file) == []


def test_what_became_worse_than_the_margin_is_told(file: Path) -> None:
    assert regressions([line("reading", 40), line("rate", 20, "higher")], file) == [
        "reading: 4 times a fixed piece of work, which is 2.0 times worse than the 2 on record."
    ]
    (told,) = regressions([line("reading", 20), line("rate", 5, "higher")], file)
    assert "4.0 times worse" in told


def test_nothing_escapes_by_another_name(file: Path) -> None:
    assert regressions([line("reading", 20), line("speed", 20, "higher")], file) == [
        "Not on record: speed.",
        "Not measured any more: rate.",
    ]


def test_without_a_record_nothing_passes(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="recorded"):
        regressions([line("reading", 20)], tmp_path / "recorded.json")


def test_the_command_line_fails_for_what_became_slower(monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    monkeypatch.setattr(pure, "ratios", lambda laps: [line("reading", 40), line("rate", 20, "higher")])
    result = CliRunner().invoke(app, ["bench", "--check", str(file)])
    assert result.exit_code == 1
    assert "2.0 times worse than the 2 on record" in " ".join(result.stderr.split())
    monkeypatch.setattr(pure, "ratios", lambda laps: [line("reading", 20), line("rate", 20, "higher")])
    assert CliRunner().invoke(app, ["bench", "--check", str(file)]).exit_code == 0


def test_a_record_that_is_not_there_is_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(pure, "ratios", lambda laps: [line("reading", 40)])
    assert CliRunner().invoke(app, ["bench", "--check", str(tmp_path / "new.json")]).exit_code == 0
    assert json.loads((tmp_path / "new.json").read_text("utf-8")) == {"reading": 4.0}


def test_all_that_is_measured_is_on_record_and_does_its_work() -> None:
    works = pure.works()
    assert json.loads(RECORDED.read_text("utf-8")).keys() == {work.what for work in works}
    for work in works:
        work.do()


def test_the_yardstick_stays_what_it_was() -> None:
    assert yardstick.work() == 37800  # another number: every ratio on record means something else now
