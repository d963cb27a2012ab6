"""The shape of a view: a module with these names."""

from collections.abc import Sequence
from typing import Any, Literal, Protocol, TypeAlias

from projections.changes import Changes, Reading
from schemas.events import Envelope

#: What the keys of a document share: its account, or the partition (a sum over accounts has one part in each).
Tag: TypeAlias = Literal["account", "partition"]


class View(Protocol):
    """A view. VERSION names its first generation, the only one that goes live by itself.

    Raise it when `project` changes its meaning.
    """

    NAME: str
    VERSION: str
    TAG: Tag

    def project(self, envelope: Envelope) -> Changes:
        """What the event does to the documents. Pure.

        It asks `type(event) is ...`: `isinstance` and `match` take 160 ns for each message class that does not fit.
        """

    def query(self, key: str, parts: Sequence[Reading], now: int) -> dict[str, Any]:
        """The document `key` from its stored parts (account: exactly one; partition: one or more). Pure."""


def tag_of(view: View, account_id: str, partition: int) -> str:
    """The hash tag of what an account of a partition changes in this view."""
    return account_id if view.TAG == "account" else f"p{partition}"
