"""Acquiring: what a device may take, where the plan, the device, the title and the year set limits."""

from dataclasses import replace

import pytest

from commands.account import YEAR
from commands.policy_file import load_policy
from tests.support.account_spec import Given, at, given
from tests.support.examples import (
    POLICY,
    acquire,
    acquired,
    command_id,
    day,
    license_of,
    plan_changed,
    plan_set,
    release,
    released,
    renew,
    renewed,
    set_plan,
)


def holding(plan: str, *devices: str) -> Given:
    """An account on a plan whose devices hold a licence each, from day 0 until day 30."""
    return given(plan_set(plan), *(acquired(device) for device in devices))


def test_a_license_lasts_thirty_days() -> None:
    given(plan_set()).when(acquire(), at=day(3)).then(acquired(until=day(33)))


def test_a_title_may_say_another_duration() -> None:
    given(plan_set()).when(acquire(title="short"), at=day(3)).then(acquired(title="short", until=day(10)))


@pytest.mark.parametrize(
    ("when", "until"),
    [(day(9), day(39)), (day(10), day(40)), (day(10) + 1, day(40)), (day(40) - 1, day(40))],
    ids=["well before", "exactly fits", "capped by a millisecond", "the last millisecond"],
)
def test_no_license_reaches_beyond_the_titles_end(when: int, until: int) -> None:
    given(plan_set()).when(acquire(title="leaving"), at=when).then(acquired(title="leaving", until=until))


@pytest.mark.parametrize("when", [day(40), day(40) + 1, day(400)])
def test_a_title_that_has_left_is_unavailable(when: int) -> None:
    given(plan_set()).when(acquire(title="leaving"), at=when).then("title_unavailable")


def test_without_a_plan_nothing_is_acquired() -> None:
    given().when(acquire()).then("no_plan")


def test_a_plan_that_the_policy_no_longer_has_grants_nothing() -> None:
    gone = replace(POLICY, plans={"basic": 1})
    given(plan_set("standard")).under(gone).when(acquire()).then("unknown_plan")


def test_what_the_device_holds_actively_is_not_acquired_again() -> None:
    story = given(plan_set()).when(acquire()).then(acquired(until=day(30)))
    story = story.when(acquire(), at=day(1)).then()
    story = story.when(acquire(command_id=command_id(2)), at=day(2)).then()
    story.when(acquire(command_id=command_id(3)), at=day(30) - 1).then()


def test_holding_it_already_comes_before_every_limit() -> None:
    given(acquired(title="never", until=day(30))).when(acquire(title="never"), at=day(1)).then()


def test_exactly_at_its_end_a_license_is_over_and_the_next_one_has_its_own_id() -> None:
    second = command_id(2)
    story = given(plan_set(), acquired(until=day(30)))
    story.when(acquire(command_id=second), at=day(30)).then(acquired(until=day(60), license_id=license_of(second)))


def test_after_a_release_the_next_license_has_its_own_id() -> None:
    second = command_id(2)
    story = given(plan_set(), acquired(), at(day(1), released()))
    story.when(acquire(command_id=second)).then(acquired(until=day(31), license_id=license_of(second)))


@pytest.mark.parametrize(("plan", "limit"), [("basic", 1), ("standard", 2), ("premium", 6)])
def test_a_plan_limits_the_devices_that_hold_downloads(plan: str, limit: int) -> None:
    devices = [f"d{n}" for n in range(limit)]
    holding(plan, *devices[1:]).when(acquire(devices[0])).then(acquired(devices[0]))
    holding(plan, *devices).when(acquire("one-more")).then("device_limit")
    holding(plan, *devices).when(acquire(devices[-1], "another")).then(acquired(devices[-1], "another"))


def test_an_expired_license_frees_its_place_exactly_at_its_end() -> None:
    story = holding("basic", "old")
    story.when(acquire("new"), at=day(30) - 1).then("device_limit")
    story.when(acquire("new"), at=day(30)).then(acquired("new", until=day(60)))


