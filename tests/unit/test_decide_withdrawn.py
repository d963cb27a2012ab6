"""A title that is withdrawn: from then on no licence begins, is renewed or is still good, whenever it was granted."""

from dataclasses import replace

import pytest

from commands.account import DAY
from commands.policy import Studio
from tests.support.account_spec import at, given
from tests.support.examples import (
    HOUR,
    LICENSE,
    POLICY,
    acquire,
    acquired,
    complete,
    completed,
    day,
    deactivate,
    deactivated,
    plan_set,
    play,
    played,
    release,
    released,
    renew,
    renewed,
)

GONE = "gone"
WITHDRAWN = replace(
    POLICY, version="test", titles={**POLICY.titles, GONE: replace(POLICY.defaults, withdrawn_from=day(20))}
)
#: A licence that was granted before anybody knew of the withdrawal.
HELD = given(plan_set(), acquired(title=GONE)).under(WITHDRAWN)
MOMENTS = pytest.mark.parametrize("when", [day(20), day(20) + 1, day(29), day(31)])


@MOMENTS
def test_nothing_begins_and_nothing_is_renewed(when: int) -> None:
    given(plan_set()).under(WITHDRAWN).when(acquire(title=GONE), at=when).then("title_withdrawn")
    HELD.when(acquire(title=GONE), at=when).then("title_withdrawn")
    HELD.when(renew(title=GONE), at=when).then("title_withdrawn")


@MOMENTS
def test_what_is_held_is_over(when: int) -> None:
    HELD.when(play(title=GONE), at=when).then("license_expired")
    HELD.when(complete(title=GONE), at=when).then("license_expired")
    HELD.when(release(title=GONE), at=when).then()


def test_until_then_everything_goes_on_but_not_beyond() -> None:
    when = day(20) - 1
    HELD.when(complete(title=GONE), at=when).then(completed(title=GONE))
    HELD.when(release(title=GONE), at=when).then(released(title=GONE))
    HELD.when(renew(title=GONE), at=when).then(renewed(title=GONE, until=day(20)))
    HELD.when(play(title=GONE), at=when).then(played(title=GONE, until=day(20)))
    given(plan_set()).under(WITHDRAWN).when(acquire(title=GONE), at=when).then(acquired(title=GONE, until=day(20)))


def test_a_playback_window_never_reaches_beyond() -> None:
    terms = replace(WITHDRAWN.titles[GONE], playback_window=48 * HOUR)
    story = HELD.under(replace(WITHDRAWN, titles={GONE: terms}))
    story.when(play(title=GONE), at=day(19)).then(played(title=GONE, until=day(20)))
    story.when(play(title=GONE), at=day(17)).then(played(title=GONE, until=day(19)))


def test_it_holds_no_place_any_more() -> None:
    basic = given(plan_set("basic"), acquired(title=GONE)).under(WITHDRAWN)
    basic.when(acquire("other"), at=day(20) - 1).then("device_limit")
    basic.when(acquire("other"), at=day(20)).then(acquired("other", until=day(50)))
    one = HELD.under(replace(WITHDRAWN, device_downloads=1))
    one.when(acquire(), at=day(20) - 1).then("device_download_limit")
    one.when(acquire(), at=day(20)).then(acquired(until=day(50)))


def test_a_device_that_leaves_does_not_release_it() -> None:
    story = HELD.and_given(acquired(title="alien-1979"))
    story.when(deactivate(), at=day(20) - 1).then(released(title=GONE), released(), deactivated())
    story.when(deactivate(), at=day(20)).then(released(), deactivated())


def test_other_titles_are_as_before() -> None:
    story = HELD.and_given(acquired())
    story.when(renew(), at=day(25)).then(renewed(until=day(55)))
    story.when(play(), at=day(25)).then(played())


def test_the_end_of_availability_keeps_what_was_promised_and_a_withdrawal_does_not() -> None:
    """The difference: `available_until`, published after the grant, does not touch it."""
    ending = replace(POLICY, titles={GONE: replace(POLICY.defaults, available_until=day(20))})
    story = HELD.under(ending)
    story.when(play(title=GONE), at=day(29)).then(played(title=GONE))
    story.when(renew(title=GONE), at=day(29)).then("title_unavailable")


def test_a_policy_that_takes_the_withdrawal_back_brings_back_what_has_not_ended_otherwise() -> None:
    HELD.under(POLICY).when(play(title=GONE), at=day(29)).then(played(title=GONE))
    cut = HELD.and_given(at(day(19), renewed(title=GONE, until=day(20), license_id=LICENSE)))
    cut.under(POLICY).when(play(title=GONE), at=day(21)).then("license_expired")


def test_a_studio_counts_no_withdrawn_titles() -> None:
    terms = replace(WITHDRAWN.titles[GONE], studio="s")
    policy = replace(
        WITHDRAWN,
        titles={GONE: terms, "kept": replace(POLICY.defaults, studio="s")},
        studios={"s": Studio({GONE, "kept"}, devices=1)},
    )
    story = HELD.under(policy)
    story.when(acquire("other", "kept"), at=day(20) - 1).then("studio_device_limit")
    story.when(acquire("other", "kept"), at=day(20)).then(acquired("other", "kept", until=day(20) + 30 * DAY))
