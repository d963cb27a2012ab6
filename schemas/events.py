"""Events: what happened to an account, in the past tense, and the envelope that all of them travel in.

Times are int milliseconds since the epoch, UTC.
"""

from typing import TypeAlias

from msgspec import Struct

from schemas.aggregates import OtherEvent, events
from schemas.commands import DownloadQuality


class PlanChosen(Struct, frozen=True, gc=False):
    """The account is on its first plan."""

    plan: str
    policy_version: str


class PlanChanged(Struct, frozen=True, gc=False):
    """The account went from one plan to another; `previous_plan` None: an older release did not say from which."""

    plan: str
    previous_plan: str | None
    policy_version: str


class LicenseAcquired(Struct, frozen=True, gc=False):
    """The device may download and keep the title until `expires_at`."""

    license_id: str
    device_id: str
    title_id: str
    expires_at: int
    policy_version: str
    download_quality: DownloadQuality = "standard"


class DownloadCompleted(Struct, frozen=True, gc=False):
    """The device reported the whole title."""

    license_id: str
    device_id: str
    title_id: str
    policy_version: str


class PlaybackStarted(Struct, frozen=True, gc=False):
    """The device began to play; a playback window, where the title has one, is in `expires_at`."""

    license_id: str
    device_id: str
    title_id: str
    expires_at: int
    policy_version: str


class LicenseRenewed(Struct, frozen=True, gc=False):
    """The licence was extended; `renewals` counts this time too."""

    license_id: str
    device_id: str
    title_id: str
    expires_at: int
    renewals: int
    policy_version: str


class LicenseReleased(Struct, frozen=True, gc=False):
    """The licence was given back."""

    license_id: str
    device_id: str
    title_id: str
    policy_version: str


class DeviceDeactivated(Struct, frozen=True, gc=False):
    """The device left the account; each licence that it held was released just before."""

    device_id: str
    policy_version: str


Event: TypeAlias = (
    PlanChosen
    | PlanChanged
    | LicenseAcquired
    | DownloadCompleted
    | PlaybackStarted
    | LicenseRenewed
    | LicenseReleased
    | DeviceDeactivated
)

#: Of any aggregate.
AnyEvent: TypeAlias = Event | OtherEvent

EVENTS: dict[str, type[AnyEvent]] = {
    cls.__name__: cls
    for cls in (
        PlanChosen,
        PlanChanged,
        LicenseAcquired,
        DownloadCompleted,
        PlaybackStarted,
        LicenseRenewed,
        LicenseReleased,
        DeviceDeactivated,
    )
}
EVENTS |= events()


class Envelope(Struct, frozen=True, gc=False):
    """One event of an account's history; `version` counts the account's events from 1 without gaps."""

    event_id: str
    account_id: str
    version: int
    at: int
    command_id: str
    correlation_id: str | None
    event: AnyEvent

    @property
    def type(self) -> str:
        """The event's name, such as `LicenseAcquired`."""
        return type(self.event).__name__
