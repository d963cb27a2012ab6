"""Sets of places so large that sets are too large for them: eight bytes for each, in no order."""

from array import array

from projections.whole import Place

_PARTS = 256


def mark_of(place: Place) -> int:
    """A number that stands for a place, in this process: a document is one, whatever it is stored in."""
    tag, kind, document = place
    return hash((tag, document) if kind in ("doc", "holds") else (tag, ""))


class Marks:
    """Marks of places, with repetitions."""

    def __init__(self) -> None:
        self._parts = [array("q") for _ in range(_PARTS)]

    def add(self, mark: int) -> None:
        """Take one in."""
        self._parts[mark % _PARTS].append(mark)

    def without(self, other: "Marks") -> set[int]:
        """Those that are not in the other."""
        found: set[int] = set()
        for ours, theirs in zip(self._parts, other._parts, strict=True):
            found |= set(ours).difference(theirs)
        return found
