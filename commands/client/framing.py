"""Values in Confluent's wire format, where there is a schema registry. It is asked on a thread of its own.

So a registry that is away, or slow, holds up nothing but what it has to be asked for.
"""

from collections.abc import Callable
from functools import partial
from queue import SimpleQueue
from threading import Event, Thread
from typing import Protocol

from schemas.confluent import Frames, Heads, Missing, framed, heads
from schemas.registry import Schema
from schemas.topics import Topics
from schemas.wire import frame_id, is_framed

_AGAIN = 0.2  # seconds between two questions to a registry that is away
_HELD = 10_000  # replies that wait for a schema; with more of them the rest waits in Kafka


class Asked(Protocol):
    """A registry. An exception says that it does not answer, or refuses."""

    def text(self, number: int) -> str | None:
        """The schema with an id; None: the registry has none."""
        ...

    def id_of(self, subject: str, schema: Schema) -> int:
        """The id of a schema, which is registered under the subject if it is not yet."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


class Framing:
    """Brings replies to single-object encoding, and commands to Confluent's wire format if they are to be `framed`.

    Without a registry both stay as they are. `trouble`: what is wrong with the registry now, in a sentence.
    """

    def __init__(self, topics: Topics, registry: Asked | None, *, framed: bool) -> None:
        self._topics, self._registry = topics, registry
        self._heads: Heads | None = {}
        self._frames = Frames()
        self._asked: set[int] = set()  # ids that an answer is awaited for
        self._missing = Missing()
        self._held: list[bytes] = []
        self._questions: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._closed = Event()
        self.trouble: str | None = None
        if registry is not None:
            if framed:
                self._heads, self.trouble = None, "the schema registry did not answer yet"
                self._questions.put(partial(self._register, registry))
            Thread(target=self._ask, args=(registry,), name="licensing-client-registry", daemon=True).start()

    @property
    def ready(self) -> bool:
        """Whether commands can be sent."""
        return self._heads is not None

    @property
    def waits(self) -> str | None:
        """What replies wait for, in a sentence; None: none of them waits."""
        return f"replies wait for their schema; {self.trouble or 'the registry is slow'}" if self._held else None

    @property
    def room(self) -> bool:
        """Whether more replies may come."""
        return len(self._held) < _HELD

    def command(self, value: bytes) -> bytes:
        """A command as it goes to the topic; to be asked for once it is `ready`."""
        return framed(self._heads or {}, self._topics.commands, value) or value

    def replies(self, values: list[bytes]) -> list[bytes]:
        """What can be read of all that has come and was not given yet; the rest waits for the registry's answer.

        An id that the registry does not have is not waited for: such a value is given as it is.
        """
        if self._registry is None:
            return values
        readable: list[bytes] = []
        held: list[bytes] = []
        for value in self._held + values:
            (held if self._must_wait(self._registry, value) else readable).append(value)
        self._held = held
        return [self._frames.plain(value) for value in readable]

    def unread(self, value: bytes) -> str | None:
        """Why a value that was given cannot be read, if it is for want of a registry or of what should be in it."""
        if not is_framed(value):
            return None
        if self._registry is None:
            where = "tell the client where the schema registry is, Client(..., registry='http://host:8081')"
            return f"it is in Confluent's wire format: {where}"
        return f"the schema registry has no schema with the id {frame_id(value)}, or none to read with"

    def close(self) -> None:
        """Ask no more; who is asking now finds out by itself."""
        self._closed.set()
        self._questions.put(lambda: None)

    def _must_wait(self, registry: Asked, value: bytes) -> bool:
        if not is_framed(value):
            return False
        number = frame_id(value)
        if number in self._asked:
            return True
        # An answer is there before it is no longer awaited, so nothing is asked for twice.
        if self._frames.unknown(value) is None or number in self._missing:
            return False
        self._asked.add(number)
        self._questions.put(partial(self._learn, registry, number))
        return True

    # -- what follows runs on the thread that asks

    def _ask(self, registry: Asked) -> None:
        while not self._closed.is_set():
            question = self._questions.get()
            try:
                question()
                self.trouble = None
            except Exception as error:  # the registry's client has no common base for what it raises
                self.trouble = f"the schema registry: {type(error).__name__}: {error}"
                self._questions.put(question)
                self._closed.wait(_AGAIN)
        registry.close()

    def _register(self, registry: Asked) -> None:
        self._heads = heads(self._topics, (self._topics.commands,), registry.id_of)

    def _learn(self, registry: Asked, number: int) -> None:
        text = registry.text(number)
        if text is not None:
            self._frames.learn(number, text)
        else:
            self._missing.add(number)
        self._asked.discard(number)
