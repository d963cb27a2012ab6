"""The read model in memory: the same rules on dicts. Checks and what-if runs compare with it."""

from collections.abc import Iterable, Iterator, Sequence

from projections.changes import StoredDocument
from projections.chunk import Chunk, chunk_of, group
from projections.read_model import Applied, Behind, Outcome, OutOfStep
from projections.views.view import View
from schemas.events import Envelope


class MemoryReadModel:
    """Documents of one view. Keys are (tag, document id)."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.stored: dict[tuple[str, str], StoredDocument] = {}
        self._versions: dict[tuple[str, str], int] = {}
        self._positions: dict[int, int] = {}

    def apply_now(self, chunk: Chunk) -> Outcome:
        """Apply the chunk whole, or not at all."""
        position = self._positions.get(chunk.partition, 0)
        if position < chunk.begin:
            return Behind(position)
        seen: dict[str, int] = {}
        for tag, changes in chunk.tags.items():
            for account_id, (first, _) in changes.versions.items():
                version = self._versions.get((tag, account_id), 0)
                if version != first - 1:
                    seen[account_id] = version
        if seen:
            return OutOfStep(seen)
        for tag, changes in chunk.tags.items():
            for account_id, (_, last) in changes.versions.items():
                self._versions[tag, account_id] = last
            for document, draft in changes.drafts.items():
                draft.onto(self.stored.setdefault((tag, document), StoredDocument()))
        self._positions[chunk.partition] = max(position, chunk.end)
        return Applied()

    async def apply(self, chunk: Chunk) -> Outcome:
        """As `apply_now`."""
        return self.apply_now(chunk)

    async def positions(self, partitions: Iterable[int]) -> dict[int, int]:
        """The next offset to read, for each of the partitions."""
        return {partition: self._positions.get(partition, 0) for partition in partitions}

    def fold(self, partition: int, envelopes: Sequence[Envelope]) -> None:
        """Apply whole histories (every account from its first version on) of one partition.

        Raises:
            ValueError: a version is missing, or an account was folded before.
        """
        histories, holes = group(envelopes)
        position = self._positions.get(partition, 0)
        chunk = chunk_of(self.view, partition, position, position + len(envelopes), histories)
        outcome = OutOfStep({hole.account_id: hole.first - 1 for hole in holes}) if holes else self.apply_now(chunk)
        if outcome != Applied():
            raise ValueError(f"not whole histories: {outcome}")

    def export(self) -> Iterator[tuple[str, str, StoredDocument]]:
        """Every document: tag, id, content."""
        for (tag, document), stored in self.stored.items():
            yield tag, document, stored
