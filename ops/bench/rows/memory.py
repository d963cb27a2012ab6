"""Memory of a handler and a worker: flat once the caches are full, and how much an account takes, there and in Redis.

First a few accounts with long histories, of which every state is soon as large as it gets; half of their commands warm
the processes up, and each run looks at a share of the others. Then many new accounts: the buffers of the clients have
their size by then, so what the processes still grow by is the accounts'.
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
_LOOKS = 3  # a run
_LIMIT = 1.1


class _Look(NamedTuple):
    """Bytes; of several looks, their mean."""

    handler: float
    worker: float
    redis: float


class _Seen(NamedTuple):
    """`idle`, then a look after the warm-up and after each run; and (accounts, events, before, after) of the many."""

    idle: _Look
    flat: list[_Look]
    many: list[tuple[int, int, _Look, _Look]]


def measure(ground: Ground) -> list[Line]:
    """All runs on the same processes."""
    if not POSSIBLE:
        ground.tell(f"{NAME} needs /proc, which this system does not have")
        return []
    commands, accounts = ground.size.pick(300_000, 1_000_000), ground.size.pick(12_000, 100_000)
    work = load(commands, max(1, commands // _HISTORY), days=_DAYS)
    many = list(of_others(load(accounts * _SITTING, accounts * 20, seed=2), "x"))
    ground.tell(f"{NAME}: warming up with {commands // 2:,} commands")
    with system(ground) as running:
        seen = _look_on(running, ground, work, many)
    return [*_flat(f"{commands:,} commands", seen), *_growth(seen), _weighed()]


def _look_on(running: System, ground: Ground, work: list[Timed], many: list[Timed]) -> _Seen:
    running.take(work[:_IDLE])  # idle is a process that has begun
    idle = _look(running, ground)
    half, portion = len(work) // 2, -(-len(work) // 2 // ground.runs // _LOOKS)
    flat = [_mean([_after(running, ground, part) for part in _parts(work[_IDLE:half], portion)][-_LOOKS:])]
    rest = _parts(work[half:], portion * _LOOKS)
    for _, share in zip(ground.laps(NAME), rest, strict=False):
        flat.append(_mean([_after(running, ground, part) for part in _parts(share, portion)]))
    grown = []
    for share in _parts(many, -(-len(many) // ground.runs)):
        before, events = _look(running, ground), running.events()
        for part in _parts(share, portion):
            running.take(part)
        accounts = len({command.account_id for _, command in share})
        grown.append((accounts, running.events() - events, before, _look(running, ground)))
    return _Seen(idle, flat, grown)


def _parts(work: list[Timed], size: int) -> Iterator[list[Timed]]:
    for begin in range(0, len(work), size):
        yield work[begin : begin + size]


def _after(running: System, ground: Ground, commands: list[Timed]) -> _Look:
    running.take(commands)
    return _look(running, ground)


def _look(running: System, ground: Ground) -> _Look:
    (worker,) = running.workers
    pids = running.handler.process.pid, worker.process.pid
    return _Look(resident(pids[0]), resident(pids[1]), redis.used_memory(ground.address.redis))


def _mean(looks: list[_Look]) -> _Look:
    return _Look(*map(mean, zip(*looks, strict=True)))


def _flat(commands: str, seen: _Seen) -> list[Line]:
    lines = []
    for which, name in enumerate(("handler", "worker")):
        flat = [look[which] / _MIB for look in seen.flat]
        grown, by_run = ((flat[-1], seen.idle[which] / _MIB),), tuple(zip(flat[1:], flat, strict=False))
        lines += [
            Line(f"{name}, after {commands}", "idle", "MiB", grown, "lower"),
            Line(f"{name}, warm, after a run", "before the run", "MiB", by_run, "lower", _LIMIT),
        ]
    return lines


def _growth(seen: _Seen) -> list[Line]:
    accounts = sum(number for number, *_ in seen.many)
    each = [_Look(*((b - a) / n for a, b in zip(before, after, strict=True))) for n, _, before, after in seen.many]
    event = [(after.redis - before.redis) / events for _, events, before, after in seen.many]
    lines = {
        f"handler, each of {accounts:,} accounts more": [look.handler for look in each],
        "worker, each of them": [look.worker for look in each],
        "Redis, each of them, in one view": [look.redis for look in each],
        "Redis, each of their events, in one view": event,
    }
    return [Line(what, "", "bytes", tuple((value, nan) for value in found), "lower") for what, found in lines.items()]


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
