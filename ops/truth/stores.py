"""The servers as the checks read them."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from commands.cassandra.scan import CassandraEventScan
from commands.cassandra.snapshots import CassandraSnapshots, CassandraWatermarks
from commands.kafka.publisher import KafkaPublisher
from commands.ports import Outgoing
from ops import framing, history, kafka
from ops.kafka.reading import between
from ops.settings import Settings
from ops.truth.check import Sources
from ops.truth.histories import Reader
from projections.queries import Views
from projections.redis_model.keys import Keys
from projections.redis_model.whole import RedisWhole
from projections.settings import Settings as ViewSettings
from projections.views import VIEWS
from projections.views.view import View
from projections.whole import Whole
from schemas.topics import partition_of

_POLL, _CLOSE = 0.1, 10.0  # seconds


class EventsTopic:
    """`Topic` in Kafka."""

    def __init__(self, settings: Settings) -> None:
        self._bootstrap, self._name = settings.kafka, settings.topics.events
        self._plain: Callable[[bytes], bytes] = framing.from_topic()

    def begins(self) -> dict[int, int]:
        """See `Topic.begins`."""
        return {partition: span.start for partition, span in kafka.spans(self._bootstrap, self._name).items()}

    def homes(self, account_ids: Iterable[str]) -> set[int]:
        """See `Topic.homes`."""
        count = kafka.partitions(self._bootstrap, (self._name,)).get(self._name, 0)
        return {partition_of(account_id, count) for account_id in account_ids} if count else set()

    def ends(self) -> dict[int, int]:
        """See `Topic.ends`."""
        return kafka.ends(self._bootstrap, self._name)

    def read(self, first: Mapping[int, int], ends: Mapping[int, int]) -> Iterator[kafka.Record]:
        """See `Topic.read`."""
        there = kafka.spans(self._bootstrap, self._name)
        wanted = {n: range(max(start, there[n].start), min(ends[n], there[n].stop)) for n, start in first.items()}
        for record in between(self._bootstrap, self._name, wanted):
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
def sources(settings: Settings, views: Iterable[str]) -> Iterator[Sources]:
    """All that a check of those views reads, for the length of the block; it raises as `reader` does.

    A view of which no generation is live, or one that another version of it fills, is left out: see `unlike`.
    """
    with ExitStack() as opened:
        session = opened.enter_context(history.session(settings))
        live: dict[str, tuple[View, Whole]] = {}
        for name in views:
            view, used = VIEWS[name], live_of(settings, name)
            if used is not None and unlike(settings, name) is None:
                live[name] = view, opened.enter_context(generation(settings, view, used))
        yield Sources(reader_of(session), CassandraSnapshots(session), EventsTopic(settings), live)


def live_of(settings: Settings, name: str) -> str | None:
    """The generation of a view that readers use; None: there is none."""
    views = Views(ViewSettings(redis=settings.redis, namespace=settings.namespace))
    try:
        return views.live(name)[0]
    finally:
        views.close()


def name_of(whole: Whole) -> str | None:
    """The name of a generation in Redis."""
    return whole.keys.generation if isinstance(whole, RedisWhole) else None


def unlike(settings: Settings, name: str) -> str | None:
    """Why the live generation of a view cannot be compared with the events; None: it can."""
    views = Views(ViewSettings(redis=settings.redis, namespace=settings.namespace))
    try:
        used, version = views.live(name)
    finally:
        views.close()
    if used is None:
        return f"{name} has no live generation: no worker of it has run."
    ours = VIEWS[name].VERSION
    if version not in (None, ours):
        return (
            f"Version {version} of the view fills the live generation of {name}, and this release has {ours}: rebuild "
            f"it, with `licensing rebuild {name}`."
        )
    return None


@contextmanager
def publish(settings: Settings) -> Iterator[Callable[[Sequence[Outgoing]], None]]:
    """What sends messages and waits until all are confirmed, for the length of the block.

    Raises:
        PublishFailed: Kafka refuses a message for good.
    """
    publisher = KafkaPublisher(settings.kafka, framing.heads_of(settings.topics, settings.topics.events))

    def send(messages: Sequence[Outgoing]) -> None:
        done = publisher.publish(messages)
        while not done.done():
            publisher.poll(_POLL)
        done.result()

    try:
        yield send
    finally:
        publisher.close(_CLOSE)


@contextmanager
def generation(settings: Settings, view: View, name: str) -> Iterator[RedisWhole]:
    """A generation of a view, for the length of the block."""
    opened = RedisWhole(settings.redis, Keys(settings.namespace, view.NAME, name))
    try:
        yield opened
    finally:
        opened.close()
