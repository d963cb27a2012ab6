"""Running rows, one after the other; one that fails loses nobody else's figures."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ops.bench.ground import Ground
from ops.bench.row import Line, Row


@dataclass(frozen=True, slots=True)
class Result:
    """What a row came to in so many seconds. `failure`: why there are no lines; None: there are."""

    name: str
    title: str
    lines: tuple[Line, ...]
    seconds: float
    failure: str | None = None


def run(rows: Iterable[Row], ground: Ground, explain: Callable[[Exception], str]) -> list[Result]:
    """Measure every row. `explain` makes a sentence of an exception."""
    results = []
    for row in rows:
        ground.tell(row.NAME)
        began = time.monotonic()
        lines: tuple[Line, ...] = ()
        failure = None
        try:
            lines = tuple(row.measure(ground))
        except Exception as error:
            failure = explain(error)
            ground.tell(f"{row.NAME} failed: {failure}")
        results.append(Result(row.NAME, row.TITLE, lines, time.monotonic() - began, failure))
    return results
