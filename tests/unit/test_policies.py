"""Which policy is in force when."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from commands import policies
from commands.policies import FOR_EVER, Timeline
from commands.policy import Policy
from tests.support.examples import POLICY, T0

A, B, C = (replace(POLICY, version=name, effective_from=T0 + n) for n, name in enumerate("abc"))


def in_force(timeline: Timeline, at: int) -> str | None:
    found = timeline.at(at)
    if found is None:
        return None
    assert found.since <= at < found.until
    return found.policy.version


def test_the_first_is_in_force_until_another_takes_effect() -> None:
    timeline = Timeline(POLICY, [C, A])
    found = [in_force(timeline, at) for at in (T0 - 10**12, T0 - 1, T0, T0 + 1, T0 + 2, T0 + 10**12)]
    assert found == ["test", "test", "a", "a", "c", "c"]


def test_of_two_for_the_same_time_the_one_published_later_counts() -> None:
    assert in_force(Timeline(POLICY, [A, replace(B, effective_from=T0)]), T0) == "b"


def test_nothing_is_said_of_times_that_are_not_known_yet() -> None:
    timeline = Timeline(POLICY, [A], known_until=T0 + 5)
    assert in_force(timeline, T0 + 4) == "a"
    assert timeline.at(T0 + 5) is None
    assert Timeline(POLICY, known_until=0).at(T0) is None
    found = timeline.at(T0)
    assert found is not None
    assert found.until == T0 + 5  # whoever keeps the answer does not keep it for longer


def test_nobody_has_to_wait_for_a_command_that_brokers_let_in() -> None:
    assert policies.COMMANDS_AHEAD < policies.KNOWN_AHEAD < policies.LEAD


@settings(deadline=None, derandomize=True, database=None)
@given(st.lists(st.integers(0, 20), max_size=8), st.integers(-2, 22))
def test_it_is_the_last_that_took_effect(times: list[int], at: int) -> None:
    every = [replace(POLICY, version=str(n), effective_from=time) for n, time in enumerate(times)]
    expected: Policy = POLICY
    for one in every:
        if one.effective_from <= at and (expected is POLICY or one.effective_from >= expected.effective_from):
            expected = one
    found = Timeline(POLICY, every, FOR_EVER).at(at)
    assert found is not None
    assert found.policy is expected
    assert found.since <= at < found.until
