"""What every journal does, whatever it is made of."""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import UUID, uuid4

import pytest

from commands.cassandra.tables import BUCKET
from commands.ports import Appended, Committed, Conflict, Journal, Row
from tests.contract.settled import WAIT, settled
from tests.support.examples import T0

#: Makes journals on one store, one for each owner of a shard.
Owners = Callable[[], Journal]
WRITER, OTHER = UUID(int=1), UUID(int=2)


def row(shard: int, position: int, *, writer: UUID = WRITER, at: int = T0, body: bytes = b"body") -> Row:
    return Row(shard, position, writer, at, body)


def append(journal: Journal, one: Row) -> Appended:
    """Append as an owner does."""
    return settled(lambda: journal.append(one))


class JournalContract:
    """Subclasses give a fixture `owner` that makes journals on one store."""

    @pytest.fixture
    def shard(self) -> int:
        """A shard that no other test uses."""
        return random.getrandbits(30)

    @pytest.fixture
    def journal(self, owner: Owners) -> Journal:
        return owner()

    def fill(self, journal: Journal, shard: int, count: int) -> list[Row]:
        rows = [row(shard, n, body=b"row %d" % n, at=T0 + n) for n in range(count)]
        assert [append(journal, one) for one in rows] == [Committed()] * count  # an owner appends one after the other
        return rows

    def test_a_new_shard_is_empty(self, journal: Journal, shard: int) -> None:
        assert list(journal.read(shard, 0)) == []
        assert list(journal.read(shard, BUCKET * 3 + 5)) == []

    def test_a_row_is_read_as_it_was_written(self, journal: Journal, shard: int) -> None:
        one = row(shard, 0, writer=uuid4(), at=T0 + 123, body=bytes(range(256)))
        assert append(journal, one) == Committed()
        assert list(journal.read(shard, 0)) == [one]

    @pytest.mark.parametrize("at", [0, 1, 999, T0 + 1, T0 + 999, 1_795_508_957_683, 4_102_444_799_999])
    def test_a_time_keeps_its_millisecond(self, journal: Journal, shard: int, at: int) -> None:
        append(journal, row(shard, 0, at=at))
        assert [one.at for one in journal.read(shard, 0)] == [at]

    def test_appending_the_same_row_again_is_committed(self, journal: Journal, shard: int) -> None:
        one = row(shard, 0)
        assert append(journal, one) == Committed()
        assert append(journal, row(shard, 0)) == Committed()
        assert list(journal.read(shard, 0)) == [one]

    @pytest.mark.parametrize("change", [{"writer": OTHER}, {"at": T0 + 1}, {"body": b"else"}, {"body": b""}])
    def test_another_row_is_a_conflict_with_the_one_that_is_there(
        self, journal: Journal, shard: int, change: dict[str, int | bytes]
    ) -> None:
        first = row(shard, 0)
        append(journal, first)
        assert append(journal, row(shard, 0, **change)) == Conflict(first)  # type: ignore[arg-type]
        assert list(journal.read(shard, 0)) == [first]

    def test_a_later_row_does_not_change_what_a_position_says(self, journal: Journal, shard: int) -> None:
        rows = self.fill(journal, shard, 3)
        assert append(journal, row(shard, 1, writer=OTHER)) == Conflict(rows[1])
        assert append(journal, rows[1]) == Committed()

    def test_rows_are_read_from_any_position_in_order(self, journal: Journal, shard: int) -> None:
        rows = self.fill(journal, shard, 40)
        for position in (0, 1, 15, 16, 17, 39, 40, 41):
            assert list(journal.read(shard, position)) == rows[position:]

    def test_reading_goes_on_in_the_next_bucket(self, journal: Journal, shard: int) -> None:
        rows = self.fill(journal, shard, 2 * BUCKET + 2)
        for position in (0, BUCKET - 2, BUCKET - 1, BUCKET, BUCKET + 1, BUCKET + 2, 2 * BUCKET - 1, 2 * BUCKET):
            assert list(journal.read(shard, position)) == rows[position:]

    def test_a_tail_at_the_end_of_a_bucket_is_the_tail(self, journal: Journal, shard: int) -> None:
        rows = self.fill(journal, shard, BUCKET)
        assert list(journal.read(shard, BUCKET - 2)) == rows[-2:]
        assert list(journal.read(shard, BUCKET)) == []
        following = row(shard, BUCKET)
        assert append(journal, following) == Committed()
        assert list(journal.read(shard, BUCKET - 2)) == [*rows[-2:], following]

    def test_shards_do_not_mix(self, journal: Journal, shard: int) -> None:
        rows = self.fill(journal, shard, 3)
        others = self.fill(journal, shard + 1, 5)
        assert list(journal.read(shard, 0)) == rows
        assert list(journal.read(shard + 1, 0)) == others

    @pytest.mark.parametrize("size", [0, 1, 65_537, 1 << 20, 2 << 20])
    def test_a_body_comes_back_byte_for_byte(self, journal: Journal, shard: int, size: int) -> None:
        one = row(shard, 0, body=random.Random(size).randbytes(size))
        assert append(journal, one) == Committed()
        assert append(journal, one) == Committed()
        assert list(journal.read(shard, 0)) == [one]

    def test_one_owner_sees_what_another_committed(self, owner: Owners, shard: int) -> None:
        rows = self.fill(owner(), shard, 2)
        assert list(owner().read(shard, 0)) == rows

    def test_of_many_at_one_position_one_wins_and_all_others_learn_which(self, owner: Owners, shard: int) -> None:
        contenders, rounds = 8, 5
        owners = [owner() for _ in range(contenders)]
        start = Barrier(contenders)

        def contend(number: int, position: int) -> tuple[Row, Appended]:
            mine = row(shard, position, writer=UUID(int=number), body=b"%d" % number)
            start.wait(WAIT)
            return mine, append(owners[number], mine)

        with ThreadPoolExecutor(contenders) as threads:
            for position in range(rounds):
                results = list(threads.map(contend, range(contenders), [position] * contenders))
                (winner,) = (mine for mine, result in results if result == Committed())
                assert {result for mine, result in results if mine != winner} == {Conflict(winner)}
                assert list(owners[0].read(shard, position)) == [winner]
