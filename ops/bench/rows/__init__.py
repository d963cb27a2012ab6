"""The rows, in the order of the table. A new one is a file here and its name in `ROWS`."""

from ops.bench.row import Row
from ops.bench.rows import cold_load, commands, growth, hot_account, latency, memory, projection, pure, rebuild, what_if

ROWS: tuple[Row, ...] = (
    commands,
    hot_account,
    latency,
    projection,
    rebuild,
    cold_load,
    memory,
    growth,
    what_if,
    pure,
)
