"""The thread that runs aiokafka's consumer, and makes the chunks."""

import asyncio
from collections.abc import Mapping
from typing import Any, cast

from aiokafka import TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError, NoBrokersAvailable
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from mode import Service

from projections.transport.app import ChunkMessage
from projections.transport.kafka import is_away

LOOK_SECONDS = 1.0


class ConsumerThread(driver.AIOKafkaConsumerThread):
    """Runs aiokafka's consumer and makes the chunks."""

    async def _fetch_records(
        self, consumer: Any, active_partitions: Any, timeout: float | None = None, max_records: int | None = None
    ) -> Any:
        generation = self.app.consumer_generation_id
        begin = _positions(consumer)
        try:
            fetched = await super()._fetch_records(
                consumer, active_partitions, timeout=timeout, max_records=max_records
            )
        except KafkaError as error:  # of the group: whoever waits for records is told first
            if not is_away(error):
                raise
            return {}
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

    async def on_start(self) -> None:
        """A broker that has just begun lists none, not even itself. aiokafka begins then, and stumbles over it later.

        Raises:
            NoBrokersAvailable: it is so.
        """
        await super().on_start()
        if not self._ensure_consumer()._client.cluster.brokers():
            raise NoBrokersAvailable("the brokers have just begun")

    @Service.task
    async def _look_after_aiokafka(self) -> None:
        async for _ in self.itertimer(LOOK_SECONDS, name="aiokafka"):
            self.go_on()

    def go_on(self) -> None:
        """Where the group gave an answer that aiokafka has no rule for, such as that it is still being loaded, aiokafka
        waits until somebody asks for the error, which Faust never does: ask, and let it join again.

        Raises:
            KafkaError: it waits for nothing any more, or the answer is for good.
        """
        consumer = self._ensure_consumer()
        for task in (consumer._fetcher.error_future, consumer._coordinator._coordination_task):
            if task.done():
                task.result()
        try:
            consumer._coordinator.check_errors()
        except KafkaError as error:
            if not is_away(error):
                raise
            self.log.warning("the group did not take us, to be tried again: %r", error)
            consumer._coordinator.request_rejoin()

    async def on_thread_stop(self) -> None:
        """With Kafka away, aiokafka stumbles over a task that it cancelled; Faust would wait for the thread in vain."""
        try:
            await super().on_thread_stop()
        except (Exception, asyncio.CancelledError) as error:
            self.log.info("the consumer did not stop as it should: %r", error)

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
