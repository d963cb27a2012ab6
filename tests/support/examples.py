"""Examples of every message, and builders with defaults: a test states only what differs.

Times are int milliseconds since the epoch, UTC; the story begins at `T0`.
"""

from dataclasses import dataclass
from uuid import UUID, uuid5

from commands.account import DAY
from commands.policy import Policy, Terms
from schemas import commands as c
from schemas import events as e
from schemas.codec import encode_command, encode_event
from schemas.journal import Batch, Entry
from schemas.replies import Reply

HOUR = 3_600_000
T0 = 1_772_323_200_000  # 2026-03-01T00:00:00Z
ACCOUNT, DEVICE, TITLE = "member-1", "tablet", "alien-1979"
COMMAND = "11111111-1111-4111-8111-111111111111"
VERSION = "test"
POLICY = Policy(
    version=VERSION,
    plans={"basic": 1, "standard": 2, "premium": 6},
    device_downloads=100,
    renewal_grace=7 * DAY,
    defaults=Terms(duration=30 * DAY, renewals=5),
    titles={
        "short": Terms(duration=7 * DAY, renewals=1),
        "leaving": Terms(duration=30 * DAY, renewals=5, available_until=T0 + 40 * DAY),
        "windowed": Terms(duration=30 * DAY, renewals=5, playback_window=48 * HOUR),
        "rare": Terms(duration=30 * DAY, renewals=5, yearly_limit=3),
        "never": Terms(duration=30 * DAY, renewals=5, yearly_limit=0),
    },
)


def day(number: float) -> int:
    """That many days after the beginning."""
    return T0 + round(number * DAY)


def command_id(number: int) -> str:
    """A command id of its own for each number."""
    return str(uuid5(UUID(COMMAND), f"command {number}"))


def license_of(command: str) -> str:
    """The licence that an acquisition with this command id grants."""
    return str(uuid5(UUID(command), "license"))


LICENSE = license_of(COMMAND)


def set_plan(plan: str = "standard", *, command_id: str = COMMAND, account_id: str = ACCOUNT) -> c.SetPlan:
    return c.SetPlan(command_id, account_id, None, plan)


@dataclass(frozen=True)
class _OnLicense:
    """Builds a command about one device's licence for one title."""

    kind: type[c.AcquireLicense | c.CompleteDownload | c.StartPlayback | c.RenewLicense | c.ReleaseLicense]

    def __call__(
        self, device: str = DEVICE, title: str = TITLE, *, command_id: str = COMMAND, account_id: str = ACCOUNT
    ) -> c.Command:
        return self.kind(command_id, account_id, None, device, title)


acquire = _OnLicense(c.AcquireLicense)
complete = _OnLicense(c.CompleteDownload)
play = _OnLicense(c.StartPlayback)
renew = _OnLicense(c.RenewLicense)
release = _OnLicense(c.ReleaseLicense)


def deactivate(device: str = DEVICE, *, command_id: str = COMMAND, account_id: str = ACCOUNT) -> c.DeactivateDevice:
    return c.DeactivateDevice(command_id, account_id, None, device)


def plan_set(plan: str = "standard") -> e.PlanChosen:
    return e.PlanChosen(plan, VERSION)


def plan_changed(plan: str, was: str | None) -> e.PlanChanged:
    return e.PlanChanged(plan, was, VERSION)


def acquired(
    device: str = DEVICE, title: str = TITLE, *, until: int = day(30), license_id: str = LICENSE
) -> e.LicenseAcquired:
    return e.LicenseAcquired(license_id, device, title, until, VERSION)


def completed(device: str = DEVICE, title: str = TITLE, *, license_id: str = LICENSE) -> e.DownloadCompleted:
    return e.DownloadCompleted(license_id, device, title, VERSION)


def played(
    device: str = DEVICE, title: str = TITLE, *, until: int = day(30), license_id: str = LICENSE
) -> e.PlaybackStarted:
    return e.PlaybackStarted(license_id, device, title, until, VERSION)


def renewed(
    device: str = DEVICE, title: str = TITLE, *, until: int, times: int = 1, license_id: str = LICENSE
) -> e.LicenseRenewed:
    return e.LicenseRenewed(license_id, device, title, until, times, VERSION)


def released(device: str = DEVICE, title: str = TITLE, *, license_id: str = LICENSE) -> e.LicenseReleased:
    return e.LicenseReleased(license_id, device, title, VERSION)


def deactivated(device: str = DEVICE) -> e.DeviceDeactivated:
    return e.DeviceDeactivated(device, VERSION)


def envelope(
    event: e.Event, version: int = 1, *, at: int = T0, account_id: str = ACCOUNT, command: str | None = None
) -> e.Envelope:
    """The event as the `version`-th of an account."""
    cause = command or command_id(version)
    return e.Envelope(str(uuid5(UUID(cause), "0")), account_id, version, at, cause, None, event)


COMMAND_EXAMPLES: tuple[c.Command, ...] = (
    c.SetPlan(COMMAND, ACCOUNT, "visit-7", "premium"),
    c.AcquireLicense(COMMAND, ACCOUNT, None, DEVICE, TITLE, "high"),
    complete(),
    play(),
    renew(),
    release(),
    deactivate(),
)
EVENT_EXAMPLES: tuple[e.Envelope, ...] = (
    e.Envelope(str(uuid5(UUID(COMMAND), "0")), ACCOUNT, 1, T0, COMMAND, "visit-7", plan_set("premium")),
    envelope(e.LicenseAcquired(LICENSE, DEVICE, TITLE, day(30), VERSION, "high"), 2),
    envelope(completed(), 3, at=day(1)),
    envelope(played(until=day(3)), 4, at=day(1)),
    envelope(renewed(until=day(32)), 5, at=day(2)),
    envelope(released(), 6, at=day(4)),
    envelope(deactivated(), 7, at=day(4)),
    envelope(plan_changed("basic", "premium"), 8, at=day(4)),
)
REPLY_EXAMPLE = Reply(COMMAND, ACCOUNT, "visit-7", "accepted", None, None, 1, 2, "licensing.events", 3, 1 << 40)
REJECTION_EXAMPLE = Reply(COMMAND, ACCOUNT, None, "rejected", "no_plan", "the account is on no plan")
BATCH_EXAMPLE = Batch(
    5,
    9,
    (
        Entry(
            5,
            T0,
            encode_command(COMMAND_EXAMPLES[0]),
            "accepted",
            events=(encode_event(EVENT_EXAMPLES[0]),),
            policy_version=VERSION,
            first_version=1,
            last_version=1,
        ),
        Entry(
            7,
            -1,
            None,
            "dead_letter",
            exception="DecodeError",
            message="begins with nothing",
            stage="decode",
            key=b"\xff",
            headers=(("trace", b"\x00"), ("empty", None)),
        ),
        Entry(
            8,
            T0,
            encode_command(acquire()),
            "rejected",
            rejection="device_limit",
            message="2 devices hold downloads",
            policy_version=VERSION,
        ),
    ),
)
