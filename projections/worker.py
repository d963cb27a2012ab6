"""The Faust worker of one view: events topic in, read model out. `build_app` is the topology; `process` runs it."""

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Any, cast

import structlog
from faust.types import TP

from projections import event_store, transport
from projections.chunk import Chunk
from projections.dead_letters import headers_of
from projections.event_store import EventStore
from projections.following import Following
from projections.patience import Patience, Stopping
from projections.pipeline import NewerWriter, Pipeline, Unframed
from projections.projector import Prepared, Projector
from projections.read_model import Behind, Outcome
from projections.redis_model import writer
from projections.redis_model.keys import Keys
from projections.redis_model.writer import RedisReadModel
from projections.settings import Settings
from projections.transport import SCHEME, ChunkApp, ChunkMessage, Consumer
from projections.views.view import View
from schemas.codec import DecodeError, UnknownSchema
from schemas.events import Envelope

CHUNK_MAX = 4000  # records
CHUNKS_WAITING = 4  # in the agent's queue
WATCH_SECONDS = 1.0
ALIVE_SECONDS = 5.0  # between two signs of life, for health checks
WATCHES_AWAY = 2
DEAD_LETTER_MAX = 2 * 1_048_588  # bytes: a record of the events topic and its headers, as that topic allows
FAR_SECONDS = 86_400.0  # between two polls: Redis may be away for long, and the group must not think we are

log = structlog.get_logger("projections")


class Worker(ChunkApp):
    """The app of one view and generation, with what it holds on to. `following`: where that is the live one."""

    def __init__(self, view: View, generation: str, settings: Settings, following: Following | None = None) -> None:
        self.view, self.generation, self.settings, self.following = view, generation, settings, following
        self.anew = False  # the process is to begin anew, and not to end
        self.stopping = asyncio.Event()
        self.failure: BaseException | None = None
        self.patience = Patience(self.stopping)
        keys = Keys(settings.namespace, view.NAME, generation)
        self.model = RedisReadModel(settings.redis, keys, view.VERSION)
        self.store = EventStore(settings)
        projector = Projector(view, self._apply, self._read_events)
        pause, unframed = partial(asyncio.sleep, 0), _unframed(settings.schema_registry_url, self.patience)
        self.pipeline = Pipeline(projector, self._dead_letter, pause, unframed)
        self.partitions = 0
        self.kafka_away = 0  # watches in a row that saw no connection
        hosts = settings.kafka.split(",")
        super().__init__(
            f"{settings.namespace}.{view.NAME}@{generation}",  # the consumer group
            broker=[f"{SCHEME}://{host}" for host in hosts],
            broker_producer=[f"kafka://{host}" for host in hosts],
            broker_session_timeout=settings.session_timeout_ms / 1000,
            broker_heartbeat_interval=settings.session_timeout_ms / 4000,
            broker_max_poll_interval=FAR_SECONDS,
            broker_max_poll_records=CHUNK_MAX,
            broker_commit_interval=1.0,
            stream_buffer_maxsize=CHUNKS_WAITING,
            stream_wait_empty=True,
            consumer_auto_offset_reset="earliest",
            producer_max_request_size=DEAD_LETTER_MAX,
            key_serializer="raw",
            value_serializer="raw",
            topic_allow_declare=False,
            topic_disable_leader=True,
            web_enabled=False,
        )

    def fail(self, error: BaseException) -> None:
        """End the process with this error: a worker that cannot go on must not look alive."""
        if self.failure is None:
            self.failure = error
        self.stopping.set()

    async def positions(self, partitions: list[int]) -> Mapping[int, int]:
        """Where to begin, says the read model. Not patient: a rebalance waits for it, and chunks are checked anyway."""
        try:
            return await self.model.positions(partitions)
        except Exception as error:
            if not writer.is_away(error):
                raise
            log.warning("no positions: beginning where Kafka says", server="Redis", error=str(error))
            return {}

    async def apply(self, chunk: ChunkMessage, prepared: Prepared) -> None:
        """Bring one chunk into the read model; go back where that has lost data."""
        if chunk.stale:
            return
        try:
            outcome = await self.pipeline.apply(prepared)
        except UnknownSchema as error:
            await self._hold(chunk, NewerWriter(chunk.begin, str(error)))
            return
        if isinstance(outcome, Behind):
            await self.go_back(chunk.partition, outcome.position, chunk.begin)

    async def prepare(self, chunk: ChunkMessage, records: Any) -> Prepared:
        """What can be done about a chunk ahead; where a newer release wrote into it, its partition goes no further."""
        try:
            prepared, newer = await self.pipeline.prepare(chunk.partition, chunk.begin, chunk.end, records)
        except UnknownSchema as error:  # what the topic lacks, the store has in a newer version
            prepared, _ = await self.pipeline.prepare(chunk.partition, chunk.begin, chunk.begin, ())
            newer = NewerWriter(chunk.begin, str(error))
        if newer is not None and not chunk.stale:
            await self._hold(chunk, newer)
        return prepared

    async def _hold(self, chunk: ChunkMessage, newer: NewerWriter) -> None:
        """Wait at the offset of the newer version; other partitions go on. A rebalance, or a restart, looks again."""
        cast(Consumer, self.consumer).hold(chunk, newer.offset)
        log.error(
            "partition waits for a newer release", partition=chunk.partition, offset=newer.offset, needs=newer.needs
        )
        note = partial(self.model.note_waiting, chunk.partition, newer.offset, newer.needs)
        await self.patience.until("Redis", writer.is_away, note)

    def give_up(self, chunk: ChunkMessage, error: Exception) -> None:
        """The chunk is not applied, or nobody knows: whoever is next reads it again."""
        cast(Consumer, self.consumer).let_go(chunk)
        if not isinstance(error, Stopping):
            self.fail(error)

    async def go_back(self, partition: int, position: int, reached: int | None) -> None:
        """Redis has less than we gave it, or could not be asked what it has when we began (`reached` None): read on
        from there, unless readers have left the generation for good."""
        await self._follow()
        if reached is not None:
            log.warning("Redis lost data, reading again", partition=partition, position=position, reached=reached)
        tp = TP(self.settings.topics.events, partition)
        await self._announce()
        await self.patience.until(
            "Kafka", transport.is_away, partial(cast(Consumer, self.consumer).rewind, tp, position)
        )

    async def watch(self) -> None:
        """Notice lost data also where no new events come that would show it."""
        if self.stopping.is_set():
            return
        self._tell_of_kafka()
        await self._follow()
        if not await self.patience.until("Redis", writer.is_away, self.model.is_announced):
            await self._announce()
        if self.rebalancing:
            return
        reached = cast(Consumer, self.consumer).idle_positions()
        stored = await self.patience.until("Redis", writer.is_away, partial(self.model.positions, list(reached)))
        for partition, position in stored.items():
            if (offset := reached[partition]) is None or position < offset:
                await self.go_back(partition, position, offset)

    async def _announce(self) -> None:
        await self.patience.until("Redis", writer.is_away, partial(self.model.announce, self.partitions))

    async def _follow(self) -> None:
        """End with this generation when readers see another one: it may be dropped any time, and must not be begun."""
        if self.following is None:
            return
        found = await self.following.look(self.patience)
        if self.following.is_left(found, self.generation) and not self.anew:  # a chunk and the watch may see it at once
            log.info("another generation is live, leaving this one", live=found.generation)
            self.anew = True
            self.stopping.set()

    def _tell_of_kafka(self) -> None:
        """Its client reconnects by itself, without a word that says when it is done."""
        connected = cast(Consumer, self.consumer).connected
        if connected and self.kafka_away >= WATCHES_AWAY:
            log.info("the server is back", server="Kafka")
        self.kafka_away = 0 if connected else self.kafka_away + 1
        if self.kafka_away == WATCHES_AWAY:
            log.warning("waiting for a server", server="Kafka", error="no broker is connected")

    async def _apply(self, chunk: Chunk) -> Outcome:
        return await self.patience.until("Redis", writer.is_away, partial(self.model.apply, chunk))

    async def _read_events(self, account_id: str, first: int, last: int) -> list[Envelope]:
        log.warning("versions missing on the topic, reading the store", account=account_id, first=first, last=last)
        read = partial(self.store.read, account_id, first, last)
        return await self.patience.until("Cassandra", event_store.is_away, read)

    async def _dead_letter(self, record: Any, error: DecodeError) -> None:
        # The client refuses a record without key and value, which others can write.
        key = b"" if record.key is None and record.value is None else record.key
        at = record.timestamp / 1000 if record.timestamp >= 0 else None
        topic, headers = self.settings.topics.dead_letters, headers_of(record, error)
        send = partial(self.producer.send_and_wait, topic, key, record.value, record.partition, at, headers)
        await self.patience.until("Kafka", transport.is_away, send)


