"""The aggregates: the account, and one for each file here (ops/another-aggregate.md). Pure.

Where generic code says `Account`, the state of any of them will do: it is asked for `version`, `at`, `answered` and
`copy()`, no more.
"""

import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol

from commands import account
from commands.account import Account
from commands.decide import decide
from commands.policy import Policy
from schemas import aggregates as messages
from schemas.commands import COMMANDS
from schemas.events import EVENTS, Envelope, Event


class Refusal(Protocol):
    """A command that the rules refuse: a reason code, and the reason as a sentence."""

    @property
    def reason(self) -> str: ...  # noqa: D102
    @property
    def message(self) -> str: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Aggregate:
    """What the write side asks of an aggregate. `apply` changes the state that it is given."""

    name: str
    state: type[Account]
    state_version: int
    initial: Callable[[], Account]
    apply: Callable[[Any, Envelope], None]
    decide: Callable[[Any, Any, Policy, int], tuple[Event, ...] | Refusal]


ACCOUNT = Aggregate("account", Account, account.STATE_VERSION, account.initial, account.apply, decide)


def _other(name: str) -> Aggregate:
    found: Any = import_module(f"{__name__}.{name}")
    return Aggregate(name, found.State, found.STATE_VERSION, found.initial, found.apply, found.decide)


_OTHERS = {found.name: _other(found.name) for found in pkgutil.iter_modules(__path__)}
if _OTHERS.keys() != messages.MODULES.keys():
    raise ImportError(
        f"schemas/aggregates has {sorted(messages.MODULES)} and commands/aggregates {sorted(_OTHERS)}: "
        "an aggregate is a file of its name in both"
    )

#: By the class of a command, and of an event.
OF_COMMAND: dict[type[Any], Aggregate] = dict.fromkeys(COMMANDS.values(), ACCOUNT)
OF_EVENT: dict[type[Any], Aggregate] = dict.fromkeys(EVENTS.values(), ACCOUNT)
for _name, _module in messages.MODULES.items():
    OF_COMMAND |= dict.fromkeys(_module.COMMANDS, _OTHERS[_name])
    OF_EVENT |= dict.fromkeys(_module.EVENTS, _OTHERS[_name])


def aggregate_of(account_id: str) -> Aggregate:
    """The aggregate that an id belongs to, by what stands before its first colon."""
    return _OTHERS.get(account_id.partition(":")[0], ACCOUNT) if ":" in account_id else ACCOUNT
