"""The messages of other aggregates than the account: a file for each, found by being here (ops/another-aggregate.md).

A file has two tuples of message classes, `COMMANDS` and `EVENTS`. Its name is the aggregate's; with it and a colon
begins the `account_id` of all its messages.
"""

import pkgutil
from importlib import import_module
from typing import Any

from msgspec import Struct


class OtherCommand(Struct, frozen=True, gc=False):
    """What every command begins with."""

    command_id: str
    account_id: str
    correlation_id: str | None


class OtherEvent(Struct, frozen=True, gc=False):
    """What every event begins with, after its envelope."""

    policy_version: str


#: Aggregate -> the module with its messages.
MODULES: dict[str, Any] = {
    found.name: import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)
}


def commands() -> dict[str, type[OtherCommand]]:
    """The commands of all of them, by name."""
    return {cls.__name__: cls for module in MODULES.values() for cls in module.COMMANDS}


def events() -> dict[str, type[OtherEvent]]:
    """The events of all of them, by name."""
    return {cls.__name__: cls for module in MODULES.values() for cls in module.EVENTS}
