"""Whether a generation that nobody writes to is what the events make of it, before it goes live."""

from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from ops.settings import Settings
from ops.truth import stores
from ops.truth.documents import MODULUS, Difference, digest, digest_of
from ops.truth.histories import Reader, Tell
from ops.truth.views import compared
from ops.truth.way import Topic
from projections.views.view import View
from projections.whole import Place, Tagged, Whole

#: Differences that a certificate names.
NAMED = 20
_MANY = 2000  # places that are read at once


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a generation was compared with, and how they differ: it is certified if `total` is 0.

    `differing`: the first of them. `digest`: of all documents and versions, the same for the same ones.
    """

    against: Literal["live", "store"]
    documents: int
    digest: str
    differing: list[Difference]
    total: int


def certify(
    settings: Settings,
    view: View,
    generation: str,
    *,
    live: str | None = None,
    until: int | None = None,
    tell: Tell = lambda done, total: None,
) -> Certificate:
    """Compare a generation with the live one, if that is as far and of the same version; else, or if they differ, with
    the fold of the store.

    Nobody may write to it meanwhile; handlers, and the workers of other generations, may go on. `until`: it has the
    events up to that time (ms), and none after. `tell`: how many parts of the store are read.

    Raises:
        CassandraProblem, KafkaProblem, RedisError: a store does not answer.
        NotPrepared: tables or topics are missing.
        NewerRelease: an event is of a version that this release does not know.
    """
    with ExitStack() as opened:
        ours = opened.enter_context(stores.generation(settings, view, generation))
        if live is not None and until is None:
            others = opened.enter_context(stores.generation(settings, view, live))
            if (found := like(ours, others)) is not None:
                return found
        reader = opened.enter_context(stores.reader(settings))
        return folded(view, ours, reader, stores.EventsTopic(settings), until, tell)


def like(ours: Whole, live: Whole) -> Certificate | None:
    """The certificate of a generation that is like the live one; None: they are not, or cannot be compared."""
    positions = ours.positions()
    if not positions or ours.version() is None or (ours.version(), positions) != (live.version(), live.positions()):
        return None
    documents, total = _added_up(ours)
    if (documents, total) != _added_up(live) or live.positions() != positions:
        return None
    return Certificate("live", documents, f"{total:032x}", [], 0)


def _added_up(whole: Whole) -> tuple[int, int]:
    """How many documents, and the digest of everything. A place that a scan gives twice makes it another one."""
    documents = total = 0
    places = whole.scan()
    while some := list(islice(places, _MANY)):
        kinds = [kind for _, kind, _ in some]
        documents += kinds.count("doc") + _alone(whole, some)
        total += sum(map(digest, some, whole.values(some)))
    return documents, total % MODULUS


def _alone(whole: Whole, places: list[Place]) -> int:
    """How many documents have holds and nothing else."""
    held = [place for place in places if place[1] == "holds"]
    return sum(not fields for fields in whole.values([(tag, "doc", document) for tag, _, document in held]))


def folded(view: View, whole: Whole, reader: Reader, topic: Topic, until: int | None, tell: Tell) -> Certificate:
    """The certificate of a generation beside the fold of the store; it raises as `certify` does."""
    documents = total = 0

    def seen(tag: str, found: Tagged) -> None:
        nonlocal documents, total
        documents += sum(bool(one.fields or one.holds) for one in found.documents.values())
        total += digest_of(tag, found)

    looked = compared(view, whole, reader, until, seen)
    differing: list[Difference] = []
    looked.begin()
    for batch in reader.everything(tell):
        differing += looked.take(batch)
        differing += (
            Difference(one.account_id, one.account_id, None, "store", len(one.rows), "versions without gaps")
            for one in batch
            if one.broken
        )
    differing += looked.end()
    differing += looked.passed_by(topic)
    return Certificate("store", documents, f"{total % MODULUS:032x}", differing[:NAMED], len(differing))
