"""A studio's limits over all its titles: devices that hold them, and downloads in any 365 days."""

from dataclasses import replace

import pytest

from commands.account import DAY, FORGET_EVERY, YEAR
from commands.policy import Studio, Terms
from tests.support.account_spec import at, given
from tests.support.examples import POLICY, acquire, acquired, day, plan_set, released, renew, renewed

MONTH = Terms(duration=30 * DAY, renewals=5)
GHIBLI, TOHO = replace(MONTH, studio="ghibli"), replace(MONTH, studio="toho")
STUDIOS = replace(
    POLICY,
    titles={"totoro": GHIBLI, "ponyo": GHIBLI, "chihiro": replace(GHIBLI, yearly_limit=1), "ran": TOHO, "ikiru": TOHO},
    studios={
        "ghibli": Studio({"totoro", "ponyo", "chihiro"}, devices=2),
        "toho": Studio({"ran", "ikiru"}, yearly_downloads=3),
    },
)
START = given(plan_set("premium")).under(STUDIOS)


def test_so_many_devices_hold_a_studios_titles_at_once() -> None:
    story = START.and_given(acquired("a", "totoro"), acquired("b", "ponyo"))
    story.when(acquire("c", "totoro")).then("studio_device_limit")
    story.when(acquire("a", "ponyo")).then(acquired("a", "ponyo"))
    story.when(acquire("c", "alien-1979")).then(acquired("c", "alien-1979"))


def test_devices_that_hold_other_titles_do_not_count() -> None:
    story = START.and_given(acquired("a", "alien-1979"), acquired("b", "ran"), acquired("c", "totoro"))
    story.when(acquire("d", "totoro")).then(acquired("d", "totoro"))


@pytest.mark.parametrize("later", [at(day(1), released("b", "ponyo")), at(day(30))])
def test_a_device_counts_as_long_as_it_holds_one(later: object) -> None:
    story = START.and_given(acquired("a", "totoro", until=day(60)), acquired("b", "ponyo"))
    story.when(acquire("c", "totoro"), at=day(30) - 1).then("studio_device_limit")
    story.and_given(later).when(acquire("c", "totoro"), at=day(30)).then(  # type: ignore[arg-type]
        acquired("c", "totoro", until=day(60))
    )


def test_renewing_an_ended_license_takes_a_place_again() -> None:
    story = START.and_given(acquired("a", "totoro"), acquired("b", "ponyo"))
    story = story.and_given(at(day(30), acquired("c", "totoro", until=day(60))))
    story.and_given(at(day(31), acquired("d", "totoro", until=day(61)))).when(renew("a", "totoro"), at=day(32)).then(
        "studio_device_limit"
    )
    story.when(renew("a", "totoro"), at=day(32)).then(renewed("a", "totoro", until=day(62)))


def test_so_many_downloads_of_a_studios_titles_in_any_365_days() -> None:
    story = START.and_given(
        acquired("a", "ran"), at(day(1), released("a", "ran")), at(day(100), acquired("a", "ran", until=day(130)))
    )
    story = story.and_given(at(day(200), acquired("a", "ikiru", until=day(230))))
    story.when(acquire("b", "ran"), at=day(0) + YEAR - 1).then("yearly_studio_limit")
    story.when(acquire("b", "ran"), at=day(0) + YEAR).then(acquired("b", "ran", until=day(30) + YEAR))
    story.when(renew("a", "ikiru"), at=day(210)).then(renewed("a", "ikiru", until=day(240)))
    story.when(acquire("b", "totoro"), at=day(210)).then(acquired("b", "totoro", until=day(240)))


def test_the_title_itself_may_be_limited_further() -> None:
    START.and_given(acquired("a", "chihiro"), released("a", "chihiro")).when(acquire("a", "chihiro")).then(
        "yearly_title_limit"
    )


def test_a_year_is_counted_from_what_an_account_remembers_even_after_it_forgot_the_rest() -> None:
    story = START.and_given(*[plan_set(f"plan-{n}") for n in range(FORGET_EVERY - 5)])
    for number, title in enumerate(("ran", "ikiru", "ran")):
        story = story.and_given(at(day(10 * number), acquired(f"d{number}", title, until=day(1))))
    story = story.and_given(at(day(21), plan_set("premium"), plan_set("premium")))
    assert story.state.version > FORGET_EVERY
    story.when(acquire("a", "ran"), at=day(364)).then("yearly_studio_limit")


def test_which_titles_are_a_studios_is_as_the_policy_in_force_says() -> None:
    story = START.and_given(acquired("a", "ran"), acquired("b", "ran"), acquired("c", "ikiru"))
    story.when(acquire("d", "ikiru")).then("yearly_studio_limit")
    smaller = replace(STUDIOS, studios={**STUDIOS.studios, "toho": Studio({"ikiru"}, yearly_downloads=3)})
    story.under(smaller).when(acquire("d", "ikiru")).then(acquired("d", "ikiru"))


def test_a_limit_of_none_lets_nobody_in() -> None:
    nothing = replace(STUDIOS, studios={**STUDIOS.studios, "toho": Studio({"ran", "ikiru"}, yearly_downloads=0)})
    START.under(nothing).when(acquire("a", "ran")).then("yearly_studio_limit")
