"""Real commands and events to measure with: a simulated load, decided by the domain without any server."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from msgspec.structs import replace

from commands.account import Account, apply, business_time, initial
from commands.decide import Rejected, decide
from commands.policy import Policy
from ops import kafka
from ops.bench.ground import Space
from ops.simulate import Load, films, generate
from schemas.codec import encode_command, encode_event, schema_version
from schemas.commands import Command
from schemas.events import Envelope
from schemas.topics import partition_of

DAY = 86_400_000
YEAR = 365 * DAY
#: Milliseconds; what is simulated lies in the past, wherever its end is not said.
_END = 1_790_000_000_000
_WAITING = 100_000  # records in the producer's queue, half of what it takes

Timed = tuple[int, Command]


class Record(NamedTuple):
    """A message to produce; `at` in ms."""

    partition: int
    key: bytes
    value: bytes
    at: int
    headers: Sequence[tuple[str, bytes]] = ()


def load(commands: int, accounts: int, seed: int = 1, days: int = 90) -> list[Timed]:
    """Commands of members over a period, in order; the same arguments give the same commands."""
    wanted = Load(accounts, commands, seed, _END - days * DAY, _END)
    return list(generate(wanted, tuple(film.id for film in films())))


def of_others(timed: Iterable[Timed], prefix: str) -> Iterator[Timed]:
    """The same commands for accounts of other names, so that the same work is done once more on new accounts."""
    for at, command in timed:
        yield at, replace(command, account_id=f"{prefix}{command.account_id}")


def history(timed: Iterable[Timed], policy: Policy) -> Iterator[Envelope]:
    """What the commands lead to when they are decided in order."""
    accounts: dict[str, Account] = {}
    for timestamp, command in timed:
        state = accounts.setdefault(command.account_id, initial())
        if command.command_id in state.answered:
            continue
        at = business_time(state, timestamp)
        outcome = decide(command, state, policy, at)
        if isinstance(outcome, Rejected):
            continue
        for index, event in enumerate(outcome):
            event_id = f"{command.command_id[:-2]}{index:02x}"  # as good as a real one, and made much faster
            envelope = Envelope(
                event_id, command.account_id, state.version + 1, at, command.command_id, command.correlation_id, event
            )
            apply(state, envelope)
            yield envelope


class Partitions(dict[str, int]):
    """Account -> partition, each worked out once."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.count = count

    def __missing__(self, account_id: str) -> int:
        self[account_id] = found = partition_of(account_id, self.count)
        return found


def command_records(timed: Iterable[Timed], partitions: int) -> Iterator[Record]:
    """Commands as the commands topic takes them."""
    home = Partitions(partitions)
    for at, command in timed:
        yield Record(home[command.account_id], command.account_id.encode(), encode_command(command), at)


def event_records(envelopes: Iterable[Envelope], partitions: int) -> Iterator[Record]:
    """Events as the handler puts them onto the events topic."""
    home = Partitions(partitions)
    for envelope in envelopes:
        account_id, name = envelope.account_id, envelope.type
        headers = (("type", name.encode()), ("schema_version", b"%d" % schema_version(name)))
        yield Record(home[account_id], account_id.encode(), encode_event(envelope), envelope.at, headers)


def produce(space: Space, topic: str, records: Iterable[Record]) -> int:
    """Write records as fast as it goes; return how many, once all are confirmed.

    Raises:
        KafkaProblem: one of them was refused.
    """
    failed: list[Any] = []

    def delivered(error: Any, _: Any) -> None:
        failed.append(error)  # the producer reports errors only

    producer = kafka.producer(space.settings.kafka)
    count = 0
    for partition, key, value, at, headers in records:
        if len(producer) > _WAITING:
            producer.poll(0.1)
        producer.produce(topic, value, key, partition, on_delivery=delivered, timestamp=at, headers=list(headers))
        count += 1
    while producer.flush(1.0) and not failed:
        pass
    if failed:
        raise kafka.problem(space.settings.kafka, failed[0])
    return count


def produce_events(space: Space, envelopes: Iterable[Envelope]) -> int:
    """`produce` for the events topic."""
    return produce(space, space.settings.topics.events, event_records(envelopes, space.partitions))


def produce_commands(space: Space, timed: Sequence[Timed] | Iterator[Timed]) -> int:
    """`produce` for the commands topic."""
    return produce(space, space.settings.topics.commands, command_records(timed, space.partitions))
