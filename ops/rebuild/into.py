"""One generation to be filled: its read model, with what is missing on the topic from the event store."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from ops.history import CassandraAway
from ops.rebuild.batch import NewerEvent
from ops.rebuild.fill import Filler, Sums
from ops.settings import Settings
from projections import event_store
from projections.chunk import Chunk
from projections.event_store import EventStore
from projections.projector import Projector
from projections.redis_model.generations import Generations
from projections.redis_model.writer import RedisReadModel
from projections.settings import Settings as ViewSettings
from projections.views.view import View
from schemas.codec import UnknownSchema
from schemas.events import Envelope


class Target:
    """The generation, and what fills it."""

    def __init__(self, model: RedisReadModel, filler: Filler) -> None:
        self._model, self.filler = model, filler

    async def advance(self, partition: int, offset: int) -> None:
        """All before the offset of the events topic is in the documents: say so. It never goes back."""
        await self._model.apply(Chunk(partition, 0, offset, {}))


@asynccontextmanager
async def target(
    settings: Settings,
    view: View,
    generations: Generations,
    name: str,
    until: int | None,
    tell: Callable[[Sums], None],
) -> AsyncIterator[Target]:
    """The generation `name`, for the length of the block. Its client lives as long as the loop."""
    model = RedisReadModel(settings.redis, generations.keys(name), view.VERSION)
    own = ViewSettings(
        kafka=settings.kafka, cassandra=settings.cassandra, keyspace=settings.keyspace, redis=settings.redis
    )
    store = EventStore(own)

    async def read(account_id: str, first: int, last: int) -> list[Envelope]:
        try:
            return await store.read(account_id, first, last)
        except UnknownSchema as error:
            raise NewerEvent(
                f"A newer release wrote an event of {account_id}, as {error}: rebuild with that."
            ) from error
        except Exception as error:
            if not event_store.is_away(error):
                raise
            raise CassandraAway(f"Cassandra at {settings.cassandra} does not answer: {error}") from error

    try:
        filler = Filler(Projector(view, model.apply, read), lambda notes: generations.note(name, notes), until, tell)
        yield Target(model, filler)
    finally:
        await model.close()
        store.close()
