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
    match event:
        case LicenseAcquired(title_id=title):
            return ("add", title, "acquired", 1), *hold(title, event.license_id, event.expires_at, envelope.at)
        case DownloadCompleted(title_id=title):
            return (("add", title, "completed", 1),)
        case PlaybackStarted(title_id=title) | LicenseRenewed(title_id=title):
            return hold(title, event.license_id, event.expires_at, envelope.at)
        case LicenseReleased(title_id=title):
            return (("unhold", title, event.license_id, 0),)
        case _:
            return ()


def query(key: str, parts: Sequence[Reading], now: int) -> dict[str, Any]:
    """One title at `now` (ms), summed over its parts."""
    return {
        "title_id": key,
        "acquired": sum(int(part.fields.get("acquired", "0")) for part in parts),
        "completed": sum(int(part.fields.get("completed", "0")) for part in parts),
        "active": sum(part.active for part in parts),
    }
