"""What a check finds."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from ops.truth.documents import Difference

#: `versions`, `event-id`, `snapshot`: within the store. The others: between the store and what follows it.
Kind: TypeAlias = Literal["versions", "event-id", "snapshot", "topic", "view"]
KINDS: tuple[Kind, ...] = ("versions", "event-id", "snapshot", "topic", "view")


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it should be. `where`: a view, a document, or a place on the topic, as the kind has it.

    `tag` and `first`: what a repair needs: a hash tag of the view, the first version to publish again.
    """

    kind: Kind
    account_id: str | None
    where: str
    is_: object
    should: object
    view: str | None = None
    tag: str | None = None
    first: int | None = None


def of_view(view: str, one: Difference) -> Finding:
    """A difference in the live generation of a view."""
    where = f"{view} {one.document or 'version'}" + ("" if one.what in ("version", "document") else f" {one.what}")
    return Finding("view", one.account_id, where, one.found, one.expected, view, one.tag)
