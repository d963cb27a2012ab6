"""Documents as a fold makes them, what differs from them, and a digest of them in any order. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b

from msgspec import json

from ops.differences import differences
from projections.changes import Draft, StoredDocument, compact
from projections.views.view import View
from projections.whole import Place, Tagged, Value
from schemas.events import Envelope

#: Digests are added up to this.
MODULUS = 1 << 128
_NOTHING = StoredDocument()
_encode = json.Encoder(order="sorted").encode


@dataclass(frozen=True, slots=True)
class Difference:
    """Something in a generation that is not as the events have it; None: it is not there.

    `document` None: it is about the account's version. `what`: `version`, `document` (all of it), `fields.NAME`,
    `holds.MEMBER` or `pruned`.
    """

    tag: str
    account_id: str | None
    document: str | None
    what: str
    found: object
    expected: object


def fold(view: View, documents: dict[str, StoredDocument], history: Iterable[Envelope]) -> None:
    """Apply events to the documents of one tag."""
    drafts: dict[str, Draft] = {}
    for envelope in history:
        compact(drafts, view.project(envelope))
    for document, draft in drafts.items():
        stored = documents.get(document)
        if stored is None:
            stored = documents[document] = StoredDocument()
        draft.onto(stored)


def compare(
    tag: str, account_id: str | None, found: dict[str, StoredDocument], expected: dict[str, StoredDocument]
) -> Iterator[Difference]:
    """What differs between the documents of a tag; one without anything in it is the same as none."""
    if found == expected:
        return
    for document in expected | found:
        is_, should = found.get(document, _NOTHING), expected.get(document, _NOTHING)
        if is_ == should:
            continue
        if _NOTHING in (is_, should):
            yield Difference(tag, account_id, document, "document", _content(is_), _content(should))
            continue
        for change in differences(_content(is_), _content(should)):
            yield Difference(tag, account_id, document, change.what, change.was, change.becomes)


def _content(stored: StoredDocument) -> dict[str, object] | None:
    if stored == _NOTHING:
        return None
    parts = {"fields": stored.fields, "holds": stored.holds, "pruned": stored.pruned}
    return {name: part for name, part in parts.items() if part}


def digest(place: Place, value: Value) -> int:
    """128 bits of what stands in one place; nothing there is 0. The digest of many is their sum, modulo 2^128."""
    if not value:
        return 0
    return int.from_bytes(blake2b(_encode((place, value)), digest_size=16).digest())


def digest_of(tag: str, tagged: Tagged) -> int:
    """The digest of all that is under a tag."""
    versions = {account: str(version) for account, version in tagged.versions.items()}
    total, pruned = digest((tag, "versions", ""), versions), {}
    for document, stored in tagged.documents.items():
        total += digest((tag, "doc", document), stored.fields) + digest((tag, "holds", document), stored.holds)
        if stored.pruned:
            pruned[document] = str(stored.pruned)
    return total + digest((tag, "pruned", ""), pruned)