def test_a_released_license_frees_its_place_once_the_device_holds_no_other() -> None:
    story = holding("basic", "old").and_given(acquired("old", "second"))
    story = story.when(release("old")).then(released("old"))
    story = story.when(acquire("new")).then("device_limit")
    story = story.when(release("old", "second")).then(released("old", "second"))
    story.when(acquire("new")).then(acquired("new"))


def test_a_downgrade_takes_nothing_away_but_lets_no_device_in() -> None:
    story = holding("premium", "a", "b", "c").when(set_plan("basic")).then(plan_changed("basic", "premium"))
    story.when(acquire("d")).then("device_limit")
    story.when(acquire("a", "another")).then(acquired("a", "another"))
    story.when(renew("b"), at=day(1)).then(renewed("b", until=day(31)))
    story.and_given(released("b"), released("c")).when(acquire("b")).then("device_limit")
    story.and_given(released("a"), released("b"), released("c")).when(acquire("b")).then(acquired("b"))


def test_a_device_holds_a_hundred_active_licenses() -> None:
    story = given(plan_set("basic"), *(acquired(title=f"t{n}") for n in range(99)))
    story = story.when(acquire(title="the hundredth")).then(acquired(title="the hundredth"))
    story.when(acquire(title="one more")).then("device_download_limit")
    story.and_given(released(title="t7")).when(acquire(title="one more")).then(acquired(title="one more"))
    story.when(acquire(title="one more"), at=day(30)).then(acquired(title="one more", until=day(60)))


def test_each_device_has_its_own_hundred() -> None:
    story = given(plan_set("standard"), *(acquired("full", f"t{n}") for n in range(100)))
    story.when(acquire("other")).then(acquired("other"))


def test_a_title_may_limit_acquisitions_in_any_365_days() -> None:
    rare = [at(day(n), acquired(f"d{n}", "rare", until=day(n) + 1), released(f"d{n}", "rare")) for n in (0, 1, 2)]
    story = given(plan_set()).and_given(*rare)
    story.when(acquire(title="rare"), at=day(0) + YEAR - 1).then("yearly_title_limit")
    story = story.when(acquire(title="rare"), at=day(0) + YEAR).then(acquired(title="rare", until=day(395)))
    story.when(acquire("other", "rare"), at=day(1) + YEAR - 1).then("yearly_title_limit")
    story.when(acquire("other", "rare"), at=day(1) + YEAR).then(acquired("other", "rare", until=day(396)))


def test_the_third_of_three_is_granted_and_the_fourth_refused() -> None:
    story = given(plan_set("premium"), acquired("a", "rare"), acquired("b", "rare"))
    story = story.when(acquire("c", "rare")).then(acquired("c", "rare"))
    story.when(acquire("d", "rare")).then("yearly_title_limit")
    story.when(acquire("d")).then(acquired("d"))


def test_a_limit_of_none_a_year_grants_none() -> None:
    given(plan_set()).when(acquire(title="never")).then("yearly_title_limit")


def test_renewals_do_not_count_as_acquisitions() -> None:
    story = given(plan_set("premium"), acquired("a", "rare"), acquired("b", "rare"))
    story = story.when(renew("a", "rare"), at=day(1)).then(renewed("a", "rare", until=day(31)))
    story.when(acquire("c", "rare")).then(acquired("c", "rare", until=day(31)))


def test_the_shipped_policy_has_the_numbers_of_these_tests() -> None:
    shipped = load_policy()
    assert (shipped.plans, shipped.device_downloads, shipped.renewal_grace, shipped.defaults) == (
        POLICY.plans,
        POLICY.device_downloads,
        POLICY.renewal_grace,
        POLICY.defaults,
    )
    assert shipped.terms("spirited-away-2001").playback_window == POLICY.terms("windowed").playback_window
