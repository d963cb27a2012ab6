"""Loading accounts from snapshots and events, and keeping the ones used last at hand."""

import pytest

from commands.account import Account, fold, initial
from commands.accounts import AccountCache, BrokenHistory, extend, load
from commands.memory import MemoryEventStore, MemorySnapshots
from commands.ports import EventRow
from schemas.codec import encode_event
from schemas.events import Envelope
from tests.support.examples import EVENT_EXAMPLES, acquired, day, envelope, plan_set, released

ALL = 1 << 40  # a journal position that none of these has reached
HISTORY = (
    envelope(plan_set(), 1),
    envelope(acquired(), 2),
    envelope(acquired("tv"), 3, at=day(1)),
    envelope(released("tv"), 4, at=day(2)),
)


def stored(*envelopes: Envelope) -> MemoryEventStore:
    store = MemoryEventStore()
    store.write([EventRow(one, encode_event(one), 0, 0, 0) for one in envelopes])
    return store


def test_an_unknown_account_is_a_new_one() -> None:
    assert load(["nobody"], ALL, MemoryEventStore(), MemorySnapshots()) == {"nobody": initial()}
    assert load([], ALL, MemoryEventStore(), MemorySnapshots()) == {}


@pytest.mark.parametrize("version", range(len(HISTORY) + 1))
def test_a_snapshot_anywhere_gives_the_whole_fold(version: int) -> None:
    snapshots = MemorySnapshots()
    if version:
        snapshots.save("member-1", fold(initial(), HISTORY[:version]))
    assert load(["member-1"], ALL, stored(*HISTORY), snapshots) == {"member-1": fold(initial(), HISTORY)}


def test_of_several_snapshots_the_newest_counts() -> None:
    snapshots = MemorySnapshots()
    for version in (3, 1, 2):
        snapshots.save("member-1", fold(initial(), HISTORY[:version]))
    assert load(["member-1"], ALL, stored(HISTORY[3]), snapshots) == {"member-1": fold(initial(), HISTORY)}


def test_accounts_do_not_mix() -> None:
    other = envelope(plan_set("basic"), 1, account_id="member-2")
    accounts = load(["member-2", "member-1"], ALL, stored(*HISTORY, other), MemorySnapshots())
    assert accounts == {"member-1": fold(initial(), HISTORY), "member-2": fold(initial(), [other])}


def test_what_is_loaded_is_nobody_elses() -> None:
    snapshots = MemorySnapshots()
    snapshots.save("member-1", fold(initial(), HISTORY[:2]))
    load(["member-1"], ALL, stored(*HISTORY), snapshots)
    assert snapshots.latest(["member-1"]) == {"member-1": fold(initial(), HISTORY[:2])}


@pytest.mark.parametrize("missing", range(len(HISTORY) - 1))
def test_a_gap_in_a_history_is_never_decided_on(missing: int) -> None:
    kept = [one for one in HISTORY if one.version != missing + 1]
    with pytest.raises(BrokenHistory, match=f"account member-1: version {missing + 1} is missing"):
        load(["member-1"], ALL, stored(*kept), MemorySnapshots())


def test_events_known_already_are_passed_over() -> None:
    state = extend(fold(initial(), HISTORY[:3]), HISTORY)
    assert extend(state, HISTORY * 2) == fold(initial(), HISTORY)


def test_a_cache_holds_the_accounts_used_last() -> None:
    cache = AccountCache(2)
    a, b, c = (Account(version=n) for n in (1, 2, 3))
    cache.put(0, {"a": a, "b": b})
    assert cache.get("a") is a  # now b is the longest unused
    cache.put(0, {"c": c})
    assert (cache.get("a"), cache.get("b"), cache.get("c")) == (a, None, c)


def test_putting_an_account_again_is_using_it() -> None:
    cache = AccountCache(2)
    cache.put(0, {"a": Account(version=1), "b": Account()})
    cache.put(0, {"a": Account(version=2)})
    cache.put(0, {"c": Account()})
    assert cache.get("b") is None
    assert cache.get("a") == Account(version=2)


def test_more_than_fits_at_once_leaves_the_last_ones() -> None:
    cache = AccountCache(3)
    cache.put(0, {str(n): Account(version=n) for n in range(10)})
    assert [n for n in range(10) if cache.get(str(n)) is not None] == [7, 8, 9]


def test_a_shard_that_leaves_takes_its_accounts_along() -> None:
    cache = AccountCache(10)
    cache.put(0, {"a": Account()})
    cache.put(1, {"b": Account()})
    cache.drop(0)
    cache.drop(7)
    assert cache.get("a") is None
    assert cache.get("b") is not None


def test_the_examples_are_one_history() -> None:
    assert extend(initial(), EVENT_EXAMPLES).version == len(EVENT_EXAMPLES)


def test_what_the_journal_committed_later_is_not_in_an_account_as_of_a_position() -> None:
    store = MemoryEventStore()
    store.write([EventRow(one, encode_event(one), 0, one.version * 10, 0) for one in HISTORY])
    for below, known in ((10, 0), (11, 1), (30, 2), (31, 3), (41, 4)):
        assert load(["member-1"], below, store, MemorySnapshots()) == {"member-1": fold(initial(), HISTORY[:known])}


def test_a_hole_above_that_position_is_the_journals_to_fill() -> None:
    store = MemoryEventStore()
    rows = [EventRow(one, encode_event(one), 0, one.version, 0) for one in HISTORY]
    store.write([rows[0], rows[1], rows[3]])
    assert load(["member-1"], 3, store, MemorySnapshots()) == {"member-1": fold(initial(), HISTORY[:2])}
    with pytest.raises(BrokenHistory):
        load(["member-1"], 5, store, MemorySnapshots())
