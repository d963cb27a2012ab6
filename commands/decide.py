"""The account's decisions: a command, the state, the policy and the time in; events or a refusal out. Pure.

Times are int milliseconds since the epoch, UTC.
"""

from commands.account import Account, License
from commands.places import place_refusal, yearly_refusal
from commands.policy import Policy, Terms
from commands.rejected import Reason, Rejected
from schemas.commands import (
    AcquireLicense,
    Command,
    CompleteDownload,
    DeactivateDevice,
    ReleaseLicense,
    RenewLicense,
    SetPlan,
    StartPlayback,
)
from schemas.events import (
    DeviceDeactivated,
    DownloadCompleted,
    Event,
    LicenseAcquired,
    LicenseReleased,
    LicenseRenewed,
    PlanChanged,
    PlanChosen,
    PlaybackStarted,
)
from schemas.ids import id_from

__all__ = ["Reason", "Rejected", "decide"]


def decide(command: Command, state: Account, policy: Policy, at: int) -> tuple[Event, ...] | Rejected:
    """What a command does to an account, under a policy, at a time. Nothing to do is no events."""
    match command:
        case SetPlan():
            return _set_plan(command, state, policy)
        case AcquireLicense():
            return _acquire(command, state, policy, at)
        case CompleteDownload():
            held = _held(state, policy, command.device_id, command.title_id, at)
            if isinstance(held, Rejected):
                return held
            if held.completed:
                return ()
            return (DownloadCompleted(held.license_id, command.device_id, command.title_id, policy.version),)
        case StartPlayback():
            return _play(command, state, policy, at)
        case RenewLicense():
            return _renew(command, state, policy, at)
        case ReleaseLicense():
            held = _held(state, policy, command.device_id, command.title_id, at)
            if isinstance(held, Rejected):
                return ()
            return (LicenseReleased(held.license_id, command.device_id, command.title_id, policy.version),)
        case DeactivateDevice():
            return _deactivate(command, state, policy, at)


def _set_plan(command: SetPlan, state: Account, policy: Policy) -> tuple[Event, ...] | Rejected:
    if command.plan not in policy.plans:
        return _unknown_plan(command.plan, policy)
    if state.plan is None:
        return (PlanChosen(command.plan, policy.version),)
    return () if command.plan == state.plan else (PlanChanged(command.plan, state.plan, policy.version),)


def _acquire(command: AcquireLicense, state: Account, policy: Policy, at: int) -> tuple[Event, ...] | Rejected:
    held = state.license(command.device_id, command.title_id)
    if held is not None and at < policy.end(command.title_id, held.expires_at):
        return ()
    terms = policy.terms(command.title_id)
    refusal = (
        _plan_refusal(state, policy)
        or _availability_refusal(command.title_id, terms, at)
        or place_refusal(state, policy, terms, command.device_id, at)
        or yearly_refusal(state, policy, terms, command.title_id, at)
    )
    if refusal is not None:
        return refusal
    license_id = id_from(command.command_id, "license")
    end, quality = terms.end(at), command.download_quality
    return (LicenseAcquired(license_id, command.device_id, command.title_id, end, policy.version, quality),)


def _play(command: StartPlayback, state: Account, policy: Policy, at: int) -> tuple[Event, ...] | Rejected:
    held = _held(state, policy, command.device_id, command.title_id, at)
    if isinstance(held, Rejected):
        return held
    window, end = policy.terms(command.title_id).playback_window, policy.end(command.title_id, held.expires_at)
    if window is not None and not held.played:
        end = min(end, at + window)
    return (PlaybackStarted(held.license_id, command.device_id, command.title_id, end, policy.version),)


def _renew(command: RenewLicense, state: Account, policy: Policy, at: int) -> tuple[Event, ...] | Rejected:
    """From the time of renewal, never to an earlier end under terms that have become shorter.

    An ended licence takes its place again, and a playback window starts anew.
    """
    held = state.license(command.device_id, command.title_id)
    if held is None:
        return _no_license(command.device_id, command.title_id)
    if at >= held.expires_at + policy.renewal_grace:
        return _expired(command.device_id, command.title_id, "too long ago to renew it")
    terms = policy.terms(command.title_id)
    refusal = _availability_refusal(command.title_id, terms, at)
    if refusal is None and held.renewals >= terms.renewals:
        refusal = Rejected(
            "renewal_limit", f"the licence was renewed {held.renewals} times; {terms.renewals} are allowed"
        )
    if refusal is None and at >= held.expires_at:
        refusal = _plan_refusal(state, policy) or place_refusal(state, policy, terms, command.device_id, at)
    if refusal is not None:
        return refusal
    renewed = LicenseRenewed(
        held.license_id,
        command.device_id,
        command.title_id,
        terms.end(at, held.expires_at),
        held.renewals + 1,
        policy.version,
    )
    return (renewed,)


def _deactivate(command: DeactivateDevice, state: Account, policy: Policy, at: int) -> tuple[Event, ...]:
    held = state.devices.get(command.device_id)
    if held is None:
        return ()
    released = [
        LicenseReleased(license.license_id, command.device_id, title_id, policy.version)
        for title_id, license in held.items()
        if at < policy.end(title_id, license.expires_at)
    ]
    return (*released, DeviceDeactivated(command.device_id, policy.version))


def _held(state: Account, policy: Policy, device_id: str, title_id: str, at: int) -> License | Rejected:
    held = state.license(device_id, title_id)
    if held is None:
        return _no_license(device_id, title_id)
    return held if at < policy.end(title_id, held.expires_at) else _expired(device_id, title_id, "over")


def _plan_refusal(state: Account, policy: Policy) -> Rejected | None:
    if state.plan is None:
        return Rejected("no_plan", "the account is on no plan")
    return None if state.plan in policy.plans else _unknown_plan(state.plan, policy)


def _availability_refusal(title_id: str, terms: Terms, at: int) -> Rejected | None:
    if terms.withdrawn(at):
        return Rejected("title_withdrawn", f"{title_id} is withdrawn")
    return None if terms.available(at) else Rejected("title_unavailable", f"{title_id} is no longer available")


def _unknown_plan(plan: str, policy: Policy) -> Rejected:
    return Rejected("unknown_plan", f"there is no plan {plan}; the plans are {', '.join(policy.plans)}")


def _no_license(device_id: str, title_id: str) -> Rejected:
    return Rejected("no_license", f"{device_id} holds no licence for {title_id}")


def _expired(device_id: str, title_id: str, how: str) -> Rejected:
    return Rejected("license_expired", f"the licence of {device_id} for {title_id} is {how}")
