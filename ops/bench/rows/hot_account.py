"""All commands to one account, beside one lightweight transaction a command.

Ours: acquire, complete, play, renew and release of title after title, all accepted, with the clock of the row
`commands`. Beside: `INSERT ... IF NOT EXISTS` of (account, version) on the bare driver, one after the other, as each
version takes the one before; it decides nothing, reads nothing and publishes nothing.
"""

import time
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from commands.cassandra.tables import change_schema
from ops.bench.cpu import told
from ops.bench.ground import Ground
from ops.bench.handled import at_work
from ops.bench.row import Line
from ops.simulate import Message, encode
from schemas import commands as c

NAME = "hot-account"
TITLE = "A hot account"

ACCOUNT = "everybodys-darling"
_TITLES = 100
_STEP = 10_000  # ms between two commands
_TABLE = "CREATE TABLE bare (account_id text, version bigint, payload blob, PRIMARY KEY (account_id, version))"
_INSERT = "INSERT INTO bare (account_id, version, payload) VALUES (?, ?, ?) IF NOT EXISTS"


def measure(ground: Ground) -> list[Line]:
    """One line."""
    count = ground.size.pick(20_000, 50_000)
    alone = ground.size.pick(2000, 10_000)
    backlog = list(encode(_evening(count + count // 4), 0.0, 0))
    pairs, note = [], ""
    for _ in ground.laps(NAME):
        with ground.space() as space, at_work(ground, space) as handled, space.cassandra() as session:
            ours = handled.drain(ground, backlog, count // 4)
            change_schema(session, _TABLE)
            _bare(session, 0, alone // 4, backlog)
            pairs.append((ours.rate, _bare(session, alone // 4, alone, backlog)))
            note = f"cores used, of the last run: {told(ours.shares)}"
    return [
        Line(
            "commands of one account",
            "one lightweight transaction a command, each after the one before",
            "commands/s",
            tuple(pairs),
            "higher",
            limit=10,
            note=note,
        )
    ]


def _evening(count: int) -> Iterator[tuple[int, c.Command]]:
    """Commands that are all accepted: each title in turn on its way from acquired to released."""
    at = int(time.time() * 1000) - count * _STEP
    ways = (c.AcquireLicense, c.CompleteDownload, c.StartPlayback, c.RenewLicense, c.ReleaseLicense)
    yield at, c.SetPlan(_id(0), ACCOUNT, None, "premium")
    for number in range(1, count):
        turn, step = divmod(number - 1, len(ways))
        yield at + number * _STEP, ways[step](_id(number), ACCOUNT, None, "tablet", f"title-{turn % _TITLES}")


def _id(number: int) -> str:
    return str(UUID(int=number, version=4))


def _bare(session: Any, first: int, count: int, like: list[Message]) -> float:
    """Transactions a second; the payloads are the size of our commands."""
    insert = session.prepare(_INSERT)
    began = time.monotonic()
    for version in range(first, first + count):
        session.execute(insert, (ACCOUNT, version, like[version % len(like)].value))
    return count / (time.monotonic() - began)
