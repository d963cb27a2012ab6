"""The journal as operations read it: by shard, for the commands that were refused, and to decide all of them again."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from commands.batch import Decided
from commands.cassandra.event_store import CassandraEventStore
from commands.cassandra.journal import CassandraJournalHistory
from commands.ports import JournalHistory, NotPrepared
from ops import history, kafka
from ops.recorded import Stores, recorded_in
from ops.settings import Settings
from ops.timeline import Live, Step, steps
from schemas.events import Envelope
from schemas.topics import partition_of

#: Seconds between two looks at the journal's end.
LOOK = 1.0
#: Is told how many rows are read, and of how many.
Tell = Callable[[int, int], None]


def shards(settings: Settings) -> int:
    """How many shards there are: the partitions of the commands topic.

    Raises:
        KafkaProblem: Kafka does not answer.
        NotPrepared: there is no such topic.
    """
    topic = settings.topics.commands
    found = kafka.partitions(settings.kafka, (topic,))
    if topic not in found:
        raise NotPrepared(f"there is no topic {topic}; create the topics and tables with: licensing init")
    return found[topic]


@contextmanager
def stores(settings: Settings) -> Iterator[Stores]:
    """Event rows and journal, for the length of the block.

    Raises:
        CassandraProblem: Cassandra does not answer or refuses.
        NotPrepared: it has no such keyspace, or no tables of ours there.
    """
    with history.session(settings) as opened:
        yield Stores(CassandraEventStore(opened), CassandraJournalHistory(opened))


def read(journal: JournalHistory, shard: int, account_id: str, positions: range, tell: Tell) -> Iterator[Decided]:
    """What those rows of the account's shard have recorded of it: the journal is by shard, so every row is read.

    Raises:
        StoreUnavailable: the journal cannot be read now.
        NewerRelease, NotPrepared: it cannot be understood.
    """
    rows = journal.read(shard, positions)
    for number, decided in enumerate(recorded_in(rows, {account_id}), 1):
        tell(number, len(positions))
        yield from decided


def timeline(of: Stores, account_id: str, shard: int, tell: Tell) -> tuple[list[Step], int]:
    """The timeline of an account, and the position of the journal to follow it from: all of the shard is read."""
    kept = of.journal.kept(shard)
    decided = list(read(of.journal, shard, account_id, kept, tell))
    return steps(list(of.events.read(account_id)), decided), kept.stop


def follow(of: Stores, account_id: str, shard: int, known: Sequence[Step], position: int) -> Iterator[Step]:
    """What happens after the steps that are known, without end, seen at most `LOOK` seconds later."""
    live = Live([one for one in known if isinstance(one, Envelope)])
    while True:
        end = of.journal.kept(shard).stop
        yield from live.take(read(of.journal, shard, account_id, range(position, end), lambda done, total: None))
        position = max(position, end)
        time.sleep(LOOK)


def shard_of(settings: Settings, account_id: str) -> int:
    """The shard of an account.

    Raises:
        KafkaProblem, NotPrepared: as `shards`.
    """
    return partition_of(account_id, shards(settings))
