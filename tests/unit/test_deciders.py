"""Processes that decide shards again give what one process gives, in the same order; what goes wrong there is said."""

import os
import random
import signal
from collections import Counter
from collections.abc import Iterator, Sequence
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from commands.account import initial
from commands.batch import Decided, decide_batch
from commands.intake import Message, Poison, Received, read_command
from commands.memory import MemoryEventStore, MemoryJournal, MemoryJournalHistory, MemoryWatermarks
from commands.policies import Timeline
from commands.policy import Policy
from commands.ports import EventRow, JournalHistory, NotPrepared, Row, Watermark
from ops.deciders import pool
from ops.deciders.pool import DeciderEnded, Process, deciders
from ops.recorded import Stores
from ops.whatif.again import Changed, Totals
from ops.whatif.documents import Documents
from ops.whatif.parted import Parted
from ops.whatif.run import Found, decide_again
from ops.whatif.shards import Decider, one_by_one
from schemas.codec import encode_batch, encode_command
from schemas.ids import id_from
from schemas.journal import Batch
from tests.support import examples as x
from tests.unit.test_batch_properties import messages
from tests.unit.test_policy_replay import KINDS
from tests.unit.test_whatif import Late

NOW = x.day(100)
#: Members, and the shard of each: of up to three.
splits = st.lists(st.integers(0, 2), min_size=6, max_size=6)
seeds = st.integers(0, 10**9)
some = settings(max_examples=25, deadline=None, derandomize=True, database=None)


@pytest.fixture(scope="module")
def two() -> Iterator[Decider]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "cpu_count", lambda: 2)
        with deciders(3) as decide:
            yield decide


def load(seed: int, length: int = 40) -> dict[str, list[Message]]:
    """Commands of six members by member, as three pairs of them send."""
    found: dict[str, list[Message]] = {}
    for pair in range(3):
        for message in messages(seed + pair, length):
            command = read_command(message, 0, 1)
            if isinstance(command, Poison):
                continue
            name, command_id = f"{command.account_id}-{pair}", id_from(command.command_id, str(pair))
            value = encode_command(replace(command, account_id=name, command_id=command_id))
            found.setdefault(name, []).append(Message(message.offset, message.timestamp, name.encode(), value))
    return found


def stores_of(members: dict[str, list[Message]], split: Sequence[int], seed: int) -> Stores:
    """Each shard's members, their commands mixed by chance, in rows of ten."""
    events, journal, marks = MemoryEventStore(), MemoryJournal(), MemoryWatermarks()
    rng = random.Random(seed)
    for shard in range(3):
        queues = [list(members[name]) for name, where in zip(sorted(members), split, strict=True) if where == shard]
        stream = []
        while any(queues):
            stream.append(rng.choice([queue for queue in queues if queue]).pop(0))
        for position, decided in enumerate(rows_of(stream)):
            body = encode_batch(Batch(0, 0, tuple(one.entry for one in decided)))
            journal.append(Row(shard, position, UUID(int=1), 0, body))
            events.write([EventRow(e, b"", shard, position, 0) for one in decided for e in one.envelopes])
            marks.save(shard, Watermark(position, 0))
    return Stores(events, MemoryJournalHistory(journal, marks))


def rows_of(stream: list[Message]) -> list[tuple[Decided, ...]]:
    received = [Received(m, read_command(m, 0, 1)) for m in stream]
    names = {one.command.account_id for one in received if not isinstance(one.command, Poison)}
    decided = decide_batch(received, {name: initial() for name in names}, Timeline(KINDS[3]), 0).decided
    return [decided[start : start + 10] for start in range(0, len(decided), 10)]


def report(stores: Stores, policy: Policy, decide: Decider, wanted: set[str] | None = None) -> list[Found]:
    return list(decide_again(stores, range(3), Timeline(policy), NOW, wanted, decide=decide))


@some
@given(seeds, splits, st.sampled_from(KINDS), st.integers(0, 2))
def test_processes_give_the_same_in_the_same_order(
    two: Decider, seed: int, split: list[int], policy: Policy, lost: int
) -> None:
    """Also where the journal has lost its first rows, and accounts have to be asked for."""
    stores = stores_of(load(seed), split, seed)
    late = Stores(stores.events, Late(stores.journal, lost))
    for wanted in (None, {"member-1-0", "member-2-2"}):
        assert report(late, policy, two, wanted) == report(late, policy, one_by_one, wanted)


