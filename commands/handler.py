"""The handler's loop: messages to shards, shards a step on, offsets to the group. One thread; no step waits long."""

import threading
import time
from collections.abc import Iterable
from pathlib import Path

import structlog

from commands.kafka.consumer import CommandConsumer
from commands.kafka.publisher import KafkaPublisher
from commands.ports import NewerRelease, PublishFailed, StoreUnavailable
from commands.shard import Inside, Shard

log = structlog.get_logger(__name__)

#: Messages fetched at once, and the weight of what may wait in all shards together: a shard with more than its share is
#: paused, and goes on at half. Kafka's client throws away what it has fetched of a partition that is paused, so rarely
#: is best.
FETCH = 2000
WAITING = 64_000
#: Seconds: how long the loop rests when nothing, or only an answer, is waited for.
IDLE, TICK = 0.1, 0.001
#: Seconds between tries to take a shard over, doubled up to the second.
RETRY, RETRY_MOST = 0.25, 5.0
#: Seconds between tries where a newer release has written: only that one can go on, so the partition has to move.
NEWER = 30.0
#: Seconds that a clean stop, or giving a partition back, waits for what is committed to be followed up.
DRAIN = 20.0
#: Seconds between two signs of life, and that shards are taken over without asking the group between them.
ALIVE = 5.0


class _Held:
    """A shard in this handler's hands. `retry_at`: when to try to take it over (monotonic seconds); None: it runs."""

    def __init__(self, shard: Shard) -> None:
        self.shard = shard
        self.retry_at: float | None = 0.0
        self.delay = RETRY
        self.paused = False


class Handler:
    """Owns the partitions that the group gives it. Several handlers share the topic."""

    def __init__(
        self,
        consumer: CommandConsumer,
        publisher: KafkaPublisher,
        inside: Inside,
        stop: threading.Event,
        alive_file: Path | None,
    ) -> None:
        self._consumer = consumer
        self._publisher = publisher
        self._inside = inside
        self._held: dict[int, _Held] = {}
        self._stop = stop
        self._alive_file, self._alive_at = alive_file, 0.0

    def run(self) -> None:
        """Handle commands until `stop` is set; then finish what is committed and leave the group.

        Raises:
            ProducerDead, BrokenHistory, NotPrepared: this process cannot go on.
        """
        self._consumer.subscribe(self._assigned, self._revoked, self._lost)
        log.info("handler_started", topic=self._consumer.topic)
        try:
            while not self._stop.is_set():
                self._turn()
            self._drain(list(self._held), time.monotonic() + DRAIN)
            self._drop(list(self._held))  # what is left is a successor's: leaving the group must not wait for it again
        finally:
            self._consumer.close()
        left = self._publisher.close(5.0)
        log.info("handler_stopped", unconfirmed=left)

    def _turn(self) -> None:
        self._show_life()
        working = any(h.retry_at is None and (h.shard.busy or h.shard.inbox) for h in self._held.values())
        for number, message in self._consumer.poll(FETCH, TICK if working else IDLE):
            held = self._held.get(number)
            if held is not None and held.retry_at is None:
                try:
                    if message is None:
                        raise StoreUnavailable("the topic does not have the offset that comes next")
                    held.shard.receive(message)
                except StoreUnavailable as error:
                    self._wait(held, error)
        self._publisher.poll(0)
        until = time.monotonic() + ALIVE
        for held in list(self._held.values()):
            if self._stop.is_set():  # a take-over may wait for servers, and there may be many of them
                return
            if held.retry_at is None:
                self._step(held)
            elif held.retry_at <= time.monotonic() and (not self._take_over(held) or time.monotonic() > until):
                return  # the servers are away or slow: the group has to hear of us before the next one waits for them

    def _show_life(self) -> None:
        now = time.monotonic()
        if self._alive_file is not None and now - self._alive_at > ALIVE:
            self._alive_file.touch()
            self._alive_at = now

    def _step(self, held: _Held, *, intake: bool = True) -> None:
        shard = held.shard
        try:
            done = shard.step(intake=intake)
        except (StoreUnavailable, PublishFailed) as error:
            self._wait(held, error)
            return
        except NewerRelease as error:
            self._leave(held, error)
            return
        if done is not None:
            held.delay = RETRY
            self._consumer.done(shard.number, done)
        share = WAITING // len(self._held)
        if not held.paused and shard.waiting > share:
            self._consumer.pause(shard.number)
            held.paused = True
        elif held.paused and shard.waiting < share / 2:
            self._consumer.resume(shard.number)
            held.paused = False

    def _take_over(self, held: _Held) -> bool:
        try:
            self._consumer.resume_at(held.shard.number, held.shard.take_over())
        except StoreUnavailable as error:
            self._wait(held, error)
            return False
        except NewerRelease as error:
            self._leave(held, error)
            return True
        held.retry_at, held.paused = None, False
        return True

    def _wait(self, held: _Held, error: Exception) -> None:
        log.warning("shard_waits", shard=held.shard.number, seconds=held.delay, reason=str(error))
        self._rest(held, held.delay)
        held.delay = min(held.delay * 2, RETRY_MOST)

    def _leave(self, held: _Held, error: NewerRelease) -> None:
        """The other shards go on. Nothing is skipped, and nothing of it is a dead letter."""
        log.error("shard_needs_newer_release", shard=held.shard.number, seconds=NEWER, needs=str(error))
        self._rest(held, NEWER)

    def _rest(self, held: _Held, seconds: float) -> None:
        if held.retry_at is None:
            self._consumer.pause(held.shard.number)
        held.retry_at = time.monotonic() + seconds

    def _assigned(self, numbers: list[int]) -> None:
        log.info("partitions_assigned", partitions=numbers)
        for number in numbers:
            self._held[number] = _Held(Shard(number, self._inside))

    def _revoked(self, numbers: list[int]) -> None:
        log.info("partitions_revoked", partitions=numbers)
        self._drain([n for n in numbers if n in self._held], time.monotonic() + DRAIN)
        self._drop(numbers)

    def _lost(self, numbers: list[int]) -> None:
        log.warning("partitions_lost", partitions=numbers)
        self._drop(numbers)

    def _drop(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            self._held.pop(number, None)
            self._inside.cache.drop(number)

    def _drain(self, numbers: list[int], until: float) -> None:
        """Finish what shards have under way, deciding nothing new. What does not end in time, a successor redoes."""
        while time.monotonic() < until:
            busy = [h for n in numbers if (h := self._held[n]).retry_at is None and h.shard.busy]
            if not busy:
                return
            self._publisher.poll(TICK)
            for held in busy:
                self._step(held, intake=False)
