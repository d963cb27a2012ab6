"""What the consumer delivers, and what it reads again. A thread that seeks stands in for Kafka's client."""

import asyncio
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, cast

import faust
import pytest
from aiokafka.errors import IllegalStateError, KafkaError
from faust.types import TP

from projections.transport import ChunkMessage, Consumer

TOPIC_PARTITION = TP("events", 1)
GENERATION = 3


class Reading(Consumer):
    """The delivery alone: no connection, no thread, no app."""

    def __init__(self) -> None:  # Faust's own starts what this test does not need
        self._in_hand, self._next, self._finished, self._committed, self._again = {}, {}, {}, {}, set()
        self._held, self._paused_partitions, self._active_partitions = set(), set(), {TOPIC_PARTITION}
        app = SimpleNamespace(consumer_generation_id=GENERATION, positions=self.positions, fail=self.fail)
        self.app = cast(Any, app)
        self.flow_active, self.can_resume_flow, self.suspend_flow = True, asyncio.Event(), asyncio.Event()
        self.log = cast(Any, SimpleNamespace(info=lambda *_: None, warning=lambda *_: None))
        self.owned = {TOPIC_PARTITION}
        self.delivered: list[tuple[int, int]] = []
        self.sought: list[int] = []
        self.refuse: list[Exception] = []
        self.meanwhile = (0, 0)
        self.first = 0  # of the topic
        self.away: list[Exception] = []
        self.failed: list[BaseException] = []

    def assignment(self) -> set[TP]:
        return self.owned

    async def seek_wait(self, partitions: Mapping[Any, int]) -> None:
        if self.refuse:
            raise self.refuse.pop()
        self.sought += partitions.values()

    async def positions(self, partitions: list[int]) -> dict[int, int]:
        """What the read model has, with what comes while it is asked."""
        await self.take(*self.meanwhile)
        return dict.fromkeys(partitions, 100)

    async def sleep_on(self, partitions: list[int]) -> dict[int, int]:
        await asyncio.sleep(60)
        return {}

    async def earliest_offsets(self, *tps: Any) -> dict[Any, int]:
        if self.away:
            raise self.away.pop()
        return dict.fromkeys(tps, self.first)

    def fail(self, error: BaseException) -> None:
        self.failed.append(error)

    async def highwaters(self, *tps: Any) -> dict[Any, int]:
        return dict.fromkeys(tps, 200)

    async def wait_first(self, *coros: Any, timeout: Any = None) -> Any:
        for other in coros[1:]:
            other.close()
        return await coros[0]

    async def callback(self, message: Any) -> None:
        self.delivered.append((message.begin, message.end))

    async def take(
        self, begin: int, end: int, generation: int = GENERATION, active: bool = True, record: int | None = None
    ) -> None:
        """A chunk comes; `record`: the offset of its first one, where that is not the chunk's begin."""
        records = [SimpleNamespace(offset=begin if record is None else record)]
        chunk = ChunkMessage(
            *TOPIC_PARTITION, end - 1, 0.0, 0, None, None, cast(Any, records), None, 0, 0, TOPIC_PARTITION,
            generation_id=generation,
        )  # fmt: skip
        chunk.begin, chunk.end = begin, end
        await self._deliver(TOPIC_PARTITION, chunk, active)
        await self._read_again()


def reading() -> Reading:
    consumer = Reading()
    consumer._next[TOPIC_PARTITION] = 100
    return consumer


def test_chunks_in_order_are_delivered_and_nothing_is_read_again() -> None:
    async def story() -> None:
        consumer = reading()
        await consumer.take(100, 200)
        await consumer.take(200, 300)
        assert consumer.delivered == [(100, 200), (200, 300)]
        assert not consumer.sought

    asyncio.run(story())


def test_the_last_chunk_of_a_partition_was_fetched_before_a_rebalance() -> None:
    """No chunk comes after it that would show the hole."""

    async def story() -> None:
        consumer = reading()
        await consumer.take(100, 200, generation=GENERATION - 1)
        assert consumer.delivered == []
        assert consumer.sought == [100]

    asyncio.run(story())


def test_a_chunk_of_a_paused_partition_is_read_again() -> None:
    async def story() -> None:
        consumer = reading()
        await consumer.take(100, 200, active=False)
        assert consumer.sought == [100]

    asyncio.run(story())


def test_what_is_dropped_while_nothing_flows_is_read_again_when_it_flows() -> None:
    async def story() -> None:
        consumer = reading()
        consumer.flow_active = False
        await consumer.take(100, 200)
        assert consumer.sought == []
        consumer.flow_active = True
        await consumer._read_again()
        await consumer._read_again()
        assert consumer.sought == [100]

    asyncio.run(story())


def test_nothing_flows_while_it_is_found_out_where_to_begin() -> None:
    """The flow may be on: the end of the last assignment resumes it when another one has begun. What is delivered then
    is lost with the queues, which are emptied when the flow is resumed once more."""

    async def story() -> None:
        consumer = reading()
        consumer.meanwhile = (100, 200)
        await consumer.perform_seek()
        assert consumer.delivered == []
        consumer.resume_flow()
        await consumer._read_again()
        assert consumer.sought == [100, 100]
        await consumer.take(100, 200)
        assert consumer.delivered == [(100, 200)]

    asyncio.run(story())


