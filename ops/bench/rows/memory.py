"""Memory of a handler and a worker: flat once the caches are full, and how much an account takes, there and in Redis.

First a few accounts with long histories, of which every state is soon as large as it gets; then many new accounts, when
the buffers of the clients have their size: what the processes grow by then is the accounts'.
"""

import tracemalloc
from collections.abc import Iterator
from math import nan
from statistics import mean
from typing import NamedTuple

import msgspec

from commands.account import fold, initial
from commands.policy_file import load_policy
from ops import redis
from ops.bench.filling import Timed, history, load, of_others
from ops.bench.ground import Ground
from ops.bench.row import Line
from ops.bench.steady import System, system
from ops.bench.watch import POSSIBLE, resident
from schemas.codec import decode_event, encode_event

NAME = "memory"
TITLE = "Memory"

_MIB = 1 << 20
#: Commands of each of the few accounts, and over how many days. An account remembers its last 256 commands and the
#: acquisitions of a year, so states are as large as they get after a third of that.
_HISTORY, _DAYS = 1_000, 4 * 365
_SITTING = 6  # commands of a member's first evening, on average
_WEIGHED = 20  # accounts
_IDLE = 100  # commands before the first look
_PORTIONS = 9
_LIMIT = 1.1


class _Look(NamedTuple):
    """Bytes."""

    handler: int
    worker: int
    redis: int


class _Run(NamedTuple):
    """The looks when idle and after each portion; the one after the many accounts, and how many events these had."""

    looks: list[_Look]
    after: _Look
    events: int


def measure(ground: Ground) -> list[Line]:
    """Every run has processes of its own."""
    if not POSSIBLE:
        ground.tell(f"{NAME} needs /proc, which this system does not have")
        return []
    commands, accounts = ground.size.pick(100_000, 1_000_000), ground.size.pick(10_000, 100_000)
    few = max(1, commands // _HISTORY)
    work = load(commands, few, days=_DAYS)
    many = list(of_others(load(accounts * _SITTING, accounts * 20, seed=2), "x"))
    distinct = len({command.account_id for _, command in many})
    runs = []
    for _ in ground.laps(NAME):
        with system(ground) as running:
            runs.append(_run(running, ground, work, many))
    return [
        *_flat(f"{commands:,} commands", runs),
        *_growth(distinct, runs),
        _weighed(),
    ]


def _run(running: System, ground: Ground, work: list[Timed], many: list[Timed]) -> _Run:
    running.take(work[:_IDLE])  # idle is a process that has begun
    looks = [_look(running, ground)]
    size = -(-len(work) // _PORTIONS)
    for portion in _portions(work[_IDLE:], size):
        events = running.take(portion)
        looks.append(_look(running, ground))
    for portion in _portions(many, size):
        now = running.take(portion)
    return _Run(looks, _look(running, ground), now - events)


def _portions(work: list[Timed], size: int) -> Iterator[list[Timed]]:
    for begin in range(0, len(work), size):
        yield work[begin : begin + size]


def _look(running: System, ground: Ground) -> _Look:
    (worker,) = running.workers
    pids = running.handler.process.pid, worker.process.pid
    return _Look(resident(pids[0]), resident(pids[1]), redis.used_memory(ground.address.redis))


def _flat(commands: str, runs: list[_Run]) -> list[Line]:
    lines, third = [], _PORTIONS // 3
    for which, name in enumerate(("handler", "worker")):
        seen = [[look[which] / _MIB for look in run.looks] for run in runs]
        grown = tuple((looks[-1], looks[0]) for looks in seen)
        flat = tuple((mean(looks[-third:]), mean(looks[-2 * third : -third])) for looks in seen)
        lines += [
            Line(f"{name}, after {commands}", "idle", "MiB", grown, "lower"),
            Line(f"{name}, the last third of them", "the middle third", "MiB", flat, "lower", _LIMIT),
        ]
    return lines


def _growth(accounts: int, runs: list[_Run]) -> list[Line]:
    handler, worker, kept, event = [], [], [], []
    for looks, after, events in runs:
        before = looks[-1]
        handler.append(((after.handler - before.handler) / accounts, nan))
        worker.append(((after.worker - before.worker) / accounts, nan))
        kept.append(((after.redis - before.redis) / accounts, nan))
        event.append(((after.redis - before.redis) / events, nan))
    return [
        Line(f"handler, each of {accounts:,} accounts more", "", "bytes", tuple(handler), "lower"),
        Line("worker, each of them", "", "bytes", tuple(worker), "lower"),
        Line("Redis, each of them, in one view", "", "bytes", tuple(kept), "lower"),
        Line("Redis, each of their events, in one view", "", "bytes", tuple(event), "lower"),
    ]


def _weighed() -> Line:
    """States of long histories, each read and folded as a handler does it; only what stays is counted."""
    policy = load_policy()
    histories = [
        [encode_event(event) for event in history(load(_HISTORY, accounts=1, seed=seed, days=_DAYS), policy)]
        for seed in range(_WEIGHED)
    ]
    tracemalloc.start()
    states = [fold(initial(), map(decode_event, payloads)) for payloads in histories]
    in_memory, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    as_json = sum(len(msgspec.json.encode(state)) for state in states)
    pairs = ((in_memory / _WEIGHED, as_json / _WEIGHED),)
    return Line(f"an account's state after {_HISTORY:,} commands", "its snapshot", "bytes", pairs, "lower")
