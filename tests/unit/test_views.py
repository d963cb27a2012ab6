"""Each view by example: events in, one document out."""

from typing import Any

import pytest

from projections.memory_model import MemoryReadModel
from projections.queries import tags_of
from projections.views import VIEWS, device_downloads, licenses, title_downloads
from projections.views.view import View
from schemas.events import (
    DeviceDeactivated,
    DownloadCompleted,
    Envelope,
    Event,
    LicenseAcquired,
    LicenseReleased,
    LicenseRenewed,
    PlanChosen,
    PlaybackStarted,
)

DAY = 86_400_000
T0 = 1_790_000_000_000


def acquired(license_id: str = "l1", device: str = "tv", title: str = "heat", days: int = 30) -> LicenseAcquired:
    return LicenseAcquired(license_id, device, title, T0 + days * DAY, "p1")


class Given:
    """Events of accounts, a day apart, folded into one view."""

    def __init__(self, view: View) -> None:
        self.view, self.model = view, MemoryReadModel(view)

    def events(self, *events: Event, account: str = "ann", partition: int = 0) -> "Given":
        self.model.fold(
            partition,
            [Envelope(f"e{n}", account, n + 1, T0 + n * DAY, "c", None, event) for n, event in enumerate(events)],
        )
        return self

    def document(self, key: str, day: float) -> dict[str, Any] | None:
        now = T0 + int(day * DAY)
        tags = tags_of(self.view, key, 4)
        parts = [self.model.stored[tag, key].at(now) for tag in tags if (tag, key) in self.model.stored]
        return self.view.query(key, parts, now) if parts else None


def test_a_device_counts_what_it_holds_and_what_it_ever_did() -> None:
    given = Given(device_downloads).events(
        PlanChosen("basic", "p1"),
        acquired("l1", title="heat"),
        DownloadCompleted("l1", "tv", "heat", "p1"),
        acquired("l2", title="alien"),
        acquired("l3", device="phone"),
    )
    assert given.document("ann/tv", day=5) == {
        "account_id": "ann", "device_id": "tv", "active": 2, "downloads": 2, "completed": 1,
        "last_activity": T0 + 3 * DAY,
    }  # fmt: skip
    assert given.document("ann/phone", day=5) is not None
    assert given.document("ann/car", day=5) is None


def test_what_a_device_holds_ends_without_an_event() -> None:
    given = Given(device_downloads).events(acquired(days=30))
    assert [active(given.document("ann/tv", day)) for day in (29.99, 30, 31)] == [1, 0, 0]


def test_a_renewal_makes_an_expired_licence_active_again() -> None:
    given = Given(device_downloads).events(acquired(days=0), LicenseRenewed("l1", "tv", "heat", T0 + 9 * DAY, 1, "p1"))
    assert active(given.document("ann/tv", day=8)) == 1


def test_the_playback_window_shortens_what_is_held() -> None:
    given = Given(device_downloads).events(acquired(), PlaybackStarted("l1", "tv", "heat", T0 + 3 * DAY, "p1"))
    assert [active(given.document("ann/tv", day)) for day in (2, 4)] == [1, 0]


def test_a_deactivated_device_holds_nothing() -> None:
    given = Given(device_downloads).events(
        acquired(), LicenseReleased("l1", "tv", "heat", "p1"), DeviceDeactivated("tv", "p1")
    )
    document = given.document("ann/tv", day=3)
    assert document is not None
    assert (document["active"], document["downloads"], document["last_activity"]) == (0, 1, T0 + 2 * DAY)


def test_licences_of_an_account_stay_listed_with_their_state() -> None:
    given = Given(licenses).events(
        acquired("l1"),
        DownloadCompleted("l1", "tv", "heat", "p1"),
        acquired("l2", title="alien"),
        LicenseReleased("l2", "tv", "alien", "p1"),
        LicenseRenewed("l1", "tv", "heat", T0 + 40 * DAY, 1, "p1"),
        acquired("l3", title="solaris", days=6),
    )
    document = given.document("ann", day=7)
    assert document is not None
    assert document["licenses"][0] == {
        "license_id": "l1", "device_id": "tv", "title_id": "heat", "state": "active", "acquired_at": T0,
        "expires_at": T0 + 40 * DAY, "renewals": 1, "completed": True,
    }  # fmt: skip
    assert [one["state"] for one in document["licenses"]] == ["active", "released", "expired"]


def test_a_licence_is_active_until_just_before_it_expires() -> None:
    given = Given(licenses).events(acquired(days=1))
    states = [document["licenses"][0]["state"] for day in (0.99, 1) if (document := given.document("ann", day))]
    assert states == ["active", "expired"]


def test_a_licence_id_may_hold_colons() -> None:
    document = Given(licenses).events(acquired("a:b:c")).document("ann", day=1)
    assert document is not None
    assert document["licenses"][0]["license_id"] == "a:b:c"


def test_a_title_is_summed_over_accounts_and_partitions() -> None:
    given = Given(title_downloads)
    given.events(acquired("l1"), DownloadCompleted("l1", "tv", "heat", "p1"), account="ann", partition=0)
    given.events(acquired("l2"), account="bob", partition=0)
    given.events(acquired("l3"), LicenseReleased("l3", "tv", "heat", "p1"), account="cid", partition=3)
    given.events(acquired("l4", days=2), account="dan", partition=1)
    assert given.document("heat", day=3) == {"title_id": "heat", "acquired": 4, "completed": 1, "active": 2}
    assert given.document("alien", day=3) is None


@pytest.mark.parametrize("view", VIEWS.values(), ids=list(VIEWS))
def test_a_plan_changes_no_document(view: View) -> None:
    assert not Given(view).events(PlanChosen("basic", "p1")).model.stored


def active(document: dict[str, Any] | None) -> int:
    assert document is not None
    return int(document["active"])
