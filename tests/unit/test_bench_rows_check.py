"""The regression check fails when it has to, and only then."""

from pathlib import Path
from typing import Literal

import pytest

from ops.bench.check import MARGIN, record, regressions
from ops.bench.row import Line


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
