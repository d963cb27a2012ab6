"""Renewing: from the time of renewal, so many times, up to seven days after the end."""

from dataclasses import replace

import pytest

from commands.account import DAY
from tests.support.account_spec import at, given
from tests.support.examples import (
    POLICY,
    acquire,
    acquired,
    command_id,
    completed,
    day,
    deactivated,
    plan_set,
    play,
    played,
    released,
    renew,
    renewed,
)


def test_a_renewal_extends_from_the_time_of_renewal() -> None:
    given(plan_set(), acquired()).when(renew(), at=day(12)).then(renewed(until=day(42)))


def test_a_titles_own_duration_holds_for_its_renewal() -> None:
    story = given(plan_set(), acquired(title="short", until=day(7)))
    story.when(renew(title="short"), at=day(5)).then(renewed(title="short", until=day(12)))


@pytest.mark.parametrize("when", [day(30) - 1, day(30), day(37) - 1])
def test_it_is_possible_until_the_grace_is_over(when: int) -> None:
    given(plan_set(), acquired()).when(renew(), at=when).then(renewed(until=when + 30 * DAY))


@pytest.mark.parametrize("when", [day(37), day(37) + 1, day(300)])
def test_exactly_at_the_end_of_the_grace_it_is_too_late(when: int) -> None:
    given(plan_set(), acquired()).when(renew(), at=when).then("license_expired")


def test_without_a_grace_the_end_is_the_end() -> None:
    story = given(plan_set(), acquired()).under(replace(POLICY, renewal_grace=0))
    story.when(renew(), at=day(30) - 1).then(renewed(until=day(60) - 1))
    story.when(renew(), at=day(30)).then("license_expired")


def test_what_is_not_held_is_not_renewed() -> None:
    given(plan_set()).when(renew()).then("no_license")
    given(plan_set(), acquired(), released()).when(renew()).then("no_license")
    given(plan_set(), acquired(), deactivated()).when(renew()).then("no_license")
    given(plan_set(), acquired()).when(renew("other")).then("no_license")
    given(plan_set(), acquired()).when(renew(title="other")).then("no_license")


def test_a_license_is_renewed_as_often_as_its_title_says() -> None:
    story = given(plan_set(), acquired())
    for times in range(1, 6):
        story = story.when(renew(command_id=command_id(times)), at=day(times)).then(
            renewed(until=day(30 + times), times=times)
        )
    story.when(renew(), at=day(6)).then("renewal_limit")
    once = given(plan_set(), acquired(title="short", until=day(7)), renewed(title="short", until=day(7)))
    once.when(renew(title="short")).then("renewal_limit")


def test_a_new_license_has_all_its_renewals() -> None:
    story = given(plan_set(), acquired(title="short", until=day(7)), renewed(title="short", until=day(7)))
    story = story.when(acquire(title="short"), at=day(7)).then(acquired(title="short", until=day(14)))
    story.when(renew(title="short"), at=day(8)).then(renewed(title="short", until=day(15)))


def test_a_renewal_reaches_to_the_titles_end_and_not_beyond() -> None:
    story = given(plan_set(), acquired(title="leaving"))
    story.when(renew(title="leaving"), at=day(10)).then(renewed(title="leaving", until=day(40)))
    story.when(renew(title="leaving"), at=day(25)).then(renewed(title="leaving", until=day(40)))
    story.when(renew(title="leaving"), at=day(36)).then(renewed(title="leaving", until=day(40)))


def test_a_title_that_has_left_is_not_renewed_even_in_the_grace() -> None:
    story = given(plan_set(), acquired(title="leaving", until=day(40)))
    story.when(renew(title="leaving"), at=day(40) - 1).then(renewed(title="leaving", until=day(40)))
    story.when(renew(title="leaving"), at=day(40)).then("title_unavailable")


def test_an_ended_license_takes_its_place_again_only_if_there_is_one() -> None:
    story = given(plan_set("basic"), acquired("old"), at(day(31), acquired("new", until=day(61))))
    story.when(renew("old")).then("device_limit")
    story.and_given(released("new")).when(renew("old")).then(renewed("old", until=day(61)))


def test_an_ended_license_counts_again_on_its_device() -> None:
    full = given(
        plan_set(), acquired(title="old"), at(day(31), *(acquired(title=f"t{n}", until=day(61)) for n in range(100)))
    )
    full.when(renew(title="old")).then("device_download_limit")
    full.and_given(released(title="t0")).when(renew(title="old")).then(renewed(title="old", until=day(61)))


def test_renewing_what_is_active_needs_no_place() -> None:
    full = given(plan_set("basic"), *(acquired(title=f"t{n}") for n in range(100)))
    full.when(renew(title="t0"), at=day(1)).then(renewed(title="t0", until=day(31)))


def test_an_ended_license_needs_a_plan_an_active_one_does_not() -> None:
    without = given(plan_set("standard"), acquired()).under(replace(POLICY, plans={"basic": 1}))
    without.when(renew(), at=day(30) - 1).then(renewed(until=day(60) - 1))
    without.when(renew(), at=day(30)).then("unknown_plan")
    given(acquired()).when(renew(), at=day(30)).then("no_plan")


def test_a_renewed_license_starts_a_new_playback_window() -> None:
    story = given(plan_set(), acquired(title="windowed"), at(day(1), played(title="windowed", until=day(3))))
    story = story.when(renew(title="windowed"), at=day(4)).then(renewed(title="windowed", until=day(34)))
    story.when(play(title="windowed"), at=day(5)).then(played(title="windowed", until=day(7)))


def test_a_renewal_keeps_the_license_and_what_was_downloaded() -> None:
    story = given(plan_set(), acquired(), completed(), renewed(until=day(30)))
    held = story.state.license("tablet", "alien-1979")
    assert held is not None
    assert held.completed
