"""A Faust transport that hands the agent a whole fetched chunk of one partition as ONE event.

Faust's own path creates several futures for each record, and that is where its time goes. Here a chunk of up to a
few thousand records is one message; groups, rebalances and commits stay Faust's. `event.message` is a
`ChunkMessage`, `event.value` its records as aiokafka gives them (`offset`, `key`, `value`, `headers`).

- Offsets to begin at come from `ChunkApp.positions` (the read model), not from Kafka. They are committed to Kafka as
  well, so that lag tools work: only the finished prefix of the chunks handed out.
- `rewind` goes back to an earlier offset; chunks already handed out turn stale.
- A hole (a chunk begins after the offset that has to come next) is never skipped: the consumer seeks back.

It leans on private names of faust-streaming and aiokafka: pin both, run tests/faults on upgrades. Every topic of the
app is delivered in chunks; no tables.
"""

from faust.transport import drivers
from faust.transport.drivers import aiokafka as driver

from projections.transport.app import ChunkApp, ChunkMessage, OutOfReach
from projections.transport.consumer import Consumer
from projections.transport.kafka import NoTopic, is_away, partitions_of

__all__ = ["SCHEME", "ChunkApp", "ChunkMessage", "Consumer", "NoTopic", "OutOfReach", "is_away", "partitions_of"]

SCHEME = "chunks"


class Transport(driver.Transport):
    """`chunks://host:port`."""

    Consumer = Consumer


drivers.TRANSPORTS.aliases[SCHEME] = f"{__name__}:Transport"
