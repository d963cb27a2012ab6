"""The journal of shards, decided again: what comes of it, shard by shard. Pure.

`one_by_one` does it where it is called; `ops.deciders` has other processes do it, and gives the same in the same order.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import NamedTuple, TypeAlias

from commands.account import Account
from commands.accounts import load
from commands.memory import MemorySnapshots
from commands.policies import Policies
from ops.recorded import Stores, recorded_in
from ops.whatif.again import Again, Base, Changed, Totals
from ops.whatif.parted import Parted

#: Is told how many rows of the journal are decided again, and of how many.
Tell: TypeAlias = Callable[[int, int], None]


class Ended(NamedTuple):
    """A shard is done: its accounts with two histories, in the order in which they parted, and its sums."""

    parted: list[Parted]
    totals: Totals


class Task(NamedTuple):
    """What is decided again, by shard, under which policies. `wanted` None: of all accounts."""

    kept: Mapping[int, range]
    policies: Policies
    wanted: Collection[str] | None
    tell: Tell

    @property
    def rows(self) -> int:
        """How many rows of the journal that are."""
        return sum(map(len, self.kept.values()))


#: Decides again what it is given: of each shard in its turn the commands that differ, then its end. It raises as
#: `decide_again` does.
Decider: TypeAlias = Callable[[Stores, Task], Iterator[Changed | Ended]]


def one_by_one(of: Stores, task: Task) -> Iterator[Changed | Ended]:
    """A `Decider`: here, one shard after the other."""
    done, total = 0, task.rows
    for shard, positions in task.kept.items():
        again = Again(task.policies, before(of, positions))
        for decided in recorded_in(of.journal.read(shard, positions), task.wanted):
            yield from again.take(decided)
            done += 1
            task.tell(done, total)
        yield Ended(list(again.parted.values()), again.totals)


def before(of: Stores, positions: range) -> Base | None:
    """Accounts as of the first of the positions; at the first of all they are new.

    Snapshots may be later, so there are none.
    """

    def base(account_ids: Iterable[str]) -> dict[str, Account]:
        return load(account_ids, positions.start, of.events, MemorySnapshots())

    return base if positions.start else None
