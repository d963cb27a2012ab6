"""What every event store does, whatever it is made of. J1 to J11 are those of Pekko's journal TCK."""

from collections.abc import Iterator, Sequence
from itertools import islice
from uuid import uuid4

import pytest
from msgspec.structs import replace

from commands.account import DAY
from commands.ports import EventRow, EventStore, NotPrepared
from schemas.codec import encode_event
from schemas.events import Envelope
from tests.contract.settled import settled
from tests.support.examples import EVENT_EXAMPLES, T0, acquired, command_id, day, envelope, plan_set

WRITTEN = T0 + 5 * DAY


def history(account: str, count: int) -> list[Envelope]:
    """`count` events of an account; the examples of every kind come first."""
    known = [replace(one, account_id=account) for one in EVENT_EXAMPLES]
    more = (envelope(plan_set(f"p{n}"), n, account_id=account, at=day(9) + n) for n in range(len(known) + 1, count + 1))
    return [*known, *more][:count]


def row(one: Envelope, position: int = 0, *, payload: bytes | None = None, written_at: int = WRITTEN) -> EventRow:
    return EventRow(one, encode_event(one) if payload is None else payload, 3, position, written_at)


def write(store: EventStore, rows: Sequence[EventRow]) -> None:
    assert settled(lambda: store.write(rows)) is None


def versions(found: Iterator[Envelope]) -> list[int]:
    return [one.version for one in found]


