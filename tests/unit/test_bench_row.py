"""A line of the benchmark: its spreads, its ratios run by run, and the bars that it meets."""

from math import nan
from typing import Literal

import pytest

from ops.bench.ground import Size
from ops.bench.row import Line, Spread


def a_line(
    *pairs: tuple[float, float],
    better: Literal["higher", "lower"] = "higher",
    limit: float | None = 1.5,
    goal: float | None = 2.0,
    beside: str = "a peer",
) -> Line:
    return Line("work", beside, "works/s", pairs, better, limit, goal)


def test_the_ratio_is_taken_run_by_run() -> None:
    line = a_line((10, 5), (30, 10), (12, 12))
    assert line.ours == Spread(10, 12, 30)
    assert line.theirs == Spread(5, 10, 12)
    assert line.ratio == Spread(1, 2, 3)


def test_an_even_number_of_runs_has_its_median_between_two() -> None:
    assert Spread.of([1, 2, 4, 8]) == Spread(1, 3, 8)


@pytest.mark.parametrize(
    ("better", "ratio", "limit", "goal"),
    [
        ("higher", 1.4, False, False),
        ("higher", 1.5, True, False),
        ("higher", 2.0, True, True),
        ("lower", 1.4, True, True),
        ("lower", 1.6, False, True),
        ("lower", 2.1, False, False),
    ],
)
def test_the_median_ratio_meets_a_bar_or_not(
    better: Literal["higher", "lower"], ratio: float, limit: bool, goal: bool
) -> None:
    line = a_line((ratio, 1), (9, 1), (0, 1), better=better)
    assert (line.meets(line.limit), line.meets(line.goal)) == (limit, goal)


def test_without_a_peer_there_is_no_ratio_and_no_bar_to_meet() -> None:
    line = a_line((10, nan), (20, nan), beside="", limit=None, goal=None)
    assert line.ours == Spread(10, 15, 20)
    assert line.theirs is None
    assert line.ratio is None
    assert line.meets(line.limit) is None
    assert line.meets(2.0) is None


def test_a_size_is_short_or_full_or_a_share() -> None:
    assert Size().pick(100, 1000) == 100
    assert Size(full=True).pick(100, 1000) == 1000
    assert Size(share=0.05).pick(100, 1000) == 5
    assert Size(share=0.0001).pick(100, 1000) == 1
