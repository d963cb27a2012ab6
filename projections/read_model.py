"""The port of a read model: where the documents of one view and generation are kept."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from projections.chunk import Chunk


@dataclass(frozen=True, slots=True)
class Applied:
    """The chunk's effect, its versions and its position are stored, in one atomic step."""


@dataclass(frozen=True, slots=True)
class Behind:
    """Nothing was applied: the model's position is before the chunk's begin. Read again from `position`."""

    position: int


@dataclass(frozen=True, slots=True)
class OutOfStep:
    """Nothing was applied: these accounts are not one version before the chunk (account -> last version seen)."""

    seen: Mapping[str, int]


Outcome: TypeAlias = Applied | Behind | OutOfStep


class ReadModel(Protocol):
    """Documents, versions and positions of one view and generation."""

    async def apply(self, chunk: Chunk) -> Outcome:
        """Apply the chunk whole, or not at all."""

    async def positions(self, partitions: Iterable[int]) -> dict[int, int]:
        """The next offset to read, for each of the partitions. 0: nothing was applied yet."""
