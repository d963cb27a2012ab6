"""An account with two histories: the real one, and the one that would have been."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from msgspec import to_builtins

from commands.account import Account
from ops.differences import Change, differences
from schemas.events import Envelope

#: What only programs need, and what follows from the rest.
_LEFT_OUT = ("at", "answered")


@dataclass(slots=True)
class Parted:
    """The histories are the same up to `version`; then come the events `before` (real) and `after` (potential)."""

    account_id: str
    version: int
    was: Account
    becomes: Account
    before: list[Envelope] = field(default_factory=list)
    after: list[Envelope] = field(default_factory=list)

    def changes(self) -> list[Change]:
        """What differs between the two states."""
        return list(differences(_fields(self.was), _fields(self.becomes)))


def _fields(state: Account) -> dict[str, Any]:
    return {name: value for name, value in to_builtins(state).items() if name not in _LEFT_OUT}


def split(account_id: str, was: Account, becomes: Account, before: list[Envelope], after: list[Envelope]) -> Parted:
    """Two whole histories, and what they come to."""
    same = sum(1 for _ in _same(before, after))
    return Parted(account_id, same, was, becomes, before[same:], after[same:])


def _same(before: list[Envelope], after: list[Envelope]) -> Iterator[None]:
    for one, other in zip(before, after, strict=False):
        if one != other:
            return
        yield
