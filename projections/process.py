"""The process of a worker: starts its app, ends with it, and stops on SIGTERM or Ctrl-C."""

import asyncio
import gc
import os
import signal
import sys
from functools import partial

import structlog

from projections import logs, transport
from projections.following import Following
from projections.patience import Stopping, into_the_log
from projections.redis_model import writer
from projections.settings import Settings
from projections.views import VIEWS
from projections.views.view import View
from projections.worker import Worker, build_app

STOP_SECONDS = 8.0
SIGNALS = (signal.SIGTERM, signal.SIGINT)
SIGNAL_SECONDS = 0.05  # until one that came has reached the loop
#: Young objects before a collection. A chunk makes tens of thousands that all go with it; with Python's default, a
#: quarter of a worker's time went into walking them.
GC_THRESHOLDS = (20_000, 50, 100)

log = structlog.get_logger("projections")


def run(view_name: str, generation: str | None = None) -> None:
    """Run the worker of a view until SIGTERM or Ctrl-C. Exit code 1: it could not go on.

    Without a generation it follows the live one: when that is another one, the process begins anew with it.

    Raises:
        KeyError: no view has that name.
    """
    view = VIEWS[view_name]
    logs.configure()
    structlog.contextvars.bind_contextvars(view=view.NAME)
    gc.set_threshold(*GC_THRESHOLDS)
    gc.freeze()  # what the libraries made while they were imported stays
    code = asyncio.run(_main(view, generation, Settings()))
    if code:
        sys.exit(code)


async def _main(view: View, named: str | None, settings: Settings) -> int:
    asked = asyncio.Event()
    for signum in SIGNALS:
        asyncio.get_running_loop().add_signal_handler(signum, asked.set)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)  # as `_begin_anew` left them
    if named is None:
        following = Following(view, settings)
        try:
            generation = await following.until_ours(asked)
        except Stopping:
            await following.close()
            log.info("stopped")
            return 0
    else:
        generation, following = named, None
    structlog.contextvars.bind_contextvars(generation=generation)
    app = build_app(view, generation, settings, following)
    relay = asyncio.ensure_future(_pass_on(asked, app.stopping))
    try:
        await _work(app)
    except Stopping:
        pass
    except Exception as error:
        app.fail(error)
    in_time = await _stop(app)
    relay.cancel()
    if app.anew and app.failure is None:
        await _begin_anew(asked)
    if app.failure is None:
        log.info("stopped")
    else:
        log.error("cannot go on", error=f"{type(app.failure).__name__}: {app.failure}", exc_info=app.failure)
    code = 0 if app.failure is None else 1
    if not in_time:
        os._exit(code)  # threads of the clients may hang
    return code


async def _pass_on(asked: asyncio.Event, stopping: asyncio.Event) -> None:
    await asked.wait()
    stopping.set()


async def _begin_anew(asked: asyncio.Event) -> None:
    """Become this program again, with the same pid and nothing left of the old app; not when asked to stop meanwhile.

    A signal that comes on the way waits until somebody listens again.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    await asyncio.sleep(SIGNAL_SECONDS)
    if not asked.is_set():
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 - our own command line


async def _work(app: Worker) -> None:
    topic, patience = app.settings.topics.events, app.patience
    find = partial(transport.partitions_of, app.settings.kafka, topic)
    app.partitions = await patience.until("Kafka", transport.is_away, find)
    await patience.until("Redis", writer.is_away, partial(app.model.announce, app.partitions))
    app.finalize()
    start = asyncio.ensure_future(app.start())
    stop = asyncio.ensure_future(app.stopping.wait())
    await asyncio.wait({start, stop}, return_when=asyncio.FIRST_COMPLETED)
    if start.done() and (error := start.exception()) is not None:
        _end(app, error)
    elif start.done():
        log.info("working", topic=topic, partitions=app.partitions)
        crash = asyncio.ensure_future(app._crashed.wait())
        await asyncio.wait({stop, crash}, return_when=asyncio.FIRST_COMPLETED)
        if app.crashed:
            _end(app, app.crash_reason or RuntimeError("Faust crashed"))
    for task in (start, stop):
        task.cancel()


def _end(app: Worker, error: BaseException) -> None:
    """Faust and its client do not get over everything that a Kafka says which goes away: begin anew then, and wait."""
    if not transport.is_away(error):
        app.fail(error)
        return
    into_the_log("Kafka", error)
    app.anew = True
    app.stopping.set()


async def _stop(app: Worker) -> bool:
    """False: not in time. All that counts is in Redis."""
    log.info("stopping")
    try:
        await asyncio.wait_for(_close(app), STOP_SECONDS)
    except Exception as error:
        log.warning("not stopped in time, leaving", error=repr(error))
        return False
    return True


async def _close(app: Worker) -> None:
    await app.stop()
    await app.model.close()
    if app.following is not None:
        await app.following.close()
    await asyncio.to_thread(app.store.close)
