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
from projections.worker import Worker


async def _partitions_of(bootstrap: str, topic: str) -> int:
    return 4


async def _announce(partitions: int) -> None: ...


class App:
    """Only what the process asks of it: Faust's start ends with an error, or goes well and the crash comes later."""

    fail = Worker.fail

    def __init__(self, error: Exception, begins: bool) -> None:
        self.settings, self.crash_reason, self.begins = Settings(), error, begins
        self._crashed, self.crashed = asyncio.Event(), begins
        self.failure: BaseException | None = None
        self.stopping, self.anew = asyncio.Event(), False
        self.patience = Patience(self.stopping)
        self.model = SimpleNamespace(announce=_announce)

    def finalize(self) -> None: ...

    async def start(self) -> None:
        if not self.begins:
            raise self.crash_reason
        self._crashed.set()


def work(error: Exception, begins: bool, patch: pytest.MonkeyPatch) -> App:
    async def story() -> App:
        app = App(error, begins)
        await process._work(cast(Any, app))
        return app

    patch.setattr(transport, "partitions_of", _partitions_of)
    return asyncio.run(story())


@pytest.mark.parametrize("begins", [False, True])
def test_a_kafka_that_goes_away_and_crashes_the_app_is_waited_for(
    begins: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    with capture_logs() as logs:
        app = work(KafkaConnectionError("Unable to bootstrap"), begins, monkeypatch)
    assert (app.anew, app.failure, app.stopping.is_set()) == (True, None, True)
    assert logs[-1]["event"] == "waiting for a server"


@pytest.mark.parametrize("begins", [False, True])
def test_whatever_else_crashes_it_ends_the_process(begins: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    error = ValueError("a bug")
    app = work(error, begins, monkeypatch)
    assert (app.anew, app.failure, app.stopping.is_set()) == (False, error, True)
