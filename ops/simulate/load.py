"""The load: every member's sittings over a period, in time order per account and nearly so overall."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from ops.simulate import habits
from ops.simulate.catalog import by_popularity
from ops.simulate.members import HOUR, Member, join
from ops.simulate.sitting import Sitting, Timed
from schemas.commands import Command

DAY = 24 * HOUR
_BATCH = 20_000  # commands sorted by time at once
_LAZY = 1.25  # the higher, the more of the load comes from few members
_EVENINGS = 0.85


@dataclass(frozen=True, slots=True)
class Load:
    """What to generate: `commands` of `accounts` members from `start` to `end`, ms since the epoch."""

    accounts: int
    commands: int
    seed: int
    start: int
    end: int


def generate(load: Load, titles: tuple[str, ...]) -> Iterator[tuple[int, Command]]:
    """Commands with their times; the same load gives the same commands. `titles`: ids, most popular first."""
    rng = Random(load.seed)  # noqa: S311 - a load, no secret
    draw = by_popularity(titles)
    members: dict[int, Member] = {}
    period = load.end - load.start
    batches = max(-(-period // DAY), -(-load.commands // _BATCH))
    made = 0
    for batch in range(batches):
        quota = load.commands * (batch + 1) // batches - made
        day = load.start + batch * period // batches // DAY * DAY
        out: list[Timed] = []
        while len(out) < quota:
            number = int(load.accounts * rng.random() ** _LAZY)
            member = members.get(number)
            if member is None:
                member = members[number] = join(number, load.seed, rng)
            at = max(_begin(rng, member, day, min(DAY, period)), member.at + 1)
            _sit(Sitting(rng, member, min(at, load.end - 1), load.end - 1, out), draw, titles)
        made += len(out)
        out.sort()
        surplus = made - load.commands
        for at, _, command in out[: len(out) - surplus] if surplus > 0 else out:
            yield at, command


def _begin(rng: Random, member: Member, day: int, length: int) -> int:
    """Mostly some time of the member's evening, where `length` ms from `day` are a whole day; else any time."""
    if length == DAY and rng.random() < _EVENINGS:
        local = int(rng.triangular(17.5, 23.5, 20.5) * HOUR)
        return day + (local - member.zone - day) % DAY
    return day + int(rng.random() * length)


def _sit(sitting: Sitting, draw: habits.Draw, titles: tuple[str, ...]) -> None:
    member = sitting.member
    member.sittings += 1
    if member.sittings == 1:
        habits.subscribe(sitting)
        habits.download(sitting, draw)
    elif member.sittings == 2 and member.hoards:
        habits.hoard(sitting, titles)
    else:
        habits.HABITS[int(sitting.rng.random() * len(habits.HABITS))](sitting, draw)
    member.at = sitting.at
