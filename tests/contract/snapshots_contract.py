"""What every place for snapshots does, whatever it is made of. S1, S4, S10 to S12 are those of Pekko's TCK."""

from uuid import uuid4

import pytest

from commands.account import REMEMBERED, Account, License, fold, initial
from commands.ports import SnapshotHistory, Snapshots
from tests.contract.settled import WAIT, settled
from tests.support.examples import EVENT_EXAMPLES, T0, command_id, day


def state(version: int = 1, plan: str = "basic") -> Account:
    return Account(version=version, at=T0 + version, plan=plan)


def save(snapshots: Snapshots, account: str, kept: Account) -> None:
    assert settled(lambda: snapshots.save(account, kept)) is None


class SnapshotsContract:
    """Subclasses give a fixture `snapshots`."""

    @pytest.fixture
    def account(self) -> str:
        """An account that no other test uses."""
        return f"member:{uuid4()}"

    def test_s1_an_unknown_account_has_none(self, snapshots: Snapshots, account: str) -> None:
        assert snapshots.latest([account]) == {}
        assert snapshots.latest([]) == {}

    def test_s4_the_latest_counts_in_whatever_order_they_came(self, snapshots: Snapshots, account: str) -> None:
        for version in (13, 15, 11, 14, 12):
            save(snapshots, account, state(version))
        assert snapshots.latest([account]) == {account: state(15)}

    def test_s10_the_same_version_again_overwrites(self, snapshots: Snapshots, account: str) -> None:
        save(snapshots, account, state(7, "basic"))
        save(snapshots, account, state(7, "premium"))
        assert snapshots.latest([account]) == {account: state(7, "premium")}

    def test_s11_a_big_one_fits(self, snapshots: Snapshots, account: str) -> None:
        big = Account(
            version=123_456,
            at=T0,
            plan="premium",
            devices={
                f"device-{d}": {f"title-{t}": License(command_id(t), day(30), t % 5, t % 2 == 0) for t in range(100)}
                for d in range(10)
            },
            acquired={f"title-{t}": tuple(day(n) for n in range(20)) for t in range(100)},
            answered={command_id(n): (n, n + 1) for n in range(REMEMBERED)},
        )
        save(snapshots, account, big)
        found = snapshots.latest([account])[account]
        assert found == big
        assert list(found.answered) == list(big.answered)  # the oldest is forgotten first

    @pytest.mark.parametrize("length", range(len(EVENT_EXAMPLES) + 1))
    def test_s12_every_state_comes_back_as_it_was(self, snapshots: Snapshots, account: str, length: int) -> None:
        kept = fold(initial(), EVENT_EXAMPLES[:length])
        save(snapshots, account, kept)
        assert snapshots.latest([account]) == {account: kept}

    def test_texts_in_any_script_come_back(self, snapshots: Snapshots, account: str) -> None:
        kept = Account(3, T0, 'a "plan"\\\n', {"дом": {"千と千尋": License("l", day(1), 2, True, True)}})
        save(snapshots, account, kept)
        assert snapshots.latest([account]) == {account: kept}

    def test_what_was_saved_does_not_change_with_the_account(self, snapshots: Snapshots, account: str) -> None:
        kept = fold(initial(), EVENT_EXAMPLES[:2])
        save(snapshots, account, kept)
        for changed in (kept, snapshots.latest([account])[account]):
            changed.plan = "other"
            changed.devices["tablet"].clear()
            changed.answered.clear()
        assert snapshots.latest([account]) == {account: fold(initial(), EVENT_EXAMPLES[:2])}

    def test_as_of_is_the_newest_that_is_not_after_a_version_and_a_time(
        self, snapshots: Snapshots, account: str
    ) -> None:
        for version in (13, 15, 11):
            save(snapshots, account, state(version))
        save(snapshots, f"{account}.other", state(12))
        expected: dict[int, int | None] = {10: None, 11: 11, 12: 11, 13: 13, 14: 13, 15: 15, 99: 15}
        for until, newest in expected.items():
            found = None if newest is None else state(newest)
            assert snapshots.as_of(account, version=until) == found
            assert snapshots.as_of(account, at=T0 + until) == found
            assert snapshots.as_of(account, until, T0 + 99) == found
            assert snapshots.as_of(account, 99, T0 + until) == found
        assert snapshots.as_of(account) == state(15)
        assert snapshots.as_of(account, 14, T0 + 12) == state(11)
        assert snapshots.as_of(f"{account}.none") is None

    def test_a_state_as_of_a_version_is_the_readers_own(self, snapshots: Snapshots, account: str) -> None:
        kept = fold(initial(), EVENT_EXAMPLES[:2])
        save(snapshots, account, kept)
        for _ in range(2):
            found = snapshots.as_of(account)
            assert found == fold(initial(), EVENT_EXAMPLES[:2])
            found.devices.clear()

    def test_many_are_read_at_once_and_who_has_none_is_left_out(self, snapshots: Snapshots, account: str) -> None:
        kept = {f"{account}.{n}": state(n + 1) for n in range(200)}
        for future in [snapshots.save(name, one) for name, one in kept.items()]:
            future.result(WAIT)
        names = [*kept, *(f"{account}.no.{n}" for n in range(100))]
        assert snapshots.latest(iter(names)) == kept

    def test_all_that_are_kept_come_newest_first(self, snapshots: Snapshots, account: str) -> None:
        for version in (2, 100, 30):
            save(snapshots, account, state(version))
        assert isinstance(snapshots, SnapshotHistory)
        assert snapshots.kept([account, "nobody"]) == {account: [state(100), state(30), state(2)]}
