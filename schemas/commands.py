"""Commands: what upstream services ask for. One account each; a retry carries the same `command_id`."""

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class SetPlan:
    """Put the account on a plan of the policy."""

    command_id: str
    account_id: str
    correlation_id: str | None
    plan: str


@dataclass(frozen=True, slots=True)
class AcquireLicense:
    """Ask for the licence to download a title to a device."""

    command_id: str
    account_id: str
    correlation_id: str | None
    device_id: str
    title_id: str


@dataclass(frozen=True, slots=True)
class CompleteDownload:
    """The device has the whole title."""

    command_id: str
    account_id: str
    correlation_id: str | None
    device_id: str
    title_id: str


@dataclass(frozen=True, slots=True)
class StartPlayback:
    """The device begins to play its download."""

    command_id: str
    account_id: str
    correlation_id: str | None
    device_id: str
    title_id: str


@dataclass(frozen=True, slots=True)
class RenewLicense:
    """Extend a licence from now."""

    command_id: str
    account_id: str
    correlation_id: str | None
    device_id: str
    title_id: str


@dataclass(frozen=True, slots=True)
class ReleaseLicense:
    """Give a licence back."""

    command_id: str
    account_id: str
    correlation_id: str | None
    device_id: str
    title_id: str


@dataclass(frozen=True, slots=True)
class DeactivateDevice:
    """Take the device off the account; all that it holds is released."""

    command_id: str
    account_id: str
    correlation_id: str | None
    device_id: str


Command: TypeAlias = (
    SetPlan | AcquireLicense | CompleteDownload | StartPlayback | RenewLicense | ReleaseLicense | DeactivateDevice
)

COMMANDS: dict[str, type[Command]] = {
    cls.__name__: cls
    for cls in (
        SetPlan,
        AcquireLicense,
        CompleteDownload,
        StartPlayback,
        RenewLicense,
        ReleaseLicense,
        DeactivateDevice,
    )
}
