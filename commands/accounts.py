"""Accounts at hand: a cache over snapshots and events."""

from collections import OrderedDict
from collections.abc import Iterable

from commands.account import Account
from commands.aggregates import OF_EVENT, aggregate_of
from commands.ports import EventStore, Snapshots
from schemas.events import Envelope


class BrokenHistory(Exception):
    """An account's events have a gap. Nothing can be decided on it."""


def extend(draft: Account, history: Iterable[Envelope]) -> Account:
    """`fold` in place over events that may be known already.

    Raises:
        BrokenHistory: a version is missing.
    """
    for envelope in history:
        if envelope.version == draft.version + 1:
            OF_EVENT[type(envelope.event)].apply(draft, envelope)
        elif envelope.version > draft.version:
            raise BrokenHistory(f"account {envelope.account_id}: version {draft.version + 1} is missing")
    return draft


def load(
    account_ids: Iterable[str], below: int, events: EventStore, snapshots: Snapshots, shard: int | None = None
) -> dict[str, Account]:
    """The accounts as stored: the newest snapshot, and the events after it from the shard's positions before `below`.

    A snapshot may be further on already, if another owner has followed up what this one has yet to see.

    Raises:
        StoreUnavailable: a store cannot be read now.
        NewerRelease: an event is of a version that this release does not know.
        BrokenHistory: a version is missing.
        NotPrepared: an account came from another shard.
    """
    wanted = list(account_ids)
    states = snapshots.latest(wanted)
    bases = {account_id: states.get(account_id) or aggregate_of(account_id).initial() for account_id in wanted}
    tails = events.read_many(((account_id, base.version) for account_id, base in bases.items()), below, shard)
    return {account_id: extend(base, tails[account_id]) for account_id, base in bases.items()}


class AccountCache:
    """The accounts used last, at most `capacity` of them; each belongs to one shard."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._held: OrderedDict[str, tuple[int, Account]] = OrderedDict()

    def get(self, account_id: str) -> Account | None:
        """The account, if it is at hand."""
        held = self._held.get(account_id)
        if held is None:
            return None
        self._held.move_to_end(account_id)
        return held[1]

    def put(self, shard: int, accounts: dict[str, Account]) -> None:
        """Keep accounts; the longest unused make room."""
        for account_id, account in accounts.items():
            self._held[account_id] = (shard, account)
            self._held.move_to_end(account_id)
        while len(self._held) > self._capacity:
            self._held.popitem(last=False)

    def drop(self, shard: int) -> None:
        """Forget a shard's accounts: somebody else may change them now."""
        for account_id in [a for a, (owner, _) in self._held.items() if owner == shard]:
            del self._held[account_id]
