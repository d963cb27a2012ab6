"""The servers as the checks read them."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from commands.cassandra.scan import CassandraEventScan
from commands.cassandra.snapshots import CassandraWatermarks
from ops import framing, history, kafka
from ops.settings import Settings
from ops.truth.histories import Reader
from projections.redis_model.keys import Keys
from projections.redis_model.whole import RedisWhole
from projections.views.view import View


class EventsTopic:
    """`Topic` in Kafka."""

    def __init__(self, settings: Settings) -> None:
        self._bootstrap, self._name = settings.kafka, settings.topics.events
        self._plain: Callable[[bytes], bytes] = framing.from_topic()

    def begins(self) -> dict[int, int]:
        """See `Topic.begins`."""
        return {partition: span.start for partition, span in kafka.spans(self._bootstrap, self._name).items()}

    def ends(self) -> dict[int, int]:
        """See `Topic.ends`."""
        return kafka.ends(self._bootstrap, self._name)

    def read(self, first: Mapping[int, int], ends: Mapping[int, int]) -> Iterator[kafka.Record]:
        """See `Topic.read`."""
        known = kafka.spans(self._bootstrap, self._name)
        within = {
            partition: range(max(offset, known[partition].start), min(ends[partition], known[partition].stop))
            for partition, offset in first.items()
        }
        for record in kafka.everything(self._bootstrap, self._name, within):
            yield record if record.value is None else record._replace(value=self._plain(record.value))


@contextmanager
def reader(settings: Settings) -> Iterator[Reader]:
    """The event rows, for the length of the block.

    Raises:
        CassandraProblem: Cassandra does not answer or refuses.
        NotPrepared: it has no such keyspace, or no tables of ours there.
    """
    with history.session(settings) as opened:
        yield reader_of(opened)


def reader_of(session: Any) -> Reader:
    """The event rows, read through a session."""
    return Reader(CassandraEventScan(session), CassandraWatermarks(session))


@contextmanager
def generation(settings: Settings, view: View, name: str) -> Iterator[RedisWhole]:
    """A generation of a view, for the length of the block."""
    opened = RedisWhole(settings.redis, Keys(settings.namespace, view.NAME, name))
    try:
        yield opened
    finally:
        opened.close()
