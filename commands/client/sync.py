"""The client: a future of the reply for each command. One thread of its own takes the replies."""

import os
import threading
import time
from collections.abc import Iterable
from concurrent.futures import Future
from functools import cached_property, partial
from types import TracebackType
from typing import TYPE_CHECKING, Self

from commands.client.errors import Broken, Busy, ClientError, Closed, Forked, NoReply, NotDelivered
from commands.client.framing import Asked, Framing
from commands.client.kafka import Wire
from commands.client.waiting import Sent, Waiting
from schemas.codec import DecodeError, decode_reply, encode_command
from schemas.commands import COMMANDS, AnyCommand
from schemas.replies import Reply
from schemas.topics import Topics
from schemas.validation import InvalidCommand, validate

if TYPE_CHECKING:
    from commands.client.seen import Positions

_TURN = 0.1  # seconds at most between two looks at the clock
_AGAIN = 0.1  # seconds between two tries to begin


class Client:
    """Sends commands and takes their replies. Any thread may use it; a process that forks makes its own afterwards.

    It connects by itself, waits for brokers that are away, and holds at most `most` commands that are not answered.

    `redis`: URL of the views, to wait for one. `timeout`: seconds until a future gives up. `repeat_after`: seconds of
    silence after which a command that Kafka has is sent again, under its id and its time; twice as long the next time.
    `registry`: URL of a schema registry; replies are read in both forms then, and commands sent in Confluent's wire
    format, unless `framed` is False: as long as a handler runs that was not told of the registry.

    Raises:
        ImportError: there is a `registry`, and confluent-kafka's client of it is not installed.
    """

    def __init__(
        self,
        kafka: str = "127.0.0.1:9092",
        *,
        namespace: str = "licensing",
        redis: str | None = None,
        timeout: float = 30.0,
        repeat_after: float = 10.0,
        most: int = 10_000,
        registry: str | None = None,
        framed: bool = True,
    ) -> None:
        asked = _registry(registry)
        self._redis, self._namespace = redis, namespace
        self._timeout, self._repeat_after = timeout, repeat_after
        self._waiting = Waiting(most)
        self._changed = threading.Condition()  # guards all that follows, and tells of room and of the end
        self._ready = False
        self._ended: ClientError | None = None
        self._unread = ""
        self._pid = os.getpid()
        self._wire = Wire(kafka, Topics(namespace), timeout, most)
        self._framing = Framing(Topics(namespace), asked, framed=framed)
        self._thread = threading.Thread(target=self._run, name="licensing-client", daemon=True)
        self._thread.start()

    def send(self, command: AnyCommand) -> Future[Reply]:
        """Send a command. The future gives its reply, or raises NoReply, NotDelivered, Closed or Broken.

        A command that is under way already is not sent again: its reply is the reply to both. Waits while as many
        commands as may are under way. Callbacks of the future run on the client's thread and must not wait there.

        Raises:
            InvalidCommand: the handler would refuse to read it.
            ValueError: another command with the same id is under way.
            Busy, Closed, Broken, Forked: see there.
        """
        if os.getpid() != self._pid:
            raise Forked("this client was made before the process forked: make one in each process")
        value, timestamp = _encoded(command), time.time_ns() // 1_000_000
        deadline = time.monotonic() + self._timeout
        with self._changed:
            self._wait_for_room(deadline)
            future, sent = self._waiting.add(command, value, timestamp, deadline, self._repeat_after)
            failure = self._copy(sent) if sent is not None and self._ready else None
        if sent is not None and failure is not None:
            sent.end(failure)
        return future

    def wait_until_seen(self, view: str, reply: Reply, timeout: float = 10.0) -> None:
        """Wait until what the reply tells of is in a view; `timeout` in seconds. A refusal is nothing to wait for.

        Raises:
            NotSeen: not in time.
            ValueError: the client was not told where Redis is.
            ImportError: the package redis is not installed.
        """
        for pause in self.positions.until_seen(view, reply, timeout):
            time.sleep(pause)

    @cached_property
    def positions(self) -> "Positions":
        """How far the views have read. Nothing but this takes Redis."""
        from commands.client.seen import Positions  # noqa: PLC0415 - the rest does without the package

        if self._redis is None:
            raise ValueError(
                "to wait for a view, tell the client where it is: Client(..., redis='redis://host:port/0')"
            )
        return Positions(self._redis, self._namespace)

    def close(self) -> None:
        """Disconnect. Commands on their way go out if they do so within seconds; futures that wait raise Closed."""
        if os.getpid() != self._pid:
            return  # nothing of it is in this process
        with self._changed:
            self._ended = self._ended or Closed("the client was closed before the reply came")
            self._changed.notify_all()
        if threading.current_thread() is not self._thread:
            self._thread.join()
        if "positions" in self.__dict__:
            self.positions.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _wait_for_room(self, deadline: float) -> None:
        while self._waiting.full and self._ended is None:
            left = deadline - time.monotonic()
            if left <= 0 or threading.current_thread() is self._thread:
                raise Busy("too many commands wait for their replies: send fewer at once")
            self._changed.wait(left)
        if self._ended is not None:
            raise type(self._ended)(str(self._ended))

    def _copy(self, sent: Sent) -> Reply | NotDelivered | None:
        """Hand a copy to the producer; what the command ends with if it is not taken."""
        sent.copies += 1
        try:
            report = partial(self._reported, sent)
            self._wire.send(sent.command.account_id, self._framing.command(sent.value), sent.timestamp, report)
        except NotDelivered as error:
            self._changed.notify_all()  # if it ends, there is room
            return (sent.last or error) if self._waiting.failed(sent, time.monotonic()) else None
        return None

    # -- what follows runs on the client's own thread

    def _run(self) -> None:
        try:
            while self._ended is None:
                if self._ready or self._begin():
                    self._take(self._wire.poll(_TURN, self._framing.room))
                self._look_at_the_clock()
            ended = self._ended
        except Exception as error:
            ended = error if isinstance(error, Broken) else Broken(f"this should not happen: {error!r}")
        with self._changed:
            self._ended = ended
            left = self._waiting.clear()
            self._changed.notify_all()
        _end((sent, ended) for sent in left)
        self._framing.close()
        self._wire.close()

    def _begin(self) -> bool:
        prepared = self._framing.ready and self._wire.prepare()
        with self._changed:
            if not prepared and self._ended is None:
                self._changed.wait(_AGAIN)
            self._ready = prepared
            failures = [(sent, self._copy(sent)) for sent in self._waiting.all()] if prepared else []
        _end(failures)
        return prepared

    def _take(self, values: list[bytes]) -> None:
        replies = []
        for value in self._framing.replies(values):
            try:
                replies.append(decode_reply(value))
            except DecodeError as error:  # of a newer release, or of somebody who has no business on the topic
                self._unread = f" (a reply to somebody could not be read: {self._framing.unread(value) or error})"
        if not replies:
            return
        with self._changed:
            ended = [(sent, reply) for reply in replies if (sent := self._waiting.answered(reply)) is not None]
            self._changed.notify_all()
        _end(ended)

    def _look_at_the_clock(self) -> None:
        now = time.monotonic()
        with self._changed:
            failures = [(sent, self._copy(sent)) for sent in self._waiting.to_repeat(now)]
            overdue = self._waiting.overdue(now)
            if overdue:
                self._changed.notify_all()
        _end(failures)
        _end((sent, NoReply(self._why(sent))) for sent in overdue)

    def _reported(self, sent: Sent, trouble: str | None) -> None:
        with self._changed:
            if trouble is None:
                self._waiting.delivered(sent, time.monotonic())
            ended = trouble is not None and self._waiting.failed(sent, time.monotonic())
            if ended:
                self._changed.notify_all()
        if ended:
            sent.end(sent.last or NotDelivered(f"{sent.command.command_id} may not be on the topic: {trouble}"))

    def _why(self, sent: Sent) -> str:
        if sent.last is not None:
            state = f"one copy of it was {sent.last.outcome}, and another is not answered"
        elif not self._framing.ready:
            state = f"it was not sent; {self._framing.trouble}"
        elif sent.confirmed and self._framing.waits is not None:
            state = f"it is on the topic; {self._framing.waits}"
        elif sent.confirmed:
            state = f"it is on the topic; does a handler run, or is it among the dead letters?{self._unread}"
        else:
            state = f"Kafka has not confirmed it; {self._wire.trouble or 'it is slow'}"
        return f"no reply to {sent.command.command_id} within {self._timeout:g} s: {state}"


def _end(ended: Iterable[tuple[Sent, Reply | Exception | None]]) -> None:
    for sent, outcome in ended:
        if outcome is not None:
            sent.end(outcome)


def _registry(url: str | None) -> Asked | None:
    if not url:
        return None
    from commands.client.registry import Registry  # noqa: PLC0415 - its client is there only where it is installed

    return Registry(url)


def _encoded(command: AnyCommand) -> bytes:
    if COMMANDS.get(type(command).__name__) is not type(command):
        raise TypeError(f"not a command: {command!r}")
    validate(command)
    try:
        return encode_command(command)
    except UnicodeEncodeError as error:
        raise InvalidCommand(f"half a surrogate pair is no text: {error.object[:40]!r}") from error
