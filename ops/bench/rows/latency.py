"""From a command to its reply at a quarter and at half of the highest rate, beside one bare lightweight transaction.

The highest rate is that of commands sent as fast as it goes while their replies are read, so that the sender and the
reader take their share of the machine then as well. Both sides are sent by the clock, in one Python process, and a wait
counts from when its message was due, not from when it was sent. Beside: `INSERT ... IF NOT EXISTS`, each to a partition
of its own, by `execute_async` of the bare driver at the same rate.
"""

import gc
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any
from uuid import uuid4

from commands.cassandra.tables import change_schema
from ops.bench.ground import Ground, Space
from ops.bench.handled import NotHandled, at_work, stream
from ops.bench.open_loop import percentile, send
from ops.bench.row import Line
from ops.replies import following
from ops.send import Sender, pump
from ops.simulate import Message

NAME = "latency"
TITLE = "Latency"

_SHARES = {"a quarter": 0.25, "half": 0.5}
_PERCENTILES = {"p50": 0.5, "p99": 0.99}
_WARM_UP = 1.0  # seconds that do not count
_PATIENCE = 30.0  # seconds
_TABLE = "CREATE TABLE bare (account_id text PRIMARY KEY, version bigint, payload blob)"
_INSERT = "INSERT INTO bare (account_id, version, payload) VALUES (?, ?, ?) IF NOT EXISTS"

Waits = list[float]


def measure(ground: Ground) -> list[Line]:
    """A line for each rate and percentile."""
    most = ground.size.pick(16_000, 40_000)
    seconds = ground.size.pick(3, 10)
    messages = stream(ground.size.pick(500_000, 2_000_000))
    found: dict[str, list[tuple[Waits, Waits]]] = {share: [] for share in _SHARES}
    with ground.space() as space, at_work(ground, space), space.cassandra() as session:
        ground.tell(f"{NAME}: finding the highest rate")
        _flat_out(space, list(islice(messages, most // 2)))
        highest = _flat_out(space, list(islice(messages, most)))
        change_schema(session, _TABLE)
        insert = session.prepare(_INSERT)
        for _ in ground.laps(NAME):
            for share, part in _SHARES.items():
                rate = part * highest
                some = list(islice(messages, int(rate * (_WARM_UP + seconds))))
                ours = _commands(space, some, rate)
                found[share].append((ours, _transactions(session, insert, some, rate)))
    return [_line(share, percent, found[share], highest) for share in _SHARES for percent in _PERCENTILES]


def _line(share: str, percent: str, found: Sequence[tuple[Waits, Waits]], highest: float) -> Line:
    level = _PERCENTILES[percent]
    return Line(
        f"command to reply, {percent} at {share} of the highest rate",
        "one bare lightweight transaction",
        "ms",
        tuple((1000 * percentile(ours, level), 1000 * percentile(theirs, level)) for ours, theirs in found),
        "lower",
        limit=5,
        note=f"{_SHARES[share] * highest:,.0f} a second",
    )


def _flat_out(space: Space, messages: Sequence[Message]) -> float:
    """Commands a second, from the first that is sent to the last reply."""
    settings = space.settings
    with following(settings.kafka, settings.topics.replies) as replies:
        began = time.monotonic()
        pump(Sender(settings.kafka, settings.topics.commands), messages, replies)
        replies.wait(_PATIENCE)
        return len(messages) / (time.monotonic() - began)


def _commands(space: Space, messages: Sequence[Message], rate: float) -> Waits:
    """Seconds from when each command was due to its reply, without the first ones."""
    sender = Sender(space.settings.kafka, space.settings.topics.commands, linger_ms=1)
    with following(space.settings.kafka, space.settings.topics.replies) as replies, _no_collection():

        def one(number: int, due: float) -> None:
            message = messages[number]
            replies.expect(message.command_id or "", due)
            sender.send(message)

        send(len(messages), rate, one, replies.poll)
        replies.wait(_PATIENCE)
        return replies.latencies[int(_WARM_UP * rate) :]


def _transactions(session: Any, insert: Any, messages: Sequence[Message], rate: float) -> Waits:
    """Seconds from when each transaction was due to its answer, without the first ones."""
    run, waits, failures = uuid4().hex, Waits(), list[BaseException]()

    def one(number: int, due: float) -> None:
        answer = session.execute_async(insert, (f"{run}-{number}", 1, messages[number].value))
        answer.add_callbacks(lambda _: waits.append(time.monotonic() - due), failures.append)

    with _no_collection():
        send(len(messages), rate, one, time.sleep)
        deadline = time.monotonic() + _PATIENCE
        while len(waits) + len(failures) < len(messages) and time.monotonic() < deadline:
            time.sleep(0.01)
    if failures or len(waits) < len(messages):
        why = f": {failures[0]}" if failures else ""
        raise NotHandled(f"{len(messages) - len(waits)} of {len(messages)} bare transactions failed{why}")
    return waits[int(_WARM_UP * rate) :]


@contextmanager
def _no_collection() -> Iterator[None]:
    """Without Python's garbage collector, whose pauses here would look like slow answers."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
