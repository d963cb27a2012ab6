"""A Faust transport that hands the agent a whole fetched chunk of one partition as ONE event.

Faust's own path creates several futures for each record, and that is where its time goes. Here a chunk of up to a
few thousand records is one message; groups, rebalances and commits stay Faust's. `event.message` is a
`ChunkMessage`, `event.value` its records as aiokafka gives them (`offset`, `key`, `value`, `headers`).

- Offsets to begin at come from `ChunkApp.positions` (the read model), not from Kafka. They are committed to Kafka as
  well, so that lag tools work: only the finished prefix of the chunks handed out.
- `rewind` goes back to an earlier offset; chunks already handed out turn stale.
- A hole (a chunk begins after the offset that has to come next) is never skipped: the consumer seeks back.

It leans on private names of faust-streaming and aiokafka: pin both, run tests/faults on upgrades. Every topic of the
app is delivered in chunks; no tables.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from time import monotonic
from typing import Any, cast

import faust
from aiokafka import TopicPartition
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import IllegalStateError, KafkaError, KafkaTimeoutError
from faust.exceptions import ProducerSendError
from faust.transport import drivers
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage, Message
from mode.utils.futures import notify

SCHEME = "chunks"
FINISH_SECONDS = 5.0  # how long a rebalance or a stop waits for the chunk in hand
COMMIT_SECONDS = 5.0
SEEK_SECONDS = 20.0


class OutOfReach(Exception):
    """The read model's position is not on the topic (any more)."""


class NoTopic(Exception):
    """The topic does not exist (yet)."""


class ChunkApp(faust.App):
    """A Faust app on this transport, with its two hooks."""

    #: Offsets to begin at, asked on each assignment; partitions that are left out begin where Kafka says.
    positions: Callable[[list[int]], Awaitable[Mapping[int, int]]]
    #: Called with an error after which the process has to end.
    fail: Callable[[BaseException], None]


class ChunkMessage(ConsumerMessage):
    """The offsets `begin` <= o < `end` of a partition. Stale: they will come again, or to another worker."""

    begin: int
    end: int
    stale: bool = False

    def on_final_ack(self, consumer: Any) -> bool:
        """Faust's way of telling the consumer."""
        return bool(consumer.ack(self))


class Consumer(driver.Consumer):
    """Delivers chunks in order and commits the finished prefix."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._in_hand: dict[TP, deque[ChunkMessage]] = {}  # delivered and not finished, in offset order
        self._next: dict[TP, int] = {}  # where the next chunk has to begin
        self._finished: dict[TP, int] = {}  # end of the finished prefix
        self._committed: dict[TP, int] = {}
        super().__init__(*args, **kwargs)

    def _new_consumer_thread(self) -> "ConsumerThread":
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    # -- back pressure: the queue of the stream holds few chunks, and a full queue blocks the delivery

    def on_buffer_full(self, tp: TP) -> None:
        """Faust would stop reading the partition."""

    def on_buffer_drop(self, tp: TP) -> None:
        """Faust would read the partition again."""

    # -- delivery

    async def _drain_messages(self, fetcher: Any) -> None:
        try:
            while not (self._stopped.is_set() or fetcher._stopped.is_set()):
                chunks, active = await self._wait_next_records(1.0)
                await asyncio.sleep(0)
                for tp, chunk in cast(dict[TP, ChunkMessage], chunks or {}).items():
                    if not self.should_stop:
                        await self._deliver(tp, chunk, active is None or tp in active)
        except self.consumer_stopped_errors:
            if not self.app.should_stop:
                raise
        except asyncio.CancelledError:
            if not self.app.should_stop:
                raise

    async def _deliver(self, tp: TP, chunk: ChunkMessage, active: bool) -> None:
        if not active or not self.flow_active or chunk.generation_id != self.app.consumer_generation_id:
            self._next.setdefault(tp, chunk.begin)  # dropped: the hole is seen at the next one
            return
        expected = self._next.get(tp, chunk.begin)
        if chunk.begin > expected:
            self.log.warning("hole in %r: %r should come next, not %r; seeking back", tp, expected, chunk.begin)
            await self.seek_wait({TopicPartition(*tp): expected})
            return
        self._next[tp] = chunk.end
        self._in_hand.setdefault(tp, deque()).append(chunk)
        await self.wait_first(self.callback(chunk), self.suspend_flow.wait())

    def idle_positions(self) -> dict[int, int]:
        """Partition -> next offset, for partitions of which no chunk is in hand."""
        return {tp.partition: offset for tp, offset in self._next.items() if not self._in_hand.get(tp)}

    async def rewind(self, tp: TP, offset: int) -> None:
        """Read the partition again from `offset`, unless it is no longer ours."""
        self._drop(tp)
        if tp not in self.assignment():
            return
        await self._check_reach({tp: offset})
        self._next[tp] = offset
        try:
            await self.seek_wait({TopicPartition(*tp): offset})
        except IllegalStateError:
            self.log.info("%r went to another worker meanwhile", tp)

    def _drop(self, tp: TP) -> None:
        for chunk in self._in_hand.pop(tp, ()):
            chunk.stale = True
        self._finished.pop(tp, None)
        self._committed.pop(tp, None)  # after a rewind the lag has to be seen

    # -- acknowledgement and commit

    def ack(self, message: Message) -> bool:
        """The agent is done with the chunk. One that the stream skipped in a rebalance was never tracked."""
        if not message.tracked:
            return False
        message.acked = True
        chunks = self._in_hand.get(message.tp)
        while chunks and chunks[0].acked:
            self._finished[message.tp] = chunks.popleft().end
        self.let_go(message)
        return True

    def let_go(self, message: Message) -> None:
        """The agent gives the chunk up without having finished it: nothing waits for it, and it is not committed."""
        self._unacked_messages.discard(message)
        notify(self._waiting_for_ack)

    async def force_commit(self, topics: Any = None, start_new_transaction: bool = True) -> bool:
        """Commit what is finished. For lag tools only: a failure is not worth more than a later try."""
        ours = self.assignment()
        offsets = {tp: end for tp, end in self._finished.items() if tp in ours and self._committed.get(tp) != end}
        if not offsets:
            return False
        try:
            done = bool(await asyncio.wait_for(self._thread.commit(offsets), COMMIT_SECONDS))
        except TimeoutError:
            return False
        if done:
            self._committed.update(offsets)
        return done

    # -- assignment and revocation

    async def perform_seek(self) -> None:
        """Begin where the read model says. Faust calls it after each assignment, before anything flows."""
        tps = list(self.assignment())
        for tp in tps:
            self._drop(tp)
        self._next.clear()
        app = cast(ChunkApp, self.app)
        positions = await app.positions([tp.partition for tp in tps])
        begin = {tp: positions[tp.partition] for tp in tps if tp.partition in positions}
        self._next.update(begin)
        try:
            await self._check_reach(begin)
            await self.seek_wait({TopicPartition(*tp): offset for tp, offset in begin.items()})
        except OutOfReach as error:
            app.fail(error)
        except (KafkaError, TimeoutError) as error:  # a hole, then, which is seen at the first chunk
            self.log.warning("could not seek to %r: %r", begin, error)

    async def _check_reach(self, offsets: Mapping[TP, int]) -> None:
        """Kafka would silently begin elsewhere, and the view would be wrong for ever."""
        tps = [TopicPartition(*tp) for tp in offsets]
        if not tps:
            return
        earliest = await asyncio.wait_for(self.earliest_offsets(*tps), SEEK_SECONDS)
        ends = await asyncio.wait_for(self.highwaters(*tps), SEEK_SECONDS)
        for tp, offset in offsets.items():
            first, end = earliest[TopicPartition(*tp)], ends[TopicPartition(*tp)]
            if not first <= offset <= end:
                raise OutOfReach(
                    f"the view needs {tp.topic}-{tp.partition} from offset {offset}, and the topic has "
                    f"{first} to {end}: rebuild the view from the event store"
                )

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Faust stops the flow and waits for the chunk in hand; then a last commit while still the owner."""
        await super().on_partitions_revoked(revoked)
        await self.commit()
        for tp in list(self._in_hand):  # the eager protocol revokes everything
            self._drop(tp)
        self._next.clear()

    async def wait_empty(self) -> None:
        """Wait for the chunk in hand, but not for ever: its server may be away."""
        end = monotonic() + FINISH_SECONDS
        while self._unacked_messages and monotonic() < end:
            await self._wait_for_ack(timeout=1)
        await self.commit()

    async def verify_all_partitions_active(self) -> None:
        """Faust's own check counts records; here the agent's errors end the process."""