class EventStoreContract:
    """Subclasses give a fixture `store`."""

    @pytest.fixture
    def account(self) -> str:
        """An account that no other test uses."""
        return f"member:{uuid4()}"

    @pytest.fixture
    def five(self, store: EventStore, account: str) -> list[Envelope]:
        """Events 1 to 5, the last two written together."""
        events = history(account, 5)
        for group in (events[:1], events[1:2], events[2:3], events[3:]):
            write(store, [row(one) for one in group])
        return events

    @pytest.mark.parametrize(
        ("after", "until", "limit", "expected"),
        [
            pytest.param(0, None, None, [1, 2, 3, 4, 5], id="J1 all"),
            pytest.param(2, None, None, [3, 4, 5], id="J2 from 3"),
            pytest.param(0, 3, None, [1, 2, 3], id="J3 to 3"),
            pytest.param(0, None, 3, [1, 2, 3], id="J4 three of them"),
            pytest.param(1, 3, None, [2, 3], id="J5 2 to 3"),
            pytest.param(1, 5, 2, [2, 3], id="J6 two from 2 to 5"),
            pytest.param(1, 2, None, [2], id="J7 2 to 2"),
            pytest.param(1, 4, 1, [2], id="J8 one from 2 to 4"),
            pytest.param(0, None, 0, [], id="J9 none of them"),
            pytest.param(2, 2, None, [], id="J10 from 3 to 2"),
            pytest.param(4, 1, None, [], id="from 5 to 1"),
            pytest.param(5, None, None, [], id="after the last"),
            pytest.param(0, 99, None, [1, 2, 3, 4, 5], id="beyond the last"),
            pytest.param(0, 0, None, [], id="to 0"),
        ],
    )
    def test_a_range_is_read_in_order(
        self,
        store: EventStore,
        account: str,
        five: list[Envelope],
        after: int,
        until: int | None,
        limit: int | None,
        expected: list[int],
    ) -> None:
        found = list(islice(store.read(account, after, until), limit))
        assert found == [five[version - 1] for version in expected]

    def test_j11_an_unknown_account_has_no_events(self, store: EventStore, account: str) -> None:
        assert list(store.read(account)) == []
        assert list(store.read(account, 3, 9)) == []
        assert store.read_many([(account, 0)]) == {account: ()}

    def test_j16_every_kind_of_event_comes_back_as_it_was(self, store: EventStore, account: str) -> None:
        events = history(account, len(EVENT_EXAMPLES))
        write(store, [row(one) for one in events])
        assert list(store.read(account)) == events
        assert store.read_many([(account, 0)]) == {account: tuple(events)}

    def test_j17_its_envelope_comes_back_too(self, store: EventStore, account: str) -> None:
        one = Envelope(str(uuid4()), account, 1, T0 + 123, command_id(7), "visit \u2603 7", acquired("дом", "千と千尋"))
        write(store, [row(one)])
        assert list(store.read(account)) == [one]

    def test_writing_nothing_is_nothing(self, store: EventStore, account: str) -> None:
        write(store, [])
        assert list(store.read(account)) == []

    def test_writing_again_changes_nothing(self, store: EventStore, account: str, five: list[Envelope]) -> None:
        for again in (five, five[2:], five[::-1], [five[3]] * 3):
            write(store, [row(one) for one in again])
            assert list(store.read(account)) == five

    def test_rows_may_be_written_in_any_order(self, store: EventStore, account: str) -> None:
        events = history(account, 30)
        write(store, [row(one) for one in events[::-1]])
        assert list(store.read(account)) == events

    def test_one_write_may_hold_many_accounts(self, store: EventStore, account: str) -> None:
        histories = {f"{account}.{n}": history(f"{account}.{n}", 1 + n % 7) for n in range(60)}
        write(store, [row(one) for events in histories.values() for one in events])
        for name, events in histories.items():
            assert list(store.read(name)) == events

    def test_accounts_whose_names_are_alike_do_not_mix(self, store: EventStore, account: str) -> None:
        names = [account, f"{account}.", f"{account}1", account.upper(), f"a{account}"]
        for n, name in enumerate(names):
            write(store, [row(one) for one in history(name, n + 1)])
        for n, name in enumerate(names):
            assert list(store.read(name)) == history(name, n + 1)

    def test_a_long_history_is_read_page_by_page(self, store: EventStore, account: str) -> None:
        events = history(account, 6000)
        for start in range(0, 6000, 1000):
            write(store, [row(one) for one in events[start : start + 1000]])
        assert versions(store.read(account)) == list(range(1, 6001))
        assert versions(store.read(account, 4990, 5010)) == list(range(4991, 5011))
        assert versions(store.read(account, 100, 5990)) == list(range(101, 5991))
        many = store.read_many([(account, 0)])
        assert many == {account: tuple(events)}

    def test_many_accounts_are_read_at_once_and_each_from_its_own_version(
        self, store: EventStore, account: str
    ) -> None:
        known = {f"{account}.{n}": history(f"{account}.{n}", 1 + n % 5) for n in range(250)}
        write(store, [row(one) for events in known.values() for one in events])
        wanted = [(name, n % 4) for n, name in enumerate(known)] + [(f"{account}.no.{n}", n % 2) for n in range(50)]
        found = store.read_many(iter(wanted))
        assert set(found) == {name for name, _ in wanted}
        for name, after in wanted:
            assert found[name] == tuple(known.get(name, ())[after:])

    def test_no_accounts_are_nothing(self, store: EventStore) -> None:
        assert store.read_many([]) == {}

    def test_what_was_committed_later_can_be_left_out(self, store: EventStore, account: str) -> None:
        events = history(account, 6)
        write(store, [row(one, position) for one, position in zip(events, (4, 4, 5, 7, 7, 9), strict=True)])
        for below, count in ((0, 0), (4, 0), (5, 2), (6, 3), (7, 3), (8, 5), (9, 5), (10, 6), (1 << 40, 6)):
            assert store.read_many([(account, 0)], below) == {account: tuple(events[:count])}
        assert store.read_many([(account, 1)], 6) == {account: tuple(events[1:3])}
        assert store.read_many([(account, 0)]) == {account: tuple(events)}

    def test_what_would_be_left_out_must_be_of_the_same_shard(self, store: EventStore, account: str) -> None:
        events = history(account, 2)
        write(store, [row(one, position) for one, position in zip(events, (4, 7), strict=True)])
        home = row(events[0]).shard
        assert store.read_many([(account, 0)], 5, home) == {account: tuple(events[:1])}
        assert store.read_many([(account, 0)], 8, home + 1) == {account: tuple(events)}
        for after in (0, 1):
            with pytest.raises(NotPrepared, match=f"account {account} has events of partition {home}, and is on"):
                store.read_many([(f"{account}.new", 0), (account, after)], 5, home + 1)

    def test_large_events_fit(self, store: EventStore, account: str) -> None:
        events = [envelope(acquired("d" * 3000, f"{n}" * 2000), n, account_id=account) for n in range(1, 9)]
        write(store, [row(one) for one in events])
        assert list(store.read(account)) == events
