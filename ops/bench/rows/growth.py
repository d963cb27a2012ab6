"""What a command costs the handler, and an event a worker, as the work around them grows: CPU time, not the clock's.

Four systems stand side by side and take the same commands by turns, for accounts that are new each time: a small one,
one with many commands behind it, one with many partitions and one with many views.
"""

from collections.abc import Sequence
from contextlib import ExitStack

from ops.bench.filling import load, of_others
from ops.bench.ground import Ground
from ops.bench.row import Line
from ops.bench.steady import System, system
from ops.bench.watch import POSSIBLE

NAME = "growth"
TITLE = "Cost as work grows"

_ACCOUNTS = 5_000
_FEW = 10_000  # commands before the first look
_PARTITIONS = 64
_LIMIT = 1.1

_Costs = list[tuple[float, float]]  # µs of CPU time for a command and for an event, by run


def measure(ground: Ground) -> list[Line]:
    """All systems by turns, a few thousand commands each."""
    if not POSSIBLE:
        ground.tell(f"{NAME} needs /proc, which this system does not have")
        return []
    few, many = ground.size.pick(_FEW, _FEW), ground.size.pick(100_000, 1_000_000)
    views, look = ground.size.pick(4, 20), load(ground.size.pick(10_000, 20_000), _ACCOUNTS // 2, seed=2)
    before = load(many, _ACCOUNTS)
    with ExitStack() as stack:
        small = stack.enter_context(system(ground))
        large = stack.enter_context(system(ground))
        wide = stack.enter_context(system(ground, partitions=_PARTITIONS))
        viewed = stack.enter_context(system(ground, views=views))
        for one in (small, large, wide, viewed):
            ground.tell(f"{NAME}: commands behind the systems")
            one.take(before if one is large else before[:few])
        costs: dict[System, _Costs] = {one: [] for one in (small, large, wide, viewed)}
        for run in ground.laps(NAME):
            for one, found in costs.items():
                found.append(one.cost(list(of_others(look, f"look{run}"))))
    note = f"Each run adds {len(look):,} commands to both."
    return [
        _line(0, f"a command, {many:,} before it", f"{few:,} before it", costs[large], costs[small], note),
        _line(1, f"an event, {many:,} commands before it", f"{few:,} before it", costs[large], costs[small], note),
        _line(0, f"a command, {_PARTITIONS} partitions", "4 partitions", costs[wide], costs[small]),
        _line(1, f"an event, {_PARTITIONS} partitions", "4 partitions", costs[wide], costs[small]),
        _line(1, f"an event, each of {views} views", "the only view", costs[viewed], costs[small]),
    ]


def _line(
    which: int, what: str, beside: str, ours: Sequence[tuple[float, float]], base: _Costs, note: str = ""
) -> Line:
    pairs = tuple((grown[which], small[which]) for grown, small in zip(ours, base, strict=True))
    return Line(what, beside, "µs CPU", pairs, "lower", _LIMIT, note=note)
