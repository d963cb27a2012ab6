"""device_downloads: what each device holds and has done. Document id: `account_id/device_id`."""

from collections.abc import Sequence
from typing import Any

from projections.changes import Change, Changes, Reading, hold
from projections.views.view import Tag
from schemas.events import (
    DeviceDeactivated,
    DownloadCompleted,
    Envelope,
    LicenseAcquired,
    LicenseReleased,
    LicenseRenewed,
    PlaybackStarted,
)

NAME = "device_downloads"
VERSION = "1"
TAG: Tag = "account"


def project(envelope: Envelope) -> Changes:
    """Hash: downloads, completed, last_activity (ms). Holds: title_id, until its licence ends."""
    event, at = envelope.event, envelope.at
    device_id = getattr(event, "device_id", None)
    if device_id is None:  # PlanChosen, PlanChanged
        return ()
    device = f"{envelope.account_id}/{device_id}"
    active: Change = ("put", device, "last_activity", str(at))
    if type(event) is LicenseAcquired:
        return active, ("add", device, "downloads", 1), *hold(device, event.title_id, event.expires_at, at)
    if type(event) is DownloadCompleted:
        return active, ("add", device, "completed", 1)
    if type(event) is PlaybackStarted or type(event) is LicenseRenewed:
        return active, *hold(device, event.title_id, event.expires_at, at)
    if type(event) is LicenseReleased:
        return active, ("unhold", device, event.title_id, 0)
    return (active,) if type(event) is DeviceDeactivated else ()  # each licence was released just before


def query(key: str, parts: Sequence[Reading], now: int) -> dict[str, Any]:
    """One device at `now` (ms)."""
    (device,) = parts
    account_id, _, device_id = key.partition("/")
    return {
        "account_id": account_id,
        "device_id": device_id,
        "active": device.active,
        "downloads": int(device.fields.get("downloads", "0")),
        "completed": int(device.fields.get("completed", "0")),
        "last_activity": int(device.fields["last_activity"]),
    }
