"""What this release would make of a dead letter now, and what there is to do about it. Pure."""

from collections.abc import Callable
from typing import Literal, NamedTuple

from commands.intake import Message, Poison, read_command
from ops.dead_letters.letter import Letter
from schemas.codec import DecodeError, decode_event
from schemas.topics import Topics

#: `ready`: a command that this release can read. `unreadable`: it would be a dead letter again. `event`: it comes from
#: the events topic, and is not put back there. `stray`: it does not say where it belongs.
Verdict = Literal["ready", "unreadable", "event", "stray"]


class Judged(NamedTuple):
    """A verdict; `why`: what is in it, or what is wrong with it now."""

    verdict: Verdict
    why: str


class Judge:
    """Judges letters of these topics, which have so many partitions; `plain` undoes the frame of a schema registry."""

    def __init__(self, topics: Topics, partitions: int, plain: Callable[[bytes], bytes]) -> None:
        self.topics, self.partitions = topics, partitions
        self._plain = plain

    def __call__(self, letter: Letter) -> Judged:
        """The verdict on a letter."""
        value = None if letter.value is None else self._plain(letter.value)
        if letter.topic == self.topics.events:
            return Judged("event", _event(value or b""))
        if letter.topic != self.topics.commands or letter.source is None:
            return Judged(
                "stray", f"it came from {letter.topic}" if letter.topic else "nothing says where it came from"
            )
        home = letter.partition(self.partitions)
        read = read_command(Message(0, letter.at, letter.key, value), home, self.partitions)
        if isinstance(read, Poison):
            return Judged("unreadable", read.message)
        return Judged("ready", f"{type(read).__name__} of {read.account_id}")


def _event(value: bytes) -> str:
    try:
        envelope = decode_event(value)
    except DecodeError as error:
        return str(error)
    return f"{envelope.type}, version {envelope.version} of {envelope.account_id}"


def advice(letter: Letter, judged: Judged) -> str:
    """What to do about a letter."""
    if judged.verdict == "ready":
        return f"This release can read it. Send it again: licensing dead-letters replay {letter.place} --yes"
    if judged.verdict == "event":
        return (
            "A worker could not read this event and went on without it. It is not put back: on the topic it would come"
            " behind later events of its account. The event store has every event that there is: `licensing check`"
            " finds what a view lacks, `licensing repair` or `licensing rebuild` bring it in."
        )
    if judged.verdict == "stray":
        return "No handler or worker of this system wrote it: look who else writes to the dead-letters topic."
    if letter.exception == "UnknownSchema":
        return (
            "Its sender writes a schema that this release does not have. If a newer release has it, upgrade the"
            " handlers, then replay it; else its sender has to be set right, and send the command again."
        )
    return (
        "No release could read it as it is: its sender has to be set right, and send the command again in a form that"
        " holds. When nobody needs it any more, it can be purged."
    )
