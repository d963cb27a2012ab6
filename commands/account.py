"""The account, the one consistency boundary: state, `initial`, `evolve`; `decide` is next door. No clock, no I/O.

Times are int milliseconds since the epoch, UTC. A licence is active while `at < expires_at`.
"""

from collections.abc import Iterable
from typing import Protocol

from msgspec import Struct, field

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

DAY = 86_400_000
YEAR = 365 * DAY
#: An ended licence is forgotten this long after its end. No policy may grant a longer grace (policy_file checks).
FORGET_AFTER = 90 * DAY
#: What no rule can ask for any more is dropped at every version that this divides: all folds of a history agree then.
FORGET_EVERY = 50
#: Changes with the meaning of `Account`; snapshots of another version are ignored.
STATE_VERSION = 1
#: How many accepted command ids an account remembers, to answer a retry with the first outcome.
REMEMBERED = 256


class State(Protocol):
    """What the state of any aggregate has; see `Account` for what it means."""

    version: int
    at: int
    answered: dict[str, tuple[int, int]]


class License(Struct, frozen=True, gc=False):
    """A licence as its device holds it. `played`: a playback window is running or there is none to start."""

    license_id: str
    expires_at: int
    renewals: int = 0
    completed: bool = False
    played: bool = False


class Account(Struct, gc=False):
    """What an account's history comes to.

    `devices`: device -> title -> licence. `acquired`: title -> times of its acquisitions in the 365 days before the
    last of them. `answered`: command id -> first and last version that it wrote, oldest first.
    """

    version: int = 0
    at: int = 0
    plan: str | None = None
    devices: dict[str, dict[str, License]] = field(default_factory=dict)
    acquired: dict[str, tuple[int, ...]] = field(default_factory=dict)
    answered: dict[str, tuple[int, int]] = field(default_factory=dict)

    def copy(self) -> "Account":
        """A copy that `apply` may change."""
        devices = {device_id: held.copy() for device_id, held in self.devices.items()}
        return Account(self.version, self.at, self.plan, devices, self.acquired.copy(), self.answered.copy())

    def license(self, device_id: str, title_id: str) -> License | None:
        """The licence that the device holds or held last, ended or not."""
        return self.devices.get(device_id, {}).get(title_id)


def initial() -> Account:
    """An account to which nothing has happened."""
    return Account()


def evolve(state: Account, envelope: Envelope) -> Account:
    """The account after one more event; `state` stays as it is."""
    draft = state.copy()
    apply(draft, envelope)
    return draft


def fold(state: Account, history: Iterable[Envelope]) -> Account:
    """The account after a history; `state` stays as it is."""
    draft = state.copy()
    for envelope in history:
        apply(draft, envelope)
    return draft


def apply(draft: Account, envelope: Envelope) -> None:
    """`evolve` in place, for a fold over a copy that nobody else has seen."""
    remember(draft, envelope)
    if envelope.version % FORGET_EVERY == 0:
        _forget(draft, envelope.at)
    match envelope.event:
        case PlanChosen(plan=plan) | PlanChanged(plan=plan):
            draft.plan = plan
        case LicenseAcquired() as e:
            draft.devices.setdefault(e.device_id, {})[e.title_id] = License(e.license_id, e.expires_at)
            year = tuple(t for t in draft.acquired.get(e.title_id, ()) if t > envelope.at - YEAR)
            draft.acquired[e.title_id] = (*year, envelope.at)
        case DownloadCompleted() as e:
            was = draft.devices[e.device_id][e.title_id]
            draft.devices[e.device_id][e.title_id] = License(
                e.license_id, was.expires_at, was.renewals, completed=True, played=was.played
            )
        case PlaybackStarted() as e:
            was = draft.devices[e.device_id][e.title_id]
            draft.devices[e.device_id][e.title_id] = License(
                e.license_id, e.expires_at, was.renewals, was.completed, played=True
            )
        case LicenseRenewed() as e:
            was = draft.devices[e.device_id][e.title_id]
            draft.devices[e.device_id][e.title_id] = License(e.license_id, e.expires_at, e.renewals, was.completed)
        case LicenseReleased() as e:
            del draft.devices[e.device_id][e.title_id]
            if not draft.devices[e.device_id]:
                del draft.devices[e.device_id]
        case DeviceDeactivated() as e:
            draft.devices.pop(e.device_id, None)


def remember(draft: State, envelope: Envelope) -> None:
    """What the `apply` of every aggregate begins with: the version, the time, and whose command it was."""
    draft.version, draft.at = envelope.version, envelope.at
    first, _ = draft.answered.get(envelope.command_id, (envelope.version, 0))
    draft.answered[envelope.command_id] = (first, envelope.version)
    if len(draft.answered) > REMEMBERED:
        del draft.answered[next(iter(draft.answered))]


def _forget(draft: Account, at: int) -> None:
    """Drop what no rule can ask for any more, so that a state does not grow with the length of its history."""
    for device_id, held in list(draft.devices.items()):
        kept = {title_id: old for title_id, old in held.items() if at < old.expires_at + FORGET_AFTER}
        if kept:
            draft.devices[device_id] = kept
        else:
            del draft.devices[device_id]
    draft.acquired = {title_id: times for title_id, times in draft.acquired.items() if times[-1] > at - YEAR}


def business_time(state: Account, timestamp: int) -> int:
    """When a command happens: its Kafka timestamp, but never before what has happened already."""
    return max(timestamp, state.at)
