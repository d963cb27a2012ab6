"""What every place for watermarks does, whatever it is made of."""

import random

import pytest

from commands.ports import Watermark, Watermarks
from tests.contract.settled import WAIT, settled


def save(marks: Watermarks, shard: int, mark: Watermark) -> None:
    assert settled(lambda: marks.save(shard, mark)) is None


class WatermarksContract:
    """Subclasses give a fixture `marks`."""

    @pytest.fixture
    def shard(self) -> int:
        """A shard that no other test uses."""
        return random.getrandbits(30)

    def test_a_new_shard_has_none(self, marks: Watermarks, shard: int) -> None:
        assert marks.load(shard) is None

    def test_the_first_row_can_be_marked(self, marks: Watermarks, shard: int) -> None:
        save(marks, shard, Watermark(0, 0))
        assert marks.load(shard) == Watermark(0, 0)

    def test_a_later_one_replaces_it(self, marks: Watermarks, shard: int) -> None:
        for mark in (Watermark(0, 5), Watermark(1, 9), Watermark(1 << 40, 1 << 50)):
            save(marks, shard, mark)
            assert marks.load(shard) == mark

    def test_saving_it_again_changes_nothing(self, marks: Watermarks, shard: int) -> None:
        for _ in range(3):
            save(marks, shard, Watermark(4, 17))
        assert marks.load(shard) == Watermark(4, 17)

    @pytest.mark.parametrize("late", [0, 1, 6, 7])
    def test_a_late_owner_does_not_take_it_back(self, marks: Watermarks, shard: int, late: int) -> None:
        save(marks, shard, Watermark(8, 100))
        save(marks, shard, Watermark(late, 3))
        assert marks.load(shard) == Watermark(8, 100)
        save(marks, shard, Watermark(9, 101))
        assert marks.load(shard) == Watermark(9, 101)

    def test_many_at_once_leave_the_latest_whole(self, marks: Watermarks, shard: int) -> None:
        all_marks = [Watermark(position, 1000 + position) for position in range(64)]
        random.Random(3).shuffle(all_marks)
        for future in [marks.save(shard, mark) for mark in all_marks]:
            future.result(WAIT)
        assert marks.load(shard) == Watermark(63, 1063)

    def test_shards_do_not_mix(self, marks: Watermarks, shard: int) -> None:
        save(marks, shard, Watermark(1, 2))
        save(marks, shard + 1, Watermark(3, 4))
        assert (marks.load(shard), marks.load(shard + 1)) == (Watermark(1, 2), Watermark(3, 4))
