"""Sending dead letters back to where they came from, after whatever kept them out was set right.

A message goes with its bytes, key, own headers and *its own time*: that is when its sender meant it, it is decided
under the policy of that time, and an account's time never goes back anyway. It goes to the partition of its key, so
that one which was on the wrong partition is healed too. It is marked only when the brokers have it: whoever is
interrupted in between sends it twice at worst, and a command that wrote events is known by its id.
"""

import time
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Literal, NamedTuple

from commands.ports import Outgoing
from ops import kafka
from ops.dead_letters import marks
from ops.dead_letters.judge import Judge
from ops.dead_letters.letter import REPLAY_OF, Letter
from ops.kafka.changes import deliver
from ops.settings import Settings

_AT_ONCE = 500  # letters that are confirmed together


class Fate(NamedTuple):
    """What becomes of a letter. `refused` never goes; `left out` might, if it was asked for by itself or again."""

    letter: Letter
    what: Literal["goes", "left out", "refused"]
    why: str


class Replay:
    """Letters to be replayed. `again`: also those that were before. `named`: also those that will come back."""

    def __init__(self, settings: Settings, judge: Judge, known: marks.Marks, again: bool, named: bool) -> None:
        self._settings, self._judge, self._known = settings, judge, known
        self._again, self._named = again, named
        self._taken = set[str]()

    def fate(self, letter: Letter) -> Fate:
        """What would become of the next letter. Of copies of a letter, one goes."""
        verdict, why = self._judge(letter)
        before = self._known.of(letter)
        if verdict == "event":
            return Fate(letter, "refused", f"a worker's: an event is not put back, see `show` ({why})")
        if verdict == "stray":
            return Fate(letter, "refused", why)
        if before is not None and not self._again:
            return Fate(letter, "left out", f"replayed already{_as(before.place, letter)}; --again sends it again")
        if letter.origin in self._taken:
            return Fate(letter, "left out", "a copy of another one")
        if verdict == "unreadable" and not self._named:
            return Fate(letter, "left out", f"would come back: {why}")
        self._taken.add(letter.origin)
        return Fate(letter, "goes", why if verdict == "ready" else f"will come back: {why}")

    def send(self, letters: Iterable[Letter]) -> Iterator[Fate]:
        """Send those that go, and mark them; what became of each is said once that is done.

        Raises:
            KafkaProblem: Kafka does not take them. What was marked by then is sent.
        """
        settings, source = self._settings, iter(letters)
        marks.prepare(settings)
        producer = kafka.producer(settings.kafka)
        while some := [self.fate(letter) for letter in islice(source, _AT_ONCE)]:
            going = [fate.letter for fate in some if fate.what == "goes"]
            deliver(settings.kafka, producer, map(self.message, going))
            copies = [f.letter for f in some if f.what == "left out" and self._copied(f.letter)]
            marks.write(settings, producer, going + copies, int(time.time() * 1000))
            yield from some

    def message(self, letter: Letter) -> Outgoing:
        """The message that a letter was, saying that it is a replay."""
        topic, partition = self._settings.topics.commands, letter.partition(self._judge.partitions)
        headers = (*letter.headers, (REPLAY_OF, str(letter.place).encode()))
        return Outgoing(topic, partition, letter.key, letter.value, headers, letter.at if letter.at > 0 else None)

    def _copied(self, letter: Letter) -> bool:
        """Whether a copy of it was replayed and it is not marked itself: it waits no more."""
        replayed = letter.origin in self._taken or self._known.of(letter) is not None
        return replayed and not self._known.has(letter)


def _as(place: object, letter: Letter) -> str:
    return "" if place == letter.place else f" as {place}"
