"""What every history of a journal does, whatever it is made of."""

import random
from collections.abc import Callable

import pytest

from commands.cassandra.tables import BUCKET
from commands.ports import JournalHistory, Row, RowLost
from tests.contract.journal_contract import row

#: Appends rows to a journal and follows up so many of a shard.
Fill = Callable[[list[Row], int], None]


def rows_of(shard: int, count: int) -> list[Row]:
    return [row(shard, n, body=b"row %d" % n) for n in range(count)]


class JournalHistoryContract:
    """Subclasses give fixtures `history` and `fill`."""

    @pytest.fixture
    def shard(self) -> int:
        """A shard that no other test uses."""
        return random.getrandbits(30)

    def test_a_new_shard_has_none(self, history: JournalHistory, shard: int) -> None:
        assert not history.kept(shard)
        assert list(history.read(shard, range(0))) == []

    def test_what_is_not_followed_up_is_no_history_yet(self, history: JournalHistory, fill: Fill, shard: int) -> None:
        fill(rows_of(shard, 3), 0)
        assert not history.kept(shard)
        fill(rows_of(shard + 1, 3), 2)
        assert history.kept(shard + 1) == range(2)

    def test_rows_come_in_order_from_any_position_to_any(self, history: JournalHistory, fill: Fill, shard: int) -> None:
        rows = rows_of(shard, 2 * BUCKET + 5)
        fill(rows, len(rows))
        assert history.kept(shard) == range(len(rows))
        for start in (0, 1, 7, 8, 9, BUCKET - 1, BUCKET, 2 * BUCKET):
            for stop in (start, start + 1, start + 8, start + BUCKET, len(rows)):
                assert list(history.read(shard, range(start, min(stop, len(rows))))) == rows[start:stop]

    def test_a_row_that_is_not_there_is_said(self, history: JournalHistory, fill: Fill, shard: int) -> None:
        fill(rows_of(shard, 3), 3)
        with pytest.raises(RowLost, match=f"the journal of shard {shard} has no row 3"):
            list(history.read(shard, range(1, 9)))
