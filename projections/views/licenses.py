"""licenses: every licence that an account ever had. Document id: `account_id`."""

from collections.abc import Sequence
from typing import Any

from projections.changes import Changes, Reading
from projections.views.view import Tag
from schemas.events import (
    DownloadCompleted,
    Envelope,
    LicenseAcquired,
    LicenseReleased,
    LicenseRenewed,
    PlaybackStarted,
)

NAME = "licenses"
VERSION = "1"
TAG: Tag = "account"


def project(envelope: Envelope) -> Changes:
    """Hash: `<license_id>:<field>`; the state is what was last said (held or released), expiry is for the query."""
    account, event = envelope.account_id, envelope.event
    if type(event) is LicenseAcquired:
        license_id = event.license_id
        return (
            ("put", account, f"{license_id}:device", event.device_id),
            ("put", account, f"{license_id}:title", event.title_id),
            ("put", account, f"{license_id}:state", "held"),
            ("put", account, f"{license_id}:acquired_at", str(envelope.at)),
            ("put", account, f"{license_id}:expires_at", str(event.expires_at)),
            ("put", account, f"{license_id}:renewals", "0"),
            ("put", account, f"{license_id}:completed", "0"),
        )
    if type(event) is DownloadCompleted:
        return (("put", account, f"{event.license_id}:completed", "1"),)
    if type(event) is PlaybackStarted:
        return (("put", account, f"{event.license_id}:expires_at", str(event.expires_at)),)
    if type(event) is LicenseRenewed:
        return (
            ("put", account, f"{event.license_id}:expires_at", str(event.expires_at)),
            ("put", account, f"{event.license_id}:renewals", str(event.renewals)),
        )
    if type(event) is LicenseReleased:
        return (("put", account, f"{event.license_id}:state", "released"),)
    return ()


def query(key: str, parts: Sequence[Reading], now: int) -> dict[str, Any]:
    """The licences of one account at `now` (ms), oldest first."""
    (account,) = parts
    found: dict[str, dict[str, str]] = {}
    for name, value in account.fields.items():
        license_id, _, part = name.rpartition(":")
        found.setdefault(license_id, {})[part] = value
    licenses = [_license(license_id, stored, now) for license_id, stored in found.items()]
    return {"account_id": key, "licenses": sorted(licenses, key=lambda one: (one["acquired_at"], one["license_id"]))}


def _license(license_id: str, stored: dict[str, str], now: int) -> dict[str, Any]:
    expires_at = int(stored["expires_at"])
    state = "released" if stored["state"] == "released" else "active" if now < expires_at else "expired"
    return {
        "license_id": license_id,
        "device_id": stored["device"],
        "title_id": stored["title"],
        "state": state,
        "acquired_at": int(stored["acquired_at"]),
        "expires_at": expires_at,
        "renewals": int(stored["renewals"]),
        "completed": stored["completed"] == "1",
    }