def test_an_assignment_that_faust_gives_up_ends_the_process() -> None:
    """Faust waits for it so long and no longer, and ends the task that takes up assignments: without a word, and with
    it the flow for good. A process that was stopped and goes on after minutes comes here."""

    async def story() -> None:
        consumer = reading()
        app: Any = faust.App("a", broker="kafka://h", broker_request_timeout=1.5, broker_session_timeout=1.0)
        app._consumer, app.consumer_generation_id, app.fail = consumer, GENERATION, consumer.fail
        consumer.app, app.positions = app, consumer.sleep_on
        recovery = app.tables.recovery
        recovery._generation_id = GENERATION
        recovery.signal_recovery_start.set()
        await type(recovery)._restart_recovery.fun(recovery)
        assert not consumer.flow_active
        await asyncio.sleep(0)
        assert [type(error) for error in consumer.failed] == [TimeoutError]

    asyncio.run(story())


def test_an_assignment_that_another_one_follows_is_no_failure() -> None:
    async def story() -> None:
        consumer = reading()
        consumer.app.conf = cast(Any, SimpleNamespace(broker_request_timeout=90.0))
        cast(Any, consumer.app).positions = consumer.sleep_on
        beginning = asyncio.ensure_future(consumer.perform_seek())
        await asyncio.sleep(0)
        beginning.cancel()
        with pytest.raises(asyncio.CancelledError):
            await beginning
        assert consumer.failed == []

    asyncio.run(story())


def test_it_tells_of_partitions_of_which_nobody_could_say_where_they_begin() -> None:
    async def nothing(partitions: list[int]) -> dict[int, int]:
        return {}

    async def story() -> None:
        consumer = reading()
        cast(Any, consumer.app).positions = nothing
        await consumer.perform_seek()
        assert (consumer.sought, consumer.idle_positions()) == ([], {1: None})
        await consumer.rewind(TOPIC_PARTITION, 100)
        assert (consumer.sought, consumer.idle_positions()) == ([100], {1: 100})

    asyncio.run(story())


def test_a_hole_is_read_again_and_what_follows_it_is_not_delivered() -> None:
    async def story() -> None:
        consumer = reading()
        await consumer.take(150, 200)
        assert consumer.delivered == []
        assert consumer.sought == [100]

    asyncio.run(story())


def test_offsets_without_records_are_no_loss() -> None:
    async def story() -> None:
        consumer = reading()
        consumer.first = 100
        await consumer.take(100, 200, record=150)
        assert consumer.delivered == [(100, 200)]
        assert not consumer.failed

    asyncio.run(story())


@pytest.mark.parametrize("begin", [100, 150])
def test_a_topic_that_lost_what_comes_next_ends_the_worker(begin: int) -> None:
    """aiokafka has reset its position, before the chunk was asked for or while it was waited for."""

    async def story() -> None:
        consumer = reading()
        consumer.first = 150
        await consumer.take(begin, 200, record=150)
        assert consumer.delivered == []
        assert "needs events-1 from offset 100, and the topic has 150 to 200" in str(consumer.failed)

    asyncio.run(story())


def test_what_the_topic_has_is_looked_up_again_when_kafka_is_back() -> None:
    async def story() -> None:
        consumer = reading()
        consumer.away = [KafkaError()]
        await consumer.take(100, 200, record=150)
        assert (consumer.delivered, consumer.sought, consumer.failed) == ([], [100], [])
        await consumer.take(100, 200, record=150)
        assert consumer.delivered == [(100, 200)]

    asyncio.run(story())


def test_a_partition_that_went_to_another_worker_is_not_read_again() -> None:
    async def story() -> None:
        consumer = reading()
        consumer.owned = set()
        await consumer.take(150, 200)
        consumer.owned = {TOPIC_PARTITION}
        consumer.refuse = [IllegalStateError("not assigned")]
        await consumer.take(150, 200)
        await consumer._read_again()
        assert consumer.sought == []

    asyncio.run(story())


def test_a_seek_that_fails_is_tried_again() -> None:
    async def story() -> None:
        consumer = reading()
        consumer.refuse = [KafkaError(), TimeoutError()]
        await consumer.take(150, 200)
        await consumer._read_again()
        assert consumer.sought == []
        await consumer._read_again()
        assert consumer.sought == [100]

    asyncio.run(story())


def test_nothing_is_delivered_of_a_held_partition_until_it_is_let_go() -> None:
    async def story() -> None:
        consumer = reading()
        await consumer.take(100, 200)
        await consumer.take(200, 300)
        held, behind = consumer._in_hand[TOPIC_PARTITION]
        consumer.hold(held, 150)
        assert (held.end, held.stale, behind.stale) == (150, False, True)
        assert consumer.idle_positions() == {}
        await consumer.take(300, 400)
        await consumer.take(150, 200)
        assert consumer.delivered == [(100, 200), (200, 300)]
        assert not consumer.sought
        assert TOPIC_PARTITION not in consumer._active_partitions
        consumer._let_flow({TOPIC_PARTITION})
        await consumer.take(150, 200)
        assert consumer.delivered[2:] == [(150, 200)]
        assert TOPIC_PARTITION in consumer._active_partitions

    asyncio.run(story())
