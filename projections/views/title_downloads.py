"""title_downloads: how often each title is downloaded, over all accounts. Document id: `title_id`.

Accounts live on many partitions, so a title has one stored part for each; a query adds them up.
"""

from collections.abc import Sequence
from typing import Any

from projections.changes import Changes, Reading, hold
from projections.views.view import Tag
from schemas.events import (
    DownloadCompleted,
    Envelope,
    LicenseAcquired,
    LicenseReleased,
    LicenseRenewed,
    PlaybackStarted,
)

NAME = "title_downloads"
VERSION = "1"
TAG: Tag = "partition"


def project(envelope: Envelope) -> Changes:
    """Hash: acquired, completed. Holds: license_id, until it ends."""
    event = envelope.event
    if type(event) is LicenseAcquired:
        held = hold(event.title_id, event.license_id, event.expires_at, envelope.at)
        return ("add", event.title_id, "acquired", 1), *held
    if type(event) is DownloadCompleted:
        return (("add", event.title_id, "completed", 1),)
    if type(event) is PlaybackStarted or type(event) is LicenseRenewed:
        return hold(event.title_id, event.license_id, event.expires_at, envelope.at)
    if type(event) is LicenseReleased:
        return (("unhold", event.title_id, event.license_id, 0),)
    return ()


def query(key: str, parts: Sequence[Reading], now: int) -> dict[str, Any]:
    """One title at `now` (ms), summed over its parts."""
    return {
        "title_id": key,
        "acquired": sum(int(part.fields.get("acquired", "0")) for part in parts),
        "completed": sum(int(part.fields.get("completed", "0")) for part in parts),
        "active": sum(part.active for part in parts),
    }
