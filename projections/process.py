"""The process of a worker: starts its app, ends with it, and stops on SIGTERM or Ctrl-C."""

import asyncio
import gc
import os
import signal
import sys
from functools import partial

import structlog

from projections import logs, transport
from projections.patience import Stopping
from projections.redis_model import writer
from projections.settings import Settings
from projections.views import VIEWS
from projections.views.view import View
from projections.worker import Worker, build_app

STOP_SECONDS = 8.0
#: Young objects before a collection. A chunk makes tens of thousands that all go with it; with Python's default, a
#: quarter of a worker's time went into walking them.
GC_THRESHOLDS = (20_000, 50, 100)

log = structlog.get_logger("projections")


def run(view_name: str, generation: str | None = None) -> None:
    """Run the worker of a view until SIGTERM or Ctrl-C. Exit code 1: it could not go on.

    Raises:
        KeyError: no view has that name.
    """
    view = VIEWS[view_name]
    logs.configure()
    generation = generation or view.VERSION
    structlog.contextvars.bind_contextvars(view=view.NAME, generation=generation)
    gc.set_threshold(*GC_THRESHOLDS)
    gc.freeze()  # what the libraries made while they were imported stays
    code = asyncio.run(_main(view, generation, Settings()))
    if code:
        sys.exit(code)


async def _main(view: View, generation: str, settings: Settings) -> int:
    app = build_app(view, generation, settings)
    for signum in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signum, app.stopping.set)
    try:
        await _work(app)
    except Stopping:
        pass
    except Exception as error:
        app.fail(error)
    await _stop(app)
    if app.failure is None:
        log.info("stopped")
        return 0
    log.error("cannot go on", error=f"{type(app.failure).__name__}: {app.failure}", exc_info=app.failure)
    return 1


async def _work(app: Worker) -> None:
    topic, patience = app.settings.topics.events, app.patience
    find = partial(transport.partitions_of, app.settings.kafka, topic)
    app.partitions = await patience.until("Kafka", transport.is_away, find)
    await patience.until("Redis", writer.is_away, partial(app.model.announce, app.partitions))
    app.finalize()
    start = asyncio.ensure_future(app.start())
    stop = asyncio.ensure_future(app.stopping.wait())
    await asyncio.wait({start, stop}, return_when=asyncio.FIRST_COMPLETED)
    if start.done():
        start.result()
        log.info("working", topic=topic, partitions=app.partitions)
        crash = asyncio.ensure_future(app._crashed.wait())
        await asyncio.wait({stop, crash}, return_when=asyncio.FIRST_COMPLETED)
        if app.crashed:
            app.fail(app.crash_reason or RuntimeError("Faust crashed"))
    for task in (start, stop):
        task.cancel()


async def _stop(app: Worker) -> None:
    log.info("stopping")
    try:
        await asyncio.wait_for(_close(app), STOP_SECONDS)
    except Exception as error:
        # Threads of the clients may hang on a server that is away; all that counts is in Redis.
        log.warning("not stopped in time, leaving", error=repr(error))
        os._exit(1 if app.failure else 0)


async def _close(app: Worker) -> None:
    await app.stop()
    await app.model.close()
    await asyncio.to_thread(app.store.close)
