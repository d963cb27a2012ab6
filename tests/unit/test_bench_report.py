"""What the benchmark writes: a table, Markdown, and JSON; and that a row which fails loses nobody else's figures."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import nan
from pathlib import Path

from ops.bench.ground import Ground, Size
from ops.bench.report import Benchmark, cells, document, markdown
from ops.bench.row import Line
from ops.bench.run import Result, run
from ops.stack import StackAddress

FAST = Line("work", "a peer", "works/s", ((12_345.6, 5000), (20_000, 10_000)), "higher", 1.5, 2.0, "what binds")
QUICK = Line("a wait", "a peer", "ms", ((12.3, 4),), "lower", 3)
ALONE = Line("memory", "", "MB", ((0.5, nan),), "lower")
BENCHMARK = Benchmark(
    "2026-11-24 12:00 UTC",
    "short",
    2,
    {"cores": "2"},
    {"Python": "3.11.7"},
    [Result("fast", "Fast", (FAST,), 3.5), Result("rest", "", (QUICK, ALONE), 1), Result("bad", "", (), 1, "no luck")],
)


@dataclass
class ARow:
    NAME: str
    lines: Sequence[Line]
    TITLE: str = "a row"

    def measure(self, ground: Ground) -> Sequence[Line]:
        for _ in ground.laps(self.NAME):
            if not self.lines:
                raise ValueError("no luck")
        return self.lines


def a_ground(told: list[str]) -> Ground:
    return Ground(StackAddress("", "", ""), Path(), 2, Size(), told.append, lambda: told.append("+"))


def test_cells_of_a_line() -> None:
    assert cells(FAST, ", beside ") == (
        "work, beside a peer",
        "works/s",
        "12,346 / 16,173 / 20,000",
        "5,000 / 7,500 / 10,000",
        "2.00 / 2.23 / 2.47",
        "≥ 1.5, goal ≥ 2",
        "goal",
    )
    assert cells(QUICK, "; ")[2:] == ("12.3 / 12.3 / 12.3", "4.00 / 4.00 / 4.00", "3.08 / 3.08 / 3.08", "≤ 3", "no")
    assert cells(replace(QUICK, limit=5), "; ")[-1] == "yes"
    assert cells(ALONE, "; ") == ("memory", "MB", "0.50 / 0.50 / 0.50", "-", "-", "-", "-")


def test_markdown_has_a_table_the_machine_the_notes_and_the_failures() -> None:
    text = markdown(BENCHMARK)
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert len(table) == 2 + 3
    assert len({line.count("|") for line in table}) == 1
    assert "cores 2" in text
    assert "Python 3.11.7" in text
    assert "- work: what binds\n" in text
    assert "- **bad failed**: no luck\n" in text


def test_a_note_of_several_lines_is_said_once() -> None:
    alike = Result("alike", "", (FAST, replace(FAST, what="play"), QUICK, FAST), 1)
    assert replace(BENCHMARK, results=[alike]).notes == ["work; play: what binds", "work: what binds"]


def test_the_document_is_json_with_spreads_and_null_for_what_is_not_there() -> None:
    found = json.loads(json.dumps(document(BENCHMARK), allow_nan=False))
    assert found["date"] == "2026-11-24 12:00 UTC"
    assert [row["name"] for row in found["rows"]] == ["fast", "rest", "bad"]
    fast, (quick, alone), bad = (row["lines"] for row in found["rows"])
    assert fast[0]["ratio"]["median"] == (12_345.6 / 5000 + 2) / 2
    assert (fast[0]["meets_limit"], quick["meets_limit"], alone["meets_limit"]) == (True, False, None)
    assert alone["pairs"] == [[0.5, None]]
    assert alone["theirs"] is None
    assert bad == []
    assert found["rows"][2]["failure"] == "no luck"


def test_a_row_that_fails_is_said_and_the_others_are_measured() -> None:
    told: list[str] = []
    results = run([ARow("bad", []), ARow("good", [FAST])], a_ground(told), lambda error: f"sorry, {error}")
    assert [(result.name, result.lines, result.failure) for result in results] == [
        ("bad", (), "sorry, no luck"),
        ("good", (FAST,), None),
    ]
    assert told == [
        *["bad", "bad, run 1 of 2", "bad failed: sorry, no luck"],
        *["good", "good, run 1 of 2", "+", "good, run 2 of 2", "+"],
    ]
