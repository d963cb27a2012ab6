"""A chunk as the script `apply.lua` reads it, and the script's answer."""

from typing import Any

from msgspec import msgpack

from projections.changes import Draft
from projections.chunk import Chunk
from projections.read_model import Applied, Behind, Outcome, OutOfStep

_encode = msgpack.Encoder().encode


def encode(chunk: Chunk) -> bytes:
    """One msgpack blob. Values go as strings: Redis stores them so, and Lua has nothing to convert."""
    tags = [
        (
            tag,
            [item for account, (first, last) in changes.versions.items() for item in (account, first, last)],
            [_document(document, draft) for document, draft in changes.drafts.items()],
        )
        for tag, changes in chunk.tags.items()
    ]
    return _encode((chunk.begin, chunk.end, tags))


def _document(document: str, draft: Draft) -> tuple[str, list[str], list[str], list[str], list[str], int]:
    adds = [item for field, amount in draft.adds.items() for item in (field, str(amount))]
    puts = [item for pair in draft.puts.items() for item in pair]
    holds: list[str] = []
    unholds: list[str] = []
    for member, end in draft.holds.items():
        if end is None:
            unholds.append(member)
        else:
            holds += (str(end), member)
    return document, adds, puts, holds, unholds, draft.prune


def decode(answer: list[Any]) -> Outcome:
    """What the script returned."""
    match answer:
        case [b"applied"]:
            return Applied()
        case [b"behind", position]:
            return Behind(int(position))
        case [b"out of step", *pairs]:
            return OutOfStep(
                {account.decode(): int(seen) for account, seen in zip(pairs[::2], pairs[1::2], strict=True)}
            )
    raise ValueError(f"unexpected answer of the script: {answer!r}")
