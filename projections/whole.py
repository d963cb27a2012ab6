"""A generation of a view as a whole: what checks and repairs read of it."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias

from projections.changes import StoredDocument

Kind: TypeAlias = Literal["doc", "holds", "pruned", "versions"]
#: What a generation stores under one key: its tag, its kind, the document (of `pruned` and `versions`: "").
Place: TypeAlias = tuple[str, Kind, str]
#: A hash as it is, or a sorted set as member -> score. What is no number there stays what it is.
Value: TypeAlias = Mapping[str, object]


@dataclass(slots=True)
class Tagged:
    """What is under one hash tag: account -> last version seen, and documents (those without anything left out)."""

    versions: dict[str, int] = field(default_factory=dict)
    documents: dict[str, StoredDocument] = field(default_factory=dict)


class Whole(Protocol):
    """One generation, read while workers may write to it."""

    def version(self) -> str | None:
        """The VERSION of the view that fills it; None: nobody has said."""
        ...

    def positions(self) -> dict[int, int]:
        """The next offset of each partition."""
        ...

    def scan(self, tag: str | None = None) -> Iterator[Place]:
        """All (under a tag) that was there before this call and still is; some of it may come twice."""
        ...

    def values(self, places: Sequence[Place]) -> list[Value]:
        """What is there, as of one moment."""
        ...

    def read(self, wanted: Sequence[tuple[str, Collection[str]]]) -> tuple[dict[int, int], list[Tagged]]:
        """Positions, and for each tag its versions and those of its documents that are asked for, as of one moment."""
        ...

    def replace(self, tag: str, by: Tagged, wrong: Mapping[str, object], gone: Collection[str]) -> dict[str, object]:
        """Put versions and documents in the place of all that is under a tag, in one step, and remove those `gone`.

        Nothing is changed where an account was seen further than `by` has it: those come back, with the versions seen.
        `wrong`: versions that stand there and are not to be minded.
        """
        ...
