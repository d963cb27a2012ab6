"""Plans, downloads, playback, release and the end of a device."""

from dataclasses import replace

import pytest

from commands.account import initial
from schemas.commands import Command
from tests.support.account_spec import at, given
from tests.support.examples import (
    HOUR,
    POLICY,
    acquired,
    command_id,
    complete,
    completed,
    day,
    deactivate,
    deactivated,
    plan_changed,
    plan_set,
    play,
    played,
    release,
    released,
    renewed,
    set_plan,
)


def test_an_account_is_put_on_a_plan() -> None:
    story = given().when(set_plan("basic")).then(plan_set("basic"))
    story = story.when(set_plan("basic", command_id=command_id(2))).then()
    story.when(set_plan("premium")).then(plan_changed("premium", "basic"))


def test_a_plan_that_does_not_exist_changes_nothing() -> None:
    story = given(plan_set("basic")).when(set_plan("gold")).then("unknown_plan")
    assert story.state.plan == "basic"
    given().when(set_plan("Basic")).then("unknown_plan")


def test_a_download_is_completed_once() -> None:
    story = given(plan_set(), acquired()).when(complete()).then(completed())
    story.when(complete(command_id=command_id(2)), at=day(1)).then()


def test_a_new_license_has_a_download_of_its_own() -> None:
    story = given(plan_set(), acquired(), completed(), at(day(30), acquired(until=day(60))))
    story.when(complete()).then(completed())


@pytest.mark.parametrize("use", [complete(), play()], ids=["complete", "play"])
def test_what_is_not_held_or_has_ended_is_not_used(use: Command) -> None:
    given(plan_set()).when(use).then("no_license")
    given(plan_set(), acquired(), released()).when(use).then("no_license")
    given(plan_set(), acquired("other")).when(use).then("no_license")
    given(plan_set(), acquired()).when(use, at=day(30)).then("license_expired")


def test_a_license_is_used_up_to_its_last_millisecond() -> None:
    given(acquired()).when(complete(), at=day(30) - 1).then(completed())
    given(acquired()).when(play(), at=day(30) - 1).then(played())


def test_without_a_window_playing_moves_no_end() -> None:
    story = given(acquired(until=day(30))).when(play(), at=day(1)).then(played(until=day(30)))
    story.when(play(), at=day(2)).then(played(until=day(30)))


@pytest.mark.parametrize(
    ("when", "until"),
    [
        (day(1), day(3)),
        (day(28) - 1, day(30) - 1),
        (day(28), day(30)),
        (day(28) + 1, day(30)),
        (day(30) - 1, day(30)),
    ],
    ids=["window earlier", "earlier by a millisecond", "at the same time", "window later", "the last millisecond"],
)
def test_the_first_playback_starts_the_window_and_the_earlier_end_holds(when: int, until: int) -> None:
    given(acquired(title="windowed")).when(play(title="windowed"), at=when).then(played(title="windowed", until=until))


def test_a_second_playback_does_not_move_the_end() -> None:
    story = given(acquired(title="windowed"), at(day(1), played(title="windowed", until=day(3))))
    story.when(play(title="windowed"), at=day(2)).then(played(title="windowed", until=day(3)))
    story.when(play(title="windowed"), at=day(1) + 48 * HOUR - 1).then(played(title="windowed", until=day(3)))
    story.when(play(title="windowed"), at=day(1) + 48 * HOUR).then("license_expired")


def test_a_playback_under_earlier_rules_was_the_first_one() -> None:
    window = replace(POLICY, defaults=replace(POLICY.defaults, playback_window=48 * HOUR))
    shorter = replace(POLICY, defaults=replace(POLICY.defaults, playback_window=1 * HOUR))
    story = given(acquired(until=day(30))).when(play(), at=day(1)).then(played(until=day(30)))
    story.under(window).when(play(), at=day(2)).then(played(until=day(30)))
    story = given(acquired(until=day(30))).under(window).when(play(), at=day(1)).then(played(until=day(3)))
    story.under(shorter).when(play(), at=day(2)).then(played(until=day(3)))


def test_a_license_is_given_back() -> None:
    story = given(acquired()).when(release(), at=day(1)).then(released())
    story.when(release(command_id=command_id(2))).then()
    assert story.state.devices == {}


def test_giving_back_what_is_not_held_is_nothing() -> None:
    given().when(release()).then()
    given(acquired("other")).when(release()).then()
    given(acquired(title="other")).when(release()).then()
    given(acquired()).when(release(), at=day(30)).then()
    given(acquired()).when(release(), at=day(30) - 1).then(released())


def test_a_device_that_leaves_gives_back_all_it_holds_and_nothing_that_has_ended() -> None:
    story = given(
        acquired(title="ended", until=day(2)),
        acquired(title="ends now", until=day(3)),
        acquired(title="a"),
        acquired(title="b"),
        acquired("other", "a"),
    )
    story = story.when(deactivate(), at=day(3)).then(released(title="a"), released(title="b"), deactivated())
    assert set(story.state.devices) == {"other"}
    story.when(deactivate(command_id=command_id(2))).then()


def test_a_device_with_nothing_active_still_leaves_once() -> None:
    story = given(acquired(until=day(2))).when(deactivate(), at=day(2)).then(deactivated())
    assert story.state.devices == {}
    story.when(deactivate(command_id=command_id(2))).then()


def test_a_device_that_the_account_does_not_have_leaves_without_a_word() -> None:
    given(plan_set()).when(deactivate()).then()
    given(acquired(), released()).when(deactivate()).then()
    assert given().when(deactivate()).then().state == initial()


def test_all_licenses_of_a_full_device_are_given_back_at_once() -> None:
    titles = [f"t{n}" for n in range(100)]
    story = given(*(acquired(title=title) for title in titles), renewed(title="t5", until=day(35)))
    story.when(deactivate(), at=day(1)).then(*(released(title=title) for title in titles), deactivated())
