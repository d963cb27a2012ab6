"""A benchmark as a table for people, as Markdown for the README, and as a document for programs."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from math import isnan
from typing import Any

from ops.bench.row import Line, Spread
from ops.bench.run import Result

COLUMNS = ("what", "unit", "ours", "beside", "ratio", "target", "met")


@dataclass(frozen=True, slots=True)
class Benchmark:
    """All that one run of the benchmark came to. `date`: ISO 8601, UTC."""

    date: str
    form: str  # short or full
    runs: int
    machine: dict[str, str]
    versions: dict[str, str]
    results: list[Result]

    @property
    def lines(self) -> list[Line]:
        """The lines of all rows."""
        return [line for result in self.results for line in result.lines]

    @property
    def notes(self) -> list[str]:
        """What the lines say beside their figures; what neighbours say alike is said once."""
        groups = groupby(self.lines, key=lambda line: line.note)
        return [f"{'; '.join(line.what for line in lines)}: {note}" for note, lines in groups if note]

    @property
    def failures(self) -> dict[str, str]:
        """Row -> why it failed."""
        return {result.name: result.failure for result in self.results if result.failure is not None}


def cells(line: Line, between: str) -> tuple[str, ...]:
    """A line under `COLUMNS`; `between` what is measured and what it is measured beside."""
    what = f"{line.what}{between}{line.beside}" if line.beside else line.what
    return what, line.unit, _spread(line.ours), _spread(line.theirs), _spread(line.ratio), _target(line), _met(line)


def markdown(benchmark: Benchmark) -> str:
    """The table with the machine above it and the notes below it."""
    machine = ", ".join(f"{name} {value}" for name, value in benchmark.machine.items())
    parts = ", ".join(f"{name} {value}" for name, value in benchmark.versions.items())
    head = [
        f"Measured {benchmark.date}, {benchmark.form} form, {benchmark.runs} runs: minimum / median / maximum.",
        f"Machine: {machine}. Versions: {parts}.",
        "",
        _row(COLUMNS),
        _row(["---"] * len(COLUMNS)),
    ]
    rows = [_row(cells(line, ", beside ")) for line in benchmark.lines]
    notes = [f"- {note}" for note in benchmark.notes]
    failed = [f"- **{name} failed**: {why}" for name, why in benchmark.failures.items()]
    below = ["", *failed, *notes] if failed or notes else []
    return "\n".join([*head, *rows, *below]) + "\n"


def document(benchmark: Benchmark) -> dict[str, Any]:
    """Everything, for JSON; what is not a number is null."""
    found = asdict(benchmark)
    for row, result in zip(found.pop("results"), benchmark.results, strict=True):
        row["lines"] = [_line(line) for line in result.lines]
        found.setdefault("rows", []).append(row)
    return found


def _line(line: Line) -> dict[str, Any]:
    pairs = [[None if isnan(value) else value for value in pair] for pair in line.pairs]
    spreads = {"ours": line.ours, "theirs": line.theirs, "ratio": line.ratio}
    met = {"meets_limit": line.meets(line.limit), "meets_goal": line.meets(line.goal)}
    return asdict(line) | {"pairs": pairs} | {name: s and asdict(s) for name, s in spreads.items()} | met


def _row(values: Sequence[str]) -> str:
    return f"| {' | '.join(values)} |"


def _spread(spread: Spread | None) -> str:
    return " / ".join(map(_figure, (spread.least, spread.median, spread.most))) if spread else "-"


def _figure(value: float) -> str:
    places = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{places}f}"


def _target(line: Line) -> str:
    sign = "≥" if line.better == "higher" else "≤"
    bars = [f"{word}{sign} {bar:g}" for word, bar in (("", line.limit), ("goal ", line.goal)) if bar is not None]
    return ", ".join(bars) or "-"


def _met(line: Line) -> str:
    if line.meets(line.goal):
        return "goal"
    met = line.meets(line.limit)
    return "-" if met is None else "yes" if met else "no"
