"""A worker's process from its first question to Kafka on, without one."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiokafka.errors import KafkaConnectionError
from structlog.testing import capture_logs

from projections import process, transport
from projections.patience import Patience
from projections.settings import Settings


async def _partitions_of(bootstrap: str, topic: str) -> int:
    return 4


async def _announce(partitions: int) -> None: ...


class App:
    """Only what the process asks of it: Faust's start ends with an error."""

    def __init__(self, error: Exception) -> None:
        self.settings, self.error = Settings(), error
        self.stopping, self.anew = asyncio.Event(), False
        self.patience = Patience(self.stopping)
        self.model = SimpleNamespace(announce=_announce)

    def finalize(self) -> None: ...

    async def start(self) -> None:
        raise self.error


def work(error: Exception) -> App:
    async def story() -> App:
        app = App(error)
        await process._work(cast(Any, app))
        return app

    return asyncio.run(story())


def test_a_kafka_that_goes_away_while_the_app_begins_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "partitions_of", _partitions_of)
    with capture_logs() as logs:
        app = work(KafkaConnectionError("Unable to bootstrap"))
    assert app.anew
    assert app.stopping.is_set()
    assert [(line["event"], line["server"]) for line in logs] == [("waiting for a server", "Kafka")]


def test_whatever_else_ends_the_start_ends_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "partitions_of", _partitions_of)
    with pytest.raises(ValueError, match="a bug"):
        work(ValueError("a bug"))
