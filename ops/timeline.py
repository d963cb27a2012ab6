"""An account's timeline: its events, and the commands that were refused in between. Pure.

Times are int milliseconds since the epoch, UTC.
"""

from collections.abc import Iterable, Iterator, Sequence
from heapq import merge
from typing import TypeAlias

from msgspec import Struct

from commands.batch import Decided
from schemas.commands import AnyCommand
from schemas.events import Envelope


class Refused(Struct, frozen=True, gc=False):
    """A command that was refused at a time, when the account had `after` events; `policy` None: it is not recorded."""

    after: int
    at: int
    command: AnyCommand
    reason: str
    message: str
    policy: str | None


Step: TypeAlias = Envelope | Refused


def steps(events: Sequence[Envelope], decided: Iterable[Decided]) -> list[Step]:
    """The timeline of an account. `events`: all of them; `decided`: what the journal has kept of its commands."""
    both: tuple[Sequence[Step], ...] = (events, list(_refused(events, decided)))
    return list(merge(*both, key=_place))


def _place(step: Step) -> tuple[int, bool]:
    return (step.after, True) if isinstance(step, Refused) else (step.version, False)


def _refused(events: Sequence[Envelope], decided: Iterable[Decided]) -> Iterator[Refused]:
    """The journal may begin later than the account: how many events came before is told by the commands around."""
    waiting: list[Decided] = []
    after: int | None = None
    for one in decided:
        if one.envelopes:
            yield from _after(events, one.envelopes[0].version - 1, waiting)
            after = one.envelopes[-1].version
            waiting.clear()
        elif after is None:
            waiting.append(one)
        else:
            yield from _after(events, after, [one])
    yield from _after(events, len(events), waiting)


def _after(events: Sequence[Envelope], after: int, decided: Iterable[Decided]) -> Iterator[Refused]:
    at = events[after - 1].at if 0 < after <= len(events) else 0
    for one in decided:
        if (found := refusal(one, after, at)) is not None:
            yield found


def refusal(one: Decided, after: int, at: int) -> Refused | None:
    """What was decided as a refusal, if it is one. `after`, `at`: the events before it, and the time of the last."""
    entry, command = one.entry, one.command
    if command is None or entry.outcome != "rejected":
        return None
    moment = max(at, entry.timestamp)
    return Refused(after, moment, command, entry.rejection or "", entry.message or "", entry.policy_version)


class Live:
    """Goes on where a timeline ends."""

    def __init__(self, known: Sequence[Envelope]) -> None:
        self._after, self._at = (known[-1].version, known[-1].at) if known else (0, 0)

    def take(self, decided: Iterable[Decided]) -> Iterator[Step]:
        """The steps that these commands made; events that are known already are left out."""
        for one in decided:
            for envelope in one.envelopes:
                if envelope.version > self._after:
                    yield envelope
                    self._after, self._at = envelope.version, envelope.at
            if (found := refusal(one, self._after, self._at)) is not None:
                yield found
