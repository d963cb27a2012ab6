"""The consumer that delivers chunks in order, and commits the finished prefix of them."""

import asyncio
from collections import deque
from collections.abc import Mapping
from time import monotonic
from typing import Any, cast

from aiokafka import TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, Message
from mode.utils.futures import notify

from projections.transport.app import ChunkApp, ChunkMessage, OutOfReach, check_reach
from projections.transport.thread import ConsumerThread

FINISH_SECONDS = 5.0  # how long a rebalance or a stop waits for the chunk in hand
COMMIT_SECONDS = 5.0
SEEK_SECONDS = 20.0


class Consumer(driver.Consumer):
    """Delivers chunks in order and commits the finished prefix."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._in_hand: dict[TP, deque[ChunkMessage]] = {}  # delivered and not finished, in offset order
        self._next: dict[TP, int] = {}  # where the next chunk has to begin
        self._finished: dict[TP, int] = {}  # end of the finished prefix
        self._committed: dict[TP, int] = {}
        self._held: set[TP] = set()  # nothing is delivered of these
        self._again: set[TP] = set()  # read past what was delivered: to be read again from where the next has to begin
        super().__init__(*args, **kwargs)

    def _new_consumer_thread(self) -> ConsumerThread:
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
                await self._read_again()
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
        if tp in self._held or not await self._is_whole(tp, chunk):
            return
        if not active or not self.flow_active or chunk.generation_id != self.app.consumer_generation_id:
            self._next.setdefault(tp, chunk.begin)
            self._again.add(tp)
            return
        expected = self._next.get(tp, chunk.begin)
        if chunk.begin > expected:
            self.log.info("%r should come next of %r, not %r: reading again", expected, tp, chunk.begin)
            self._again.add(tp)
            return
        self._next[tp] = chunk.end
        self._in_hand.setdefault(tp, deque()).append(chunk)
        await self.wait_first(self.callback(chunk), self.suspend_flow.wait())

    async def _is_whole(self, tp: TP, chunk: ChunkMessage) -> bool:
        """Whether nothing was lost before its first record: where the topic loses what comes next, aiokafka goes on
        with what is left, without a word. Offsets that never had a record may come at any time."""
        next_ = self._next.setdefault(tp, chunk.begin)
        return cast(Any, chunk.value)[0].offset <= next_ or await self._is_in_reach({tp: next_})

    async def _read_again(self) -> None:
        """Nothing may come after a dropped chunk, so nothing but this would show that it is missing."""
        if not self._again or not self.flow_active:
            return
        begin = {tp: self._next[tp] for tp in self._again & self.assignment() if tp in self._next}
        self._again.clear()
        await self._seek_to(begin)

    async def _seek_to(self, begin: Mapping[TP, int]) -> None:
        try:
            await self.seek_wait({TopicPartition(*tp): offset for tp, offset in begin.items()})
        except IllegalStateError:
            self.log.info("%r went to another worker meanwhile", list(begin))
        except (KafkaError, TimeoutError) as error:
            self.log.warning("could not seek to %r, to be tried again: %r", begin, error)
            self._again.update(begin)

    def hold(self, chunk: ChunkMessage, offset: int) -> None:
        """Of the chunk's partition nothing from `offset` on is delivered, until it is assigned or rewound.

        The chunk ends there; those behind it, delivered already, turn stale.
        """
        tp, chunks = chunk.tp, self._in_hand.get(chunk.tp, deque())
        while chunks and chunks[-1].begin > chunk.begin:
            chunks.pop().stale = True
        chunk.end = self._next[tp] = offset
        self._again.discard(tp)
        self._held.add(tp)
        self.pause_partitions([tp])

    def _let_flow(self, tps: set[TP]) -> None:
        self._held -= tps
        self.resume_partitions(tps)

    def idle_positions(self) -> dict[int, int | None]:
        """Partition -> next offset (None: nobody could say), for partitions of which no chunk is in hand."""
        return {tp.partition: self._next.get(tp) for tp in self.assignment() if not self._in_hand.get(tp)}

    @property
    def connected(self) -> bool:
        """Whether there is a connection to any broker."""
        consumer = self._thread._consumer
        return consumer is not None and any(conn.connected() for conn in list(consumer._client._conns.values()))

    async def rewind(self, tp: TP, offset: int) -> None:
        """Read the partition again from `offset`, unless it is no longer ours."""
        self._drop(tp)
        if tp not in self.assignment():
            return
        await self._check_reach({tp: offset})
        self._let_flow(self._held & {tp})
        self._next[tp] = offset
        await self._seek_to({tp: offset})

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
        ours = self.assignment() if self.connected else set()
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
        """Begin where the read model says. Faust calls it after each assignment, and lets flow what comes after it.

        Nothing may flow before. When groups change quickly, the end of the assignment before can have resumed the flow,
        and what is delivered by now is lost: Faust empties the queues of all streams when it resumes the flow.
        """
        self.stop_flow()
        begun, app = monotonic(), cast(ChunkApp, self.app)
        try:
            await self._begin(app)
        except asyncio.CancelledError:
            if monotonic() - begun > app.conf.broker_request_timeout - 1:  # the process slept, say
                app.fail(TimeoutError("Faust gave up an assignment that took too long, and would take up no other"))
            raise

    async def _begin(self, app: ChunkApp) -> None:
        tps = list(self.assignment())
        self._let_flow(self._held & set(tps))
        for tp in tps:
            self._drop(tp)
        self._forget_positions()
        positions = await app.positions([tp.partition for tp in tps])
        begin = {tp: positions[tp.partition] for tp in tps if tp.partition in positions}
        self._next.update(begin)
        if await self._is_in_reach(begin):
            await self._seek_to(begin)

    async def _is_in_reach(self, offsets: Mapping[TP, int]) -> bool:
        """Whether the topic has them. Else the process ends, or, where Kafka does not tell, it is tried again."""
        try:
            await self._check_reach(offsets)
        except OutOfReach as error:
            cast(ChunkApp, self.app).fail(error)
            return False
        except (KafkaError, TimeoutError) as error:
            self.log.warning("could not look up the reach of %r: %r", offsets, error)
            self._again.update(offsets)
            return False
        return True

    async def _check_reach(self, offsets: Mapping[TP, int]) -> None:
        """Kafka would silently begin elsewhere, and the view would be wrong for ever."""
        tps = [TopicPartition(*tp) for tp in offsets]
        if not tps:
            return
        earliest = await asyncio.wait_for(self.earliest_offsets(*tps), SEEK_SECONDS)
        ends = await asyncio.wait_for(self.highwaters(*tps), SEEK_SECONDS)
        check_reach(offsets, earliest, ends)

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Faust stops the flow and waits for the chunk in hand; then a last commit while still the owner."""
        await super().on_partitions_revoked(revoked)
        await self.commit()
        for tp in list(self._in_hand):  # the eager protocol revokes everything
            self._drop(tp)
        self._forget_positions()

    def _forget_positions(self) -> None:
        self._next.clear()
        self._again.clear()
        self._held.clear()

    async def wait_empty(self) -> None:
        """Wait for the chunk in hand, but not for ever: its server may be away."""
        end = monotonic() + FINISH_SECONDS
        while self._unacked_messages and monotonic() < end:
            await self._wait_for_ack(timeout=1)
        await self.commit()

    async def verify_all_partitions_active(self) -> None:
        """Faust's own check counts records; here the agent's errors end the process."""
