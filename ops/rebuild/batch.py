"""What a source hands over to be applied."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from schemas.events import Envelope

#: Events in a chunk at most, or about: one Lua call, which holds everybody else up for some 30 ms.
EVENTS = 5000


@dataclass(frozen=True, slots=True)
class Batch:
    """Events of one partition. `begin`, `end`: the offsets that they are the whole of; equal where they come from
    elsewhere. `note`: to be kept once it and all before it are applied.
    """

    partition: int
    begin: int
    end: int
    envelopes: Sequence[Envelope]
    note: Mapping[str, str | int] = field(default_factory=dict)


class NewerEvent(Exception):
    """A newer release wrote an event, which this one cannot read and must not skip. The text says which version."""


def gapless(envelopes: Iterable[Envelope]) -> list[Envelope]:
    """An account's events from version 1 up to the first gap.

    Rows of a batch are not written in order: what is above a gap was not published when the scan began.
    """
    found: list[Envelope] = []
    for envelope in envelopes:
        if envelope.version != len(found) + 1:
            break
        found.append(envelope)
    return found
