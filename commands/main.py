"""The handler process: everything is put together here, and only here."""

import gc
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TypeVar
from uuid import uuid4

import structlog

from commands.accounts import AccountCache, BrokenHistory
from commands.cassandra.event_store import CassandraEventStore
from commands.cassandra.journal import CassandraJournal
from commands.cassandra.session import Session, connect
from commands.cassandra.snapshots import CassandraSnapshots, CassandraWatermarks
from commands.follow_up import Outbound
from commands.framing import Unframed
from commands.handler import Handler
from commands.kafka.consumer import CommandConsumer
from commands.kafka.policies import PolicyFollower
from commands.kafka.publisher import KafkaPublisher, ProducerDead
from commands.logs import configure_logging
from commands.policies import Policies
from commands.policy_file import PolicyError, load_policy
from commands.ports import NotPrepared, StoreUnavailable
from commands.settings import Settings
from commands.shard import Inside
from schemas.confluent import Heads, heads
from schemas.topics import Topics

log = structlog.get_logger(__name__)

T = TypeVar("T")

#: Young objects before a collection. Python's default (700, or 2,000) walks the cached accounts all the time: a third
#: of the handler's work, where a batch makes some ten thousand objects that go with it.
GC_THRESHOLDS = (500_000, 20, 50)

#: Shards that load accounts at the same time, while the others go on.
LOADERS = 4


class Stopped(Exception):
    """The process was asked to stop before it had begun."""


def wire(settings: Settings, policies: Policies, publisher: KafkaPublisher, session: Session, shards: int) -> Inside:
    """The ports of a handler on the real servers.

    Raises:
        NotPrepared: a table is missing.
        StoreUnavailable: Cassandra does not answer.
    """
    outbound = Outbound(
        CassandraEventStore(session),
        CassandraSnapshots(session),
        CassandraWatermarks(session),
        publisher,
        Topics(settings.namespace),
    )
    cache = AccountCache(settings.cached_accounts)
    loaders = ThreadPoolExecutor(LOADERS, "loader")
    return Inside(CassandraJournal(session), outbound, policies, cache, shards, uuid4(), loaders.submit)


def run(settings: Settings | None = None, adjust: Callable[[Inside], Inside] = lambda inside: inside) -> int:
    """Run a handler until SIGTERM or SIGINT; returns the exit code. `adjust` may replace ports (fault tests do)."""
    settings = settings or Settings()
    configure_logging()
    gc.set_threshold(*GC_THRESHOLDS)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    topics = Topics(settings.namespace)
    group = f"{settings.namespace}.handler"
    try:
        points, credentials = settings.cassandra_points(), settings.cassandra_credentials()
        policies = PolicyFollower(settings.kafka, topics.policies, load_policy(settings.policy))
        consumer = CommandConsumer(settings.kafka, topics.commands, group, settings.session_timeout_ms)
        shards = _patiently(consumer.partitions, stop)
        session = _patiently(lambda: connect(points, settings.keyspace, credentials=credentials), stop)
        begins, unframed = _registry(settings.schema_registry_url, topics, stop)
        publisher = KafkaPublisher(settings.kafka, begins)
        inside = _patiently(lambda: wire(settings, policies, publisher, session, shards), stop)
        inside = adjust(replace(inside, unframed=unframed))
        _patiently(policies.look, stop)
        policies.follow(stop)
        Handler(consumer, publisher, inside, stop, settings.alive_file).run()
    except Stopped:
        return 0
    except (ProducerDead, BrokenHistory, NotPrepared, PolicyError) as error:
        log.error("handler_ends", reason=str(error))
        return 1
    return 0


def _registry(url: str | None, topics: Topics, stop: threading.Event) -> tuple[Heads | None, Unframed | None]:
    """How values begin, and what takes them in, where there is a schema registry; all that is written is registered."""
    if not url:
        return None, None
    from commands.kafka.registry import Registry  # noqa: PLC0415 - its client is there only where it is installed

    registry = Registry(url)
    found = _patiently(lambda: heads(topics, (topics.events, topics.replies), registry.id_of), stop)
    log.info("schemas_registered", schemas=sum(map(len, found.values())))
    return found, Unframed(registry.text)


def _patiently(attempt: Callable[[], T], stop: threading.Event) -> T:
    """Try until the servers answer, a second longer each time up to ten."""
    seconds = 0.0
    while True:
        try:
            return attempt()
        except StoreUnavailable as error:
            seconds = min(seconds + 1, 10)
            log.warning("waiting_for_servers", seconds=seconds, reason=str(error))
        if stop.wait(seconds):
            raise Stopped
