"""What-if over real history, beside the loop that it cannot do without.

Ours: `licensing what-if --all` from the open stores to its totals: the processes that decide are started, the journal
is read from Cassandra and decoded, each command is decided again under the same policy and compared with what was
recorded. Beside, in one process: the fold of the events that these commands made, read from the event rows in
Cassandra. What-if in one process too is a line of its own, so that it can be seen what the processes do. And beside the
least that deciding takes, in one process: the same commands as bytes in memory, each decoded, decided and folded into
its account; no journal, no recorded events.
"""

import time
from collections.abc import Callable
from typing import NamedTuple

from commands.account import Account, business_time
from commands.accounts import extend
from commands.aggregates import OF_COMMAND, OF_EVENT, aggregate_of
from commands.cassandra.scan import CassandraEventScan
from commands.policies import Timeline
from commands.policy_file import load_policy
from commands.ports import EventScan
from ops import history, journal
from ops.bench.ground import Ground
from ops.bench.handled import at_work, stream
from ops.bench.row import Line
from ops.collecting import as_a_handler
from ops.deciders.pool import deciders
from ops.recorded import Stores
from ops.whatif.again import Totals
from ops.whatif.run import decide_again
from ops.whatif.shards import Decider, one_by_one
from schemas.codec import decode_batch, decode_command
from schemas.events import Envelope
from schemas.ids import id_from

NAME = "what-if"
TITLE = "What-if over real history"

_POLICIES = Timeline(load_policy())


class Given(NamedTuple):
    """A command as it came; `timestamp` in ms."""

    timestamp: int
    value: bytes


def measure(ground: Ground) -> list[Line]:
    """Three lines, of the same runs."""
    count = ground.size.pick(100_000, 1_000_000)
    beside_store, alone, beside_memory = [], [], []
    with ground.space() as space:
        with at_work(ground, space) as handled:
            handled.drain(ground, list(stream(count)), count // 4)
        with (
            journal.stores(space.settings) as stores,
            history.session(space.settings) as session,
            as_a_handler(),
        ):
            commands, scan = _commands(stores, space.partitions), CassandraEventScan(session)
            events = fold_stored(scan)
            for _ in ground.laps(NAME):
                ours = _microseconds(lambda: _what_if(stores, space.partitions), len(commands))
                stored = _microseconds(lambda: fold_stored(scan), events) * events / len(commands)
                beside_store.append((ours, stored))
                one = _microseconds(lambda: _decided(stores, space.partitions, one_by_one), len(commands))
                alone.append((one, stored))
                beside_memory.append((ours, _microseconds(lambda: fold(commands), len(commands))))
    what = f"a command, what-if over {count:,}"
    return [
        Line(what, "the stored events read and folded", "µs", tuple(beside_store), "lower", limit=1.5),
        Line(f"{what}, in one process", "the stored events read and folded", "µs", tuple(alone), "lower"),
        Line(what, "the same commands decoded, decided and folded in memory", "µs", tuple(beside_memory), "lower"),
    ]


def _commands(stores: Stores, shards: int) -> list[Given]:
    rows = (row for shard in range(shards) for row in stores.journal.read(shard, stores.journal.kept(shard)))
    entries = (entry for row in rows for entry in decode_batch(row.body).entries if entry.outcome != "dead_letter")
    return [Given(entry.timestamp, entry.value) for entry in entries if entry.value is not None]


def _microseconds(work: Callable[[], int], count: int) -> float:
    began = time.perf_counter()
    done = work()
    taken = time.perf_counter() - began
    if done != count:
        raise RuntimeError(f"{done} of {count} commands were decided")
    return taken / count * 1e6


def _what_if(stores: Stores, shards: int) -> int:
    with deciders(shards) as decide:
        return _decided(stores, shards, decide)


def _decided(stores: Stores, shards: int, decide: Decider) -> int:
    *different, totals = decide_again(stores, range(shards), _POLICIES, 0, decide=decide)
    if different or not isinstance(totals, Totals):
        raise RuntimeError("the same policy made a difference")
    return totals.commands


def fold_stored(scan: EventScan) -> int:
    """Fold all accounts from the event rows; how many events there were."""
    events = 0
    for piece in scan.slices(1):
        for rows in scan.read(piece):
            account = extend(aggregate_of(rows[0].envelope.account_id).initial(), [row.envelope for row in rows])
            events += account.version
    return events


def fold(commands: list[Given]) -> int:
    """Decode, decide and fold commands in their order; how many there were."""
    accounts: dict[str, Account] = {}
    for timestamp, value in commands:
        command = decode_command(value)
        account = accounts.get(command.account_id)
        if account is None:
            account = accounts[command.account_id] = aggregate_of(command.account_id).initial()
        if command.command_id in account.answered:
            continue
        at = business_time(account, timestamp)
        in_force = _POLICIES.at(at)
        outcome = OF_COMMAND[type(command)].decide(command, account, in_force.policy, at) if in_force else ()
        for index, event in enumerate(outcome if isinstance(outcome, tuple) else ()):
            event_id, version = id_from(command.command_id, str(index)), account.version + 1
            envelope = Envelope(
                event_id, command.account_id, version, at, command.command_id, command.correlation_id, event
            )
            OF_EVENT[type(event)].apply(account, envelope)
    return len(commands)
