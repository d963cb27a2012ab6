"""The rows, in the order of the table. A new one is a file here and its name in `ROWS`."""

from ops.bench.row import Row
from ops.bench.rows import commands, handlers, hot_account, latency

ROWS: tuple[Row, ...] = (commands, handlers, hot_account, latency)
