"""All three views from the events, written again from their description and sharing no code with them."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from schemas.events import Envelope


@dataclass
class PlainFold:
    """What the documents should be at one moment."""

    licenses: dict[str, dict[str, dict[str, Any]]] = field(default_factory=lambda: defaultdict(dict))
    devices: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    titles: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    def take(self, history: Iterable[Envelope]) -> None:
        """Fold one account's events in."""
        for envelope in history:
            said, account = envelope.event, self.licenses[envelope.account_id]
            device_id, title_id = getattr(said, "device_id", None), getattr(said, "title_id", None)
            if device_id is not None:
                self.devices[f"{envelope.account_id}/{device_id}"]["last_activity"] = envelope.at
            if envelope.type == "LicenseAcquired":
                account[said.license_id] = {  # type: ignore[union-attr]
                    "device_id": device_id,
                    "title_id": title_id,
                    "released": False,
                    "acquired_at": envelope.at,
                    "renewals": 0,
                    "completed": False,
                }
                self.devices[f"{envelope.account_id}/{device_id}"]["downloads"] += 1
                self.titles[str(title_id)]["acquired"] += 1
            if envelope.type == "DownloadCompleted":
                account[said.license_id]["completed"] = True  # type: ignore[union-attr]
                self.devices[f"{envelope.account_id}/{device_id}"]["completed"] += 1
                self.titles[str(title_id)]["completed"] += 1
            if envelope.type == "LicenseReleased":
                account[said.license_id]["released"] = True  # type: ignore[union-attr]
            if envelope.type == "LicenseRenewed":
                account[said.license_id]["renewals"] += 1  # type: ignore[union-attr]
            if hasattr(said, "expires_at"):
                account[said.license_id]["expires_at"] = said.expires_at  # type: ignore[union-attr]

    def license_documents(self, account_id: str, now: int) -> list[dict[str, Any]]:
        """What the view `licenses` should say about an account."""
        found = []
        for license_id, held in self.licenses[account_id].items():
            plain = {name: value for name, value in held.items() if name != "released"}
            state = "released" if held["released"] else "active" if held["expires_at"] > now else "expired"
            found.append({"license_id": license_id, "state": state, **plain})
        return sorted(found, key=lambda one: (one["acquired_at"], one["license_id"]))

    def active(self, now: int, device: str | None = None, title: str | None = None) -> int:
        """How many licences are active, of one device (`account/device`) or of one title."""
        return sum(
            not held["released"] and held["expires_at"] > now
            for account_id, licenses in self.licenses.items()
            for held in licenses.values()
            if title in {None, held["title_id"]} and device in {None, f"{account_id}/{held['device_id']}"}
        )
