"""Believable histories for tests of the read side: every event fits the ones before it."""

import random
from collections.abc import Iterator
from uuid import UUID

from schemas.events import (
    DeviceDeactivated,
    DownloadCompleted,
    Envelope,
    Event,
    LicenseAcquired,
    LicenseReleased,
    LicenseRenewed,
    PlanChosen,
    PlaybackStarted,
)

START = 1_790_000_000_000  # ms
DAY = 86_400_000


def uid(rng: random.Random) -> str:
    return str(UUID(int=rng.getrandbits(128)))


class Account:
    """Makes the events of one account, one step at a time (a step is one or more events)."""

    def __init__(self, rng: random.Random, account_id: str, devices: int = 3, titles: int = 20) -> None:
        self.rng, self.account_id = rng, account_id
        self.devices = [f"device:{n}" for n in range(devices)]
        self.titles = [f"title-{n}" for n in range(titles)]
        self.held: dict[tuple[str, str], str] = {}
        self.version, self.at = 0, START

    def step(self) -> list[Envelope]:
        self.at += self.rng.randrange(DAY)
        if self.rng.random() < 0.05:
            self.at += 150 * DAY  # so that what was held ended long ago, and accounts are far apart in time
        return [self._wrap(event) for event in self._events()]

    def _wrap(self, event: Event) -> Envelope:
        self.version += 1
        rng = self.rng
        return Envelope(uid(rng), self.account_id, self.version, self.at, uid(rng), None, event)

    def _events(self) -> list[Event]:
        rng = self.rng
        what = rng.choices(["acquire", "complete", "play", "renew", "release", "deactivate"], [6, 4, 3, 3, 2, 0.3])[0]
        if self.version == 0:
            return [PlanChosen("standard", "p1")]
        if what == "deactivate":
            device = rng.choice(self.devices)
            gone = [place for place in self.held if place[0] == device]
            released = [LicenseReleased(self.held.pop(place), *place, "p1") for place in gone]
            return [*released, DeviceDeactivated(device, "p1")]
        if what == "acquire" or not self.held:
            place = rng.choice(self.devices), rng.choice(self.titles)
            self.held[place] = uid(rng)  # what was held there had expired
            return [LicenseAcquired(self.held[place], *place, self._end(), "p1")]
        place = rng.choice(list(self.held))
        license_id = self.held[place]
        match what:
            case "complete":
                return [DownloadCompleted(license_id, *place, "p1")]
            case "play":
                return [PlaybackStarted(license_id, *place, self._end(), "p1")]
            case "renew":
                return [LicenseRenewed(license_id, *place, self._end(), rng.randrange(1, 5), "p1")]
        del self.held[place]
        return [LicenseReleased(license_id, *place, "p1")]

    def _end(self) -> int:
        return self.at + self.rng.randrange(1, 30) * DAY


def interleaved(seed: int, accounts: int, events: int, titles: int = 20) -> Iterator[Envelope]:
    """About `events` events of many accounts, mixed, each account in order."""
    rng = random.Random(seed)
    makers = [Account(rng, f"member:{seed}.{n}", titles=titles) for n in range(accounts)]
    made = 0
    while made < events:
        for envelope in rng.choice(makers).step():
            made += 1
            yield envelope
