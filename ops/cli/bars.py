"""Progress bars on stderr for what takes its time."""

import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

_LATER = 1.0  # seconds before bars are worth looking at


class Bars:
    """Named bars, each with a count, a total, its rate and what is left. What is over soon shows none."""

    def __init__(self, **totals: int) -> None:
        self._progress = Progress(
            TextColumn("{task.description:<16}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[rate]}"),
            console=Console(stderr=True, highlight=False),
        )
        self._tasks: dict[str, TaskID] = {}
        self._begun: dict[str, tuple[int, float]] = {}  # what was done at first, and when (monotonic)
        self._entered = time.monotonic()
        for name, total in totals.items():
            self.add(name, total)

    def __enter__(self) -> "Bars":
        self._entered = time.monotonic()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._progress.live.is_started:  # else it would leave an empty line
            self._progress.stop()

    def add(self, name: str, total: int) -> None:
        """One more bar."""
        self._tasks[name] = self._progress.add_task(name.replace("_", " "), total=total, rate="")

    def begin(self, name: str, completed: int = 0) -> None:
        """Count the rate from here: so much was done before."""
        self._begun[name] = completed, time.monotonic()

    def show(self, name: str, completed: int, total: int) -> None:
        """As `set`; a bar that is not there yet begins now."""
        if name not in self._tasks:
            self.add(name, total)
            self.begin(name, completed)
        self.set(name, completed, total)

    def set(self, name: str, completed: int, total: int | None = None) -> None:
        """How far something is."""
        if not self._progress.live.is_started and time.monotonic() - self._entered > _LATER:
            self._progress.start()
        task = self._tasks[name]
        if completed != self._progress.tasks[task].completed:  # the rate of what has come to its end stays
            before, since = self._begun.get(name, (0, self._entered))
            rate = (completed - before) / max(time.monotonic() - since, 0.001)
            left = f", {(total - completed) / rate:,.0f} s left" if total and rate > 0 and total > completed else ""
            self._progress.update(task, completed=completed, rate=f"{rate:,.0f}/s{left}")
        self._progress.update(task, total=total)
