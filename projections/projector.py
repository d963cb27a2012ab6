"""How a chunk gets into a read model: apply; where an account is out of step, drop copies or fill gaps; again."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from projections.chunk import Chunk, Histories, chunk_of, group
from projections.read_model import Applied, Behind, Outcome
from projections.views.view import View
from schemas.events import Envelope

#: Applies a chunk to a read model, whole or not at all.
Apply: TypeAlias = Callable[[Chunk], Awaitable[Outcome]]
#: Reads `first` <= version <= `last` of an account from the event store, in order.
ReadEvents: TypeAlias = Callable[[str, int, int], Awaitable[list[Envelope]]]


class MissingEvents(Exception):
    """Neither the topic nor the event store has them. Guessing would make the view wrong for ever."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A chunk to apply, and what it was made from: to make it anew where an account is out of step."""

    chunk: Chunk
    histories: Histories


class Projector:
    """Brings chunks of any partition into one read model."""

    def __init__(self, view: View, apply: Apply, read_events: ReadEvents) -> None:
        self._view = view
        self._apply = apply
        self._read_events = read_events

    async def project(self, partition: int, begin: int, end: int, envelopes: Sequence[Envelope]) -> Applied | Behind:
        """`prepare` and `apply` in one."""
        return await self.apply(await self.prepare(partition, begin, end, envelopes))

    async def prepare(self, partition: int, begin: int, end: int, envelopes: Sequence[Envelope]) -> Prepared:
        """All that can be done about the offsets `begin` <= o < `end` while the chunk before them is being applied.

        Raises:
            MissingEvents: a version is neither here nor in the event store.
        """
        histories, holes = group(envelopes)
        for hole in holes:
            missing = await self._missing(hole.account_id, hole.first, hole.last)
            histories[hole.account_id] = sorted([*histories[hole.account_id], *missing], key=lambda e: e.version)
        return Prepared(chunk_of(self._view, partition, begin, end, histories), histories)

    async def apply(self, prepared: Prepared) -> Applied | Behind:
        """Apply the chunk, exactly once whatever was applied before.

        Raises:
            MissingEvents: a version is neither here nor in the event store.
        """
        chunk, histories = prepared.chunk, prepared.histories
        while True:
            outcome = await self._apply(chunk)
            if isinstance(outcome, Applied | Behind):
                return outcome
            for account_id, seen in outcome.seen.items():
                await self._step(histories, account_id, seen)
            chunk = chunk_of(self._view, chunk.partition, chunk.begin, chunk.end, histories)

    async def _step(self, histories: Histories, account_id: str, seen: int) -> None:
        """Make the account's events begin right after the version that the model has seen."""
        history = histories[account_id]
        first, last = history[0].version, history[-1].version
        if seen >= last:
            del histories[account_id]
        elif seen >= first:
            histories[account_id] = history[seen - first + 1 :]
        else:
            histories[account_id] = [*await self._missing(account_id, seen + 1, first - 1), *history]

    async def _missing(self, account_id: str, first: int, last: int) -> list[Envelope]:
        events = await self._read_events(account_id, first, last)
        if [event.version for event in events] != list(range(first, last + 1)):
            raise MissingEvents(f"account {account_id}: versions {first} to {last} are not all in the event store")
        return events