def _unframed(url: str | None, patience: Patience) -> Unframed | None:
    if not url:
        return None
    from projections.registry import RegistryFrames  # noqa: PLC0415 - its client is there only where it is installed

    return RegistryFrames(url, patience)


def build_app(view: View, generation: str, settings: Settings, following: Following | None = None) -> Worker:
    """The topology: one agent on the events topic, in chunks, and a watch on the positions. Call it inside a loop."""
    app = Worker(view, generation, settings, following)
    events = app.topic(settings.topics.events, key_serializer="raw", value_serializer="raw")

    @app.agent(events, name="project")
    async def project(stream: Any) -> None:
        """One chunk is in Redis' hands while the next is being decoded; they are applied in the order they came."""
        stream, under_way = stream.noack(), None  # acknowledged by hand, when Redis has answered
        async for event in stream.events():
            chunk: ChunkMessage = event.message
            try:
                prepared = await app.prepare(chunk, event.value)
            except Exception as error:
                app.give_up(chunk, error)
                continue
            if under_way is not None:
                await under_way
            under_way = asyncio.ensure_future(finish(stream, event, prepared))

    async def finish(stream: Any, event: Any, prepared: Prepared) -> None:
        try:
            await app.apply(event.message, prepared)
        except Exception as error:
            app.give_up(event.message, error)
        else:
            await stream.ack(event)

    @app.timer(WATCH_SECONDS)  # type: ignore[untyped-decorator]
    async def watch() -> None:
        try:
            await app.watch()
        except Stopping:
            return
        except Exception as error:
            app.fail(error)

    @app.timer(ALIVE_SECONDS)  # type: ignore[untyped-decorator]
    async def show_life() -> None:
        if settings.alive_file is not None:
            settings.alive_file.touch()

    return app
