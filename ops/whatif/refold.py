"""Folding a changed history: what could not have happened in it is left out, and said. Pure."""

from collections.abc import Iterable
from typing import NamedTuple

from msgspec.structs import replace

from commands.account import Account
from commands.aggregates import OF_EVENT, aggregate_of
from schemas.events import Envelope


class Folded(NamedTuple):
    """The history with versions and times anew, its state, and the events of the given one that did not fit in."""

    state: Account
    history: list[Envelope]
    impossible: list[Envelope]


def refold(account_id: str, history: Iterable[Envelope]) -> Folded:
    """Versions count from 1 without gaps, and an account's time never goes back."""
    state = aggregate_of(account_id).initial()
    found: list[Envelope] = []
    impossible: list[Envelope] = []
    for given in history:
        version, at = state.version + 1, max(state.at, given.at)
        envelope = given if (version, at) == (given.version, given.at) else replace(given, version=version, at=at)
        draft = state.copy()
        try:
            OF_EVENT[type(given.event)].apply(draft, envelope)
        except LookupError:  # it is about something that is not there now
            impossible.append(given)
            continue
        state = draft
        found.append(envelope)
    return Folded(state, found, impossible)