class ConsumerThread(driver.AIOKafkaConsumerThread):
    """Runs aiokafka's consumer and makes the chunks."""

    async def _fetch_records(
        self, consumer: Any, active_partitions: Any, timeout: float | None = None, max_records: int | None = None
    ) -> Any:
        generation = self.app.consumer_generation_id
        begin = _positions(consumer)
        fetched = await super()._fetch_records(consumer, active_partitions, timeout=timeout, max_records=max_records)
        end = _positions(consumer) if fetched else {}
        chunks = {}
        for tp, records in fetched.items():
            # The positions around the fetch, not the records: offsets may be missing between them.
            first, last = records[0], records[-1]
            own = TP(tp.topic, tp.partition)
            chunk = chunks[own] = ChunkMessage(
                tp.topic, tp.partition, last.offset, last.timestamp / 1000.0, last.timestamp_type,
                None, None, cast(Any, records), None, 0, 0, own, generation_id=generation,
            )  # fmt: skip
            before, after = begin.get(tp), end.get(tp)
            chunk.begin = first.offset if before is None else min(before, first.offset)
            chunk.end = last.offset + 1 if after is None else max(after, last.offset + 1)
        return chunks

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        ours = {TopicPartition(*tp): offset for tp, offset in offsets.items() if tp in self.assignment()}
        try:
            await self._ensure_consumer().commit(ours)
        except (KafkaError, IllegalStateError) as error:  # Faust's own would crash the app
            self.log.info("not committed, to be tried again: %r", error)
            return False
        return True


def _positions(consumer: Any) -> dict[Any, int | None]:
    subscription = consumer._subscription.subscription
    assignment = subscription.assignment if subscription else None
    if assignment is None or not assignment.active:
        return {}
    return {tp: assignment.state_value(tp)._position for tp in assignment.tps}


class Transport(driver.Transport):
    """`chunks://host:port`."""

    Consumer = Consumer


drivers.TRANSPORTS.aliases[SCHEME] = f"{__name__}:Transport"


def is_away(error: BaseException | None) -> bool:
    """Whether the server will be back by itself (or by its operator), so that waiting helps."""
    if isinstance(error, ProducerSendError):
        return is_away(error.__cause__)
    if isinstance(error, TimeoutError | KafkaTimeoutError | NoTopic):
        return True
    return isinstance(error, KafkaError) and bool(error.retriable)


async def partitions_of(bootstrap: str, topic: str) -> int:
    """How many partitions the topic has.

    Raises:
        NoTopic: it does not exist (yet).
        KafkaError: no server answers.
    """
    client = AIOKafkaClient(bootstrap_servers=bootstrap)
    try:
        await client.bootstrap()
        found = (await client.fetch_all_metadata()).partitions_for_topic(topic)
    finally:
        await client.close()
    if not found:
        raise NoTopic(f"there is no topic {topic}")
    return len(found)
