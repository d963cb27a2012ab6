"""Commands: what upstream services ask for. One account each; a retry carries the same `command_id`."""

from typing import Literal, TypeAlias

from msgspec import Struct

from schemas.aggregates import OtherCommand, commands

#: How good a file a device downloads.
DownloadQuality: TypeAlias = Literal["standard", "high"]


class SetPlan(Struct, frozen=True, gc=False):
    """Put the account on a plan of the policy."""

    command_id: str
    account_id: str
    correlation_id: str | None
    plan: str


class AcquireLicense(Struct, frozen=True, gc=False):
    """Ask for the licence to download a title to a device."""

    command_id: str
    account_id: str
    correlation_id: str | None
    device_id: str
    title_id: str
    download_quality: DownloadQuality = "standard"


class CompleteDownload(Struct, frozen=True, gc=False):
    """The device has the whole title."""

    command_id: str
    account_id: str
    correlation_id: str | None
    device_id: str
    title_id: str


class StartPlayback(Struct, frozen=True, gc=False):
    """The device begins to play its download."""

    command_id: str
    account_id: str
    correlation_id: str | None
    device_id: str
    title_id: str


class RenewLicense(Struct, frozen=True, gc=False):
    """Extend a licence from now."""

    command_id: str
    account_id: str
    correlation_id: str | None
    device_id: str
    title_id: str


class ReleaseLicense(Struct, frozen=True, gc=False):
    """Give a licence back."""

    command_id: str
    account_id: str
    correlation_id: str | None
    device_id: str
    title_id: str


class DeactivateDevice(Struct, frozen=True, gc=False):
    """Take the device off the account; all that it holds is released."""

    command_id: str
    account_id: str
    correlation_id: str | None
    device_id: str


Command: TypeAlias = (
    SetPlan | AcquireLicense | CompleteDownload | StartPlayback | RenewLicense | ReleaseLicense | DeactivateDevice
)

#: Of any aggregate.
AnyCommand: TypeAlias = Command | OtherCommand

COMMANDS: dict[str, type[AnyCommand]] = {
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
COMMANDS |= commands()
