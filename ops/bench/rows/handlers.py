"""Two handler processes beside one, on the same backlog and on servers that share the same cores.

Both share the partitions before the backlog is sent; the clock is that of the row `commands`.
"""

from ops.bench.cpu import told
from ops.bench.ground import Ground
from ops.bench.handled import at_work, stream
from ops.bench.row import Line

NAME = "handlers"
TITLE = "Two handlers"


def measure(ground: Ground) -> list[Line]:
    """One line."""
    count = ground.size.pick(30_000, 100_000)
    warm_up = count // 4
    backlog = list(stream(count + warm_up))
    pairs, note = [], ""
    for run in ground.laps(NAME):
        drained = {}
        for handlers in (1, 2) if run % 2 else (2, 1):
            with ground.space() as space, at_work(ground, space, handlers) as handled:
                drained[handlers] = handled.drain(ground, backlog, warm_up)
        pairs.append((drained[2].rate, drained[1].rate))
        note = f"cores used, of the last run: {told(drained[2].shares)}; with one: {told(drained[1].shares)}"
    return [Line("commands, two handlers", "one handler", "commands/s", tuple(pairs), "higher", limit=1.3, note=note)]
