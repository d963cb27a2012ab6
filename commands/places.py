"""What an account holds under a policy, and whether there is room for more: the limits that `decide` asks about. Pure.

Times are int milliseconds since the epoch, UTC.
"""

from bisect import bisect_right
from collections.abc import Mapping

from commands.account import YEAR, Account, License
from commands.policy import Policy, Terms
from commands.rejected import Rejected


def active(held: Mapping[str, License], policy: Policy, at: int) -> int:
    """How many of a device's licences are not over at that time."""
    withdrawals = policy.withdrawals
    good = [title_id for title_id, license in held.items() if license.expires_at > at]
    return len(good) - sum([withdrawals[title_id] <= at for title_id in good if title_id in withdrawals])


def place_refusal(state: Account, policy: Policy, terms: Terms, device_id: str, at: int) -> Rejected | None:
    """Whether the plan, the device and the title's studio have room for one more active licence."""
    on_device = active(state.devices.get(device_id, {}), policy, at)
    if on_device >= policy.device_downloads:
        return Rejected(
            "device_download_limit", f"{device_id} holds {on_device} licences; that is the most a device may"
        )
    if on_device == 0 and state.plan is not None:
        limit = policy.plans[state.plan]
        devices = sum(active(held, policy, at) > 0 for held in state.devices.values())
        if devices >= limit:
            return Rejected(
                "device_limit",
                f"downloads are held on {devices} of the {limit} devices that the plan {state.plan} allows",
            )
    return None if terms.studio is None else _studio_device_refusal(state, policy, terms.studio, device_id, at)


def _studio_device_refusal(state: Account, policy: Policy, name: str, device_id: str, at: int) -> Rejected | None:
    studio = policy.studios[name]
    if studio.devices is None:
        return None
    holders = {
        other
        for other, held in state.devices.items()
        if any(policy.end(title_id, held[title_id].expires_at) > at for title_id in held.keys() & studio.titles)
    }
    if device_id in holders or len(holders) < studio.devices:
        return None
    return Rejected(
        "studio_device_limit",
        f"titles of {name} are held on {len(holders)} devices; the studio allows {studio.devices}",
    )


def yearly_refusal(state: Account, policy: Policy, terms: Terms, title_id: str, at: int) -> Rejected | None:
    """Whether the title, and its studio over all its titles, may be acquired once more in the 365 days to `at`."""
    if terms.yearly_limit is not None:
        year = _in_the_year(state, title_id, at)
        if year >= terms.yearly_limit:
            return Rejected(
                "yearly_title_limit",
                f"{title_id} was acquired {year} times in the last 365 days; {terms.yearly_limit} are allowed",
            )
    if terms.studio is None:
        return None
    studio = policy.studios[terms.studio]
    if studio.yearly_downloads is None:
        return None
    year = sum(_in_the_year(state, one, at) for one in state.acquired.keys() & studio.titles)
    if year < studio.yearly_downloads:
        return None
    return Rejected(
        "yearly_studio_limit",
        f"titles of {terms.studio} were acquired {year} times in the last 365 days;"
        f" {studio.yearly_downloads} are allowed",
    )


def _in_the_year(state: Account, title_id: str, at: int) -> int:
    """Acquisitions of the title in the 365 days to `at`. Times are kept in order: an account's time never goes back."""
    times = state.acquired.get(title_id, ())
    return len(times) - bisect_right(times, at - YEAR)