@some
@given(seeds, splits, st.sampled_from(KINDS))
def test_however_accounts_are_split_into_shards(two: Decider, seed: int, split: list[int], policy: Policy) -> None:
    members = load(seed)
    together, apart = (
        report(stores_of(members, one, seed), policy, decide) for one, decide in (([0] * 6, one_by_one), (split, two))
    )
    assert by_account(apart) == by_account(together)
    assert documents(apart) == documents(together)
    assert apart[-1] == together[-1]
    assert isinstance(apart[-1], Totals)


def by_account(found: Sequence[Found]) -> dict[tuple[str, str], list[object]]:
    """What differs of each account, in its order."""
    every: dict[tuple[str, str], list[object]] = {}
    for one in found:
        if isinstance(one, Changed):
            every.setdefault(("changed", one.command.account_id), []).append(one)
        elif isinstance(one, Parted):
            every.setdefault(("parted", one.account_id), []).append(one)
    return every


def documents(found: Sequence[Found]) -> Counter[str]:
    return Counter(repr(one) for one in found if isinstance(one, Documents))


def test_progress_is_what_is_decided(two: Decider) -> None:
    stores, told = stores_of(load(1), [0, 1, 2, 0, 1, 2], 1), list[tuple[int, int]]()
    list(decide_again(stores, range(3), Timeline(KINDS[3]), NOW, None, lambda *one: told.append(one), two))
    total = sum(len(stores.journal.kept(shard)) for shard in range(3))
    assert {each for _, each in told} == {total}
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert told[-1] == (total, total)


def test_small_rows_go_together_and_large_ones_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [Row(0, position, UUID(int=1), 0, b"x" * size) for position, size in enumerate([2, 2, 9, 1, 4, 1])]
    monkeypatch.setattr(pool, "_PIECE", 5)
    assert [[row.position for row in piece] for piece in pool._pieces(rows)] == [[0, 1, 2], [3, 4], [5]]


@pytest.fixture
def processes(monkeypatch: pytest.MonkeyPatch) -> list[Process]:
    """Those that are begun in the test."""
    found: list[Process] = []
    begin = Process.__enter__

    def noted(process: Process) -> Process:
        found.append(process)
        return begin(process)

    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    monkeypatch.setattr(Process, "__enter__", noted)
    return found


def gone(process: Process) -> bool:
    try:
        os.kill(process.pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_what_cannot_be_read_is_said_as_by_one_process(processes: list[Process]) -> None:
    good = stores_of(load(1), [0, 1, 2, 0, 1, 2], 1)
    stores = Stores(good.events, Broken(good.journal))
    sentences = []
    with deciders(3) as decide:
        for each in (decide, one_by_one):
            with pytest.raises(NotPrepared) as raised:
                report(stores, KINDS[3], each)
            sentences.append(str(raised.value))
    assert sentences[0] == sentences[1]
    assert sentences[0].startswith("journal row 1 of shard 1: ")
    assert len(processes) == 2
    assert all(map(gone, processes))


class Broken:
    """A journal with a row that nobody can read."""

    def __init__(self, journal: JournalHistory) -> None:
        self._journal = journal

    def kept(self, shard: int) -> range:
        return self._journal.kept(shard)

    def read(self, shard: int, positions: range) -> Iterator[Row]:
        for row in self._journal.read(shard, positions):
            yield replace(row, body=b"?") if (shard, row.position) == (1, 1) else row


def test_a_process_that_is_killed_is_said(processes: list[Process]) -> None:
    stores = stores_of(load(1), [0, 1, 2, 0, 1, 2], 1)
    with deciders(3) as decide:
        for process in processes:
            os.kill(process.pid, signal.SIGKILL)
        with pytest.raises(DeciderEnded, match="was ended by SIGKILL"):
            report(stores, KINDS[3], decide)
    assert all(map(gone, processes))


def test_they_end_when_the_block_is_left(processes: list[Process]) -> None:
    with deciders(3):
        assert not any(map(gone, processes))
    assert len(processes) == 2
    assert all(map(gone, processes))


@pytest.mark.parametrize(("cores", "shards", "wanted"), [(1, 3, None), (2, 1, None), (2, 3, {"ann"})])
def test_one_process_does_what_is_not_for_several(
    processes: list[Process], monkeypatch: pytest.MonkeyPatch, cores: int, shards: int, wanted: set[str] | None
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    with deciders(shards, wanted) as decide:
        assert decide is one_by_one
    assert processes == []
