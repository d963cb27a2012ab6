"""The events that a document of a view is made of, read from the stores.

A document of an account is made of the account's events, which Cassandra has by account. A document over all accounts
may be of any event, so the whole events topic is read for it; where that has lost its beginning, all event rows are.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

from commands.cassandra.scan import CassandraEventScan
from ops import framing, history, kafka
from ops.explain import Cause, Located
from ops.journal import shards
from ops.settings import Settings
from projections.views.view import View
from schemas.codec import DecodeError, UnknownSchema, decode_event
from schemas.events import Envelope
from schemas.topics import partition_of

_OFTEN = 1000  # records between two words of progress
_SLICES = 64  # of the event rows, between two of them too


def events_of(
    settings: Settings, view: View, key: str, tell: Callable[[int, int], None] = lambda done, total: None
) -> Iterator[Located]:
    """All events that may be about a document, those of an account in order. `tell`: how far reading is, of how far.

    Raises:
        CassandraProblem, KafkaProblem: the store does not answer.
        NewerRelease, UnknownSchema: an event is of a version that this release does not know.
    """
    if view.TAG == "account":
        yield from map(Located, history.events(settings, key.partition("/")[0]))
        return
    there = kafka.spans(settings.kafka, settings.topics.events)
    if _whole(there):
        yield from _published(settings, key, there, tell)
    else:
        yield from map(Located, _stored(settings, key, tell))


def has_its_beginning(settings: Settings) -> bool:
    """Whether the events topic reaches back to the first event.

    Raises:
        KafkaProblem: Kafka does not answer.
    """
    return _whole(kafka.spans(settings.kafka, settings.topics.events))


def _whole(there: Mapping[int, range]) -> bool:
    return not any(span.start for span in there.values())


def _stored(settings: Settings, key: str, tell: Callable[[int, int], None]) -> list[Envelope]:
    """The events in whose bytes a key is, by time; the store has them by account."""
    name, found = key.encode(), list[Envelope]()
    with history.session(settings) as opened:
        scan = CassandraEventScan(opened)
        for number, piece in enumerate(scan.slices(_SLICES), 1):
            for rows in scan.read(piece):
                found += [row.envelope for row in rows if name in row.payload]
            tell(number, _SLICES)
    return sorted(found, key=_by_time)


def _by_time(envelope: Envelope) -> tuple[int, str, int]:
    return envelope.at, envelope.account_id, envelope.version


def _published(
    settings: Settings, key: str, there: Mapping[int, range], tell: Callable[[int, int], None]
) -> list[Located]:
    """The events of the topic in whose bytes a key is, by time: one may come behind later ones of its account, where
    it was published again, and views had it in its turn. Of copies the first counts.
    """
    topic, plain, name = settings.topics.events, framing.from_topic(), key.encode()
    total, found = sum(map(len, there.values())), dict[tuple[str, int], Located]()
    for number, record in enumerate(kafka.everything(settings.kafka, topic, there), 1):
        if number % _OFTEN == 0 or number == total:
            tell(number, total)
        if record.value is None or name not in record.value:
            continue
        envelope = _event(plain, record)
        if envelope is not None:
            one = Located(envelope, record.partition, record.offset)
            found.setdefault((envelope.account_id, envelope.version), one)
    return sorted(found.values(), key=lambda one: _by_time(one.envelope))


def _event(plain: Callable[[bytes], bytes], record: kafka.Record) -> Envelope | None:
    """The event in a message; None: it is none of its key, and workers have put it aside."""
    try:
        envelope = decode_event(plain(record.value or b""))
    except UnknownSchema:
        raise
    except DecodeError:
        return None
    return envelope if record.key == envelope.account_id.encode() else None


def located(settings: Settings, view: View, found: Sequence[Cause]) -> list[Cause]:
    """The same, with the place of each event on the topic where that is still known: for documents of an account.

    Raises:
        KafkaProblem: Kafka does not answer.
        NotPrepared: the topics are missing.
    """
    if not found or view.TAG != "account":
        return list(found)
    account_id = found[0].of.envelope.account_id
    partition, plain, key = partition_of(account_id, shards(settings)), framing.from_topic(), account_id.encode()

    def version(record: kafka.Record) -> int | None:
        envelope = _event(plain, record) if record.key == key else None
        return None if envelope is None else envelope.version

    wanted = [(cause.of.envelope.version, cause.of.envelope.at) for cause in found]
    places = kafka.find(settings.kafka, settings.topics.events, partition, wanted, version)
    return [
        cause._replace(of=Located(cause.of.envelope, partition, places.get(cause.of.envelope.version)))
        for cause in found
    ]
