"""The regression check: ratios that depend on our own code alone, against those on record, with a wide margin."""

import json
from collections.abc import Sequence
from pathlib import Path

from ops.bench.row import Line
from ops.stack.files import write_whole

#: How much worse than on record is still taken for noise, or for another processor: on two cores with up to twenty
#: processes that wanted them, the medians of ten runs were within 17 % of each other.
MARGIN = 1.6


def record(lines: Sequence[Line], file: Path) -> None:
    """Keep the median ratios, for `regressions` to compare with."""
    ratios = {line.what: round(line.ratio.median, 3) for line in lines if line.ratio}
    write_whole(file, json.dumps(ratios, indent=2) + "\n")


def regressions(lines: Sequence[Line], file: Path) -> list[str]:
    """A sentence for each ratio that is worse than on record by more than `MARGIN`, or that cannot be compared.

    Raises:
        OSError, ValueError: nothing readable is on record there.
    """
    recorded = dict(json.loads(file.read_text("utf-8")))
    found = [_compared(line, recorded.pop(line.what, None)) for line in lines]
    missing = [f"Not measured any more: {what}." for what in recorded]
    return [sentence for sentence in found if sentence] + missing


def _compared(line: Line, before: float | None) -> str | None:
    if before is None or line.ratio is None:
        return f"Not on record: {line.what}."
    now = line.ratio.median
    worse = now / before if line.better == "lower" else before / now
    if worse <= MARGIN:
        return None
    return (
        f"{line.what}: {now:.3g} times {line.beside}, which is {worse:.1f} times worse than the {before:.3g} on record."
    )
