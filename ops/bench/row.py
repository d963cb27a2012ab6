"""What a row of the benchmark is, and the lines that it measures."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import isnan
from statistics import median
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from ops.bench.ground import Ground


@dataclass(frozen=True, slots=True)
class Spread:
    """Least, median and most of some runs."""

    least: float
    median: float
    most: float

    @classmethod
    def of(cls, values: Iterable[float]) -> "Spread | None":
        """The spread of the values that are numbers; None: there is none."""
        known = [value for value in values if not isnan(value)]
        return cls(min(known), median(known), max(known)) if known else None


@dataclass(frozen=True, slots=True)
class Line:
    """One figure beside its peer's.

    `pairs`: (ours, beside) of each run, both in `unit`; beside is nan, and `beside` is "", where there is no peer.
    `limit`: the ratio ours / beside that has to be reached, or not to be passed where lower is better; `goal`: the
    one to hope for. Without a peer both are None.
    """

    what: str
    beside: str
    unit: str
    pairs: tuple[tuple[float, float], ...]
    better: Literal["higher", "lower"]
    limit: float | None = None
    goal: float | None = None
    note: str = ""

    @property
    def ours(self) -> Spread | None:
        """What we came to."""
        return Spread.of(ours for ours, _ in self.pairs)

    @property
    def theirs(self) -> Spread | None:
        """What the peer came to."""
        return Spread.of(beside for _, beside in self.pairs)

    @property
    def ratio(self) -> Spread | None:
        """Ours / beside, run by run."""
        return Spread.of(ours / beside for ours, beside in self.pairs if beside)

    def meets(self, bar: float | None) -> bool | None:
        """Whether the median ratio is on the good side of a bar; None: there is no bar, or no ratio."""
        if bar is None or self.ratio is None:
            return None
        return self.ratio.median >= bar if self.better == "higher" else self.ratio.median <= bar


class Row(Protocol):
    """A module of `ops.bench.rows`: one row of the table, of one line or several."""

    NAME: str  # the word for it on the command line
    TITLE: str

    def measure(self, ground: "Ground") -> Sequence[Line]:
        """Measure, ours and the peer's by turns, `ground.runs` times."""
