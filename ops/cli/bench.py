"""`licensing bench`: the system beside its peers."""
# ruff: noqa: PLC0415 - a command imports what it needs, so that --help is quick

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ops.cli.failures import sentence
from ops.cli.output import as_json, console, note, table
from ops.settings import runtime

if TYPE_CHECKING:
    from ops.bench.report import Benchmark
    from ops.bench.row import Row


def bench(
    rows: Annotated[list[str] | None, typer.Argument(help="Rows to measure, such as commands; else all.")] = None,
    runs: Annotated[int, typer.Option(min=1, help="Runs of each row, ours and the peer's by turns.")] = 3,
    full: Annotated[bool, typer.Option("--full", help="More work in each run; takes much longer.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of the table.")] = False,
    out: Annotated[Path | None, typer.Option(help="Folder for bench.json and bench.md; else .runtime/bench.")] = None,
    listed: Annotated[bool, typer.Option("--list", help="Print what rows there are, and stop.")] = False,
    check: Annotated[Path | None, typer.Option(help="Compare our own code alone with this record, and stop.")] = None,
) -> None:
    """Measure the system beside its peers, each figure a ratio taken in one run on the same servers.

    It has servers of its own on free ports, in .runtime/bench, and stops what it started. What the figures mean stands
    above each row in ops/bench/rows. Exit code 1: a row failed.

    --check needs no servers: it holds the row `pure` against a file of recorded ratios, with a wide margin, and ends
    with exit code 1 where one became worse. A file that is not there is written.
    """
    if check is not None:
        raise typer.Exit(_check(check, runs))
    from ops.bench.rows import ROWS

    if listed:
        table("Rows", ("row", "what"), [(row.NAME, row.TITLE) for row in ROWS])
        return
    chosen = _chosen(ROWS, rows or [])
    folder = out or runtime() / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    benchmark = _measured(chosen, runs, full)
    _write(benchmark, folder)
    if json:
        from ops.bench.report import document

        as_json(document(benchmark))
    else:
        _show(benchmark)
    note(f"Written: {folder / 'bench.json'} and {folder / 'bench.md'}")
    for name, failure in benchmark.failures.items():
        note(f"The row {name} failed: {failure}")
    raise typer.Exit(1 if benchmark.failures else 0)


def _check(file: Path, runs: int) -> int:
    from ops.bench.check import record, regressions
    from ops.bench.rows import pure

    lines = pure.ratios(range(runs))
    for line in lines:
        if line.ratio is not None:
            note(f"{line.what}: {line.ratio.median:.3f} times {line.beside}")
    if not file.exists():
        record(lines, file)
        note(f"Recorded in {file}; there was nothing to compare with.")
        return 0
    found = regressions(lines, file)
    for worse in found:
        note(worse)
    note("Slower than on record." if found else f"None is much worse than in {file}.")
    return 1 if found else 0


def _chosen(every: "tuple[Row, ...]", names: list[str]) -> "list[Row]":
    known = {row.NAME: row for row in every}
    for name in names:
        if name not in known:
            raise typer.BadParameter(f"there is no row {name}; the rows are {', '.join(known)}", param_hint="ROWS")
    return [row for row in every if not names or row.NAME in names]


def _measured(rows: "list[Row]", runs: int, full: bool) -> "Benchmark":
    from datetime import UTC, datetime

    from ops.bench.ground import Ground, Size
    from ops.bench.handled import warm_up
    from ops.bench.machine import machine, versions
    from ops.bench.report import Benchmark
    from ops.bench.run import run
    from ops.fresh import fresh_stack

    home, date = runtime() / "bench" / "stack", datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    with fresh_stack(home, partitions=4, keep=False, tell=note) as address:
        parts = versions(address)
        with _Progress(len(rows) * runs) as progress:
            ground = Ground(address, home, runs, Size(full), progress.tell, progress.advance)
            warm_up(ground)
            results = run(rows, ground, sentence)
    return Benchmark(date, "full" if full else "short", runs, machine(), parts, results)


def _write(benchmark: "Benchmark", folder: Path) -> None:
    from json import dumps

    from ops.bench.report import document, markdown

    (folder / "bench.json").write_text(dumps(document(benchmark), indent=1, ensure_ascii=False) + "\n", "utf-8")
    (folder / "bench.md").write_text(markdown(benchmark), "utf-8")


def _show(benchmark: "Benchmark") -> None:
    from ops.bench.report import COLUMNS, cells

    title = f"Benchmark, {benchmark.form}, {benchmark.runs} runs: minimum / median / maximum"
    table(title, COLUMNS, [cells(line, "\n  beside ") for line in benchmark.lines], numbers=(2, 3, 4), folded=0)
    for text in benchmark.notes:
        console().print(text)


class _Progress:
    """A bar over all runs on a terminal, else a line for each thing that is told."""

    def __init__(self, runs: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        out = Console(stderr=True, highlight=False)
        columns = (BarColumn(bar_width=24), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
        self._bar = Progress(*columns, console=out, disable=not out.is_terminal)
        self._runs = self._bar.add_task("", total=runs)

    def __enter__(self) -> "_Progress":
        self._bar.start()
        return self

    def __exit__(self, *about: Any) -> None:
        self._bar.stop()

    def tell(self, text: str) -> None:
        """Say what goes on."""
        if self._bar.disable:
            note(text)
        else:
            self._bar.update(self._runs, description=text)

    def advance(self) -> None:
        """One more run is over."""
        self._bar.advance(self._runs)
