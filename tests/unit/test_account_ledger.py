"""The limits counted a second time, by a plain book of licences that knows nothing of `Account`; and its own test."""

import pytest

from commands.account import DAY, YEAR
from commands.policy import Policy
from schemas.events import (
    DeviceDeactivated,
    DownloadCompleted,
    Envelope,
    LicenseAcquired,
    LicenseReleased,
    LicenseRenewed,
    PlanChanged,
    PlanChosen,
    PlaybackStarted,
)
from tests.support.examples import POLICY, acquired, day, deactivated, envelope, plan_set, played, released, renewed


class Ledger:
    """Adds events and asserts that the policy allowed each of them at its time."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.plan: str | None = None
        self.licenses: dict[tuple[str, str], tuple[str, int, int]] = {}  # place -> id, end, renewals
        self.acquisitions: list[tuple[str, int]] = []

    def add(self, envelope: Envelope) -> None:
        at = envelope.at
        match envelope.event:
            case PlanChosen(plan=plan) | PlanChanged(plan=plan):
                assert plan in self.policy.plans
                assert plan != self.plan
                self.plan = plan
            case LicenseAcquired() as e:
                assert (e.device_id, e.title_id) not in self.active(at)
                self._take((e.device_id, e.title_id), e.license_id, e.expires_at, 0, at)
                self.acquisitions.append((e.title_id, at))
                limit = self.policy.terms(e.title_id).yearly_limit
                assert limit is None or self.acquired_in_the_year_to(at).count(e.title_id) <= limit
            case LicenseRenewed() as e:
                license_id, end, renewals = self.licenses[e.device_id, e.title_id]
                assert (e.license_id, e.renewals) == (license_id, renewals + 1)
                assert e.renewals <= self.policy.terms(e.title_id).renewals
                assert at < end + self.policy.renewal_grace
                self._take((e.device_id, e.title_id), license_id, e.expires_at, e.renewals, at)
            case PlaybackStarted() as e:
                license_id, end, renewals = self.active(at)[e.device_id, e.title_id]
                assert e.license_id == license_id
                assert at < e.expires_at <= end
                self.licenses[e.device_id, e.title_id] = (license_id, e.expires_at, renewals)
            case DownloadCompleted() as e:
                assert self.active(at)[e.device_id, e.title_id][0] == e.license_id
            case LicenseReleased() as e:
                assert self.active(at)[e.device_id, e.title_id][0] == e.license_id
                del self.licenses[e.device_id, e.title_id]
            case DeviceDeactivated() as e:
                assert e.device_id not in self.devices(at)
                self.licenses = {place: held for place, held in self.licenses.items() if place[0] != e.device_id}

    def active(self, at: int) -> dict[tuple[str, str], tuple[str, int, int]]:
        return {place: held for place, held in self.licenses.items() if at < held[1]}

    def devices(self, at: int) -> set[str]:
        return {device for device, _ in self.active(at)}

    def acquired_in_the_year_to(self, at: int) -> list[str]:
        return [title for title, then in self.acquisitions if at - YEAR < then <= at]

    def _take(self, place: tuple[str, str], license_id: str, end: int, renewals: int, at: int) -> None:
        terms = self.policy.terms(place[1])
        assert at < end <= at + terms.duration
        assert terms.available_until is None or end <= terms.available_until
        before, held_before = self.devices(at), self.active(at)
        self.licenses[place] = (license_id, end, renewals)
        if len(self.devices(at)) > len(before):  # a downgrade may have left more than the plan allows, never adds
            assert self.plan is not None
            assert len(self.devices(at)) <= self.policy.plans[self.plan]
        if place not in held_before:
            assert sum(device == place[0] for device, _ in self.active(at)) <= self.policy.device_downloads


ALLOWED = (envelope(plan_set("basic"), 1), envelope(acquired(), 2))


@pytest.mark.parametrize(
    "wrong",
    [
        envelope(plan_set("gold"), 3),
        envelope(acquired("other"), 3),
        envelope(acquired(until=day(30)), 3),
        envelope(acquired(title="other", until=day(30) + 1), 3),
        envelope(acquired(title="never"), 3),
        envelope(acquired(title="leaving", until=day(41)), 3, at=day(20)),
        envelope(renewed(until=day(90)), 3, at=day(37)),
        envelope(renewed(until=day(90), times=6), 3, at=day(1)),
        envelope(played(until=day(31)), 3, at=day(1)),
        envelope(released(), 3, at=day(30)),
        envelope(released("other"), 3),
        envelope(deactivated(), 3),
    ],
    ids=lambda wrong: f"{wrong.type} v{wrong.version}",
)
def test_the_ledger_refuses_what_the_policy_does(wrong: Envelope) -> None:
    ledger = Ledger(POLICY)
    for one in ALLOWED:
        ledger.add(one)
    with pytest.raises((AssertionError, KeyError)):
        ledger.add(wrong)


def test_the_ledger_counts_a_full_device_and_a_year() -> None:
    ledger = Ledger(POLICY)
    ledger.add(ALLOWED[0])
    for n in range(100):
        ledger.add(envelope(acquired(title=f"t{n}"), 2 + n))
    with pytest.raises(AssertionError):
        ledger.add(envelope(acquired(title="one more"), 102))
    ledger = Ledger(POLICY)
    ledger.add(ALLOWED[0])
    for n in range(3):
        ledger.add(envelope(acquired(title="rare", until=day(31 * n) + DAY), 2 + n, at=day(31 * n)))
    with pytest.raises(AssertionError):
        ledger.add(envelope(acquired(title="rare", until=day(364) + DAY), 5, at=day(364)))
