"""An account as it was: the nearest snapshot before a moment, and the events after it."""

from dataclasses import dataclass

from commands.account import Account
from commands.accounts import extend
from commands.aggregates import aggregate_of
from commands.ports import EventStore, Snapshots


@dataclass(frozen=True, slots=True)
class Past:
    """A state, and what it was made of: a snapshot of version `base` (0: none, it begins with the first event)."""

    state: Account
    base: int
    folded: int


def state_as_of(
    account_id: str, events: EventStore, snapshots: Snapshots, *, version: int | None = None, at: int | None = None
) -> Past:
    """The account after all its events up to a version, and up to a time (ms). Version 0: nothing had happened yet.

    Raises:
        StoreUnavailable: a store cannot be read now.
        NewerRelease: an event is of a version that this release does not know.
        BrokenHistory: a version is missing.
    """
    draft = snapshots.as_of(account_id, version, at) or aggregate_of(account_id).initial()
    base = draft.version
    for envelope in events.read(account_id, base, version):
        if at is not None and envelope.at > at:
            break  # an account's time never goes back
        extend(draft, (envelope,))
    return Past(draft, base, draft.version - base)
