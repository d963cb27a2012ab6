"""A what-if over real history: fed by readers, one shard after the other, it gives the difference piece by piece.

It writes nothing anywhere: what it is given can only be read.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from commands.accounts import extend
from commands.aggregates import aggregate_of
from commands.policies import Policies
from ops.recorded import Stores
from ops.whatif.again import Changed, Totals
from ops.whatif.documents import Compared, Documents
from ops.whatif.edits import Edits
from ops.whatif.parted import Parted, split
from ops.whatif.refold import refold
from ops.whatif.shards import Decider, Ended, Task, Tell, one_by_one
from projections.views import VIEWS
from schemas.events import Envelope


@dataclass(frozen=True, slots=True)
class Refolded:
    """How many events there would be, beside those that there are; `impossible`: those that could not have happened."""

    before: int
    after: int
    impossible: list[Envelope]


#: A piece of the difference; what sums it up comes last.
Found: TypeAlias = Changed | Parted | Documents | Totals | Refolded
#: Accounts whose events are read at once.
_TOGETHER = 100


def decide_again(
    of: Stores,
    shards: Iterable[int],
    policies: Policies,
    now: int,
    wanted: Collection[str] | None = None,
    tell: Tell = lambda done, total: None,
    decide: Decider = one_by_one,
) -> Iterator[Found]:
    """Decide what the journal has kept of these shards again. `wanted` None: of all accounts.

    `now` (ms): when documents are read. `tell`: is told how many rows of the journal are read, and of how many.
    Whoever decides, what is given is the same, in the same order.

    Raises:
        StoreUnavailable: a store cannot be read now.
        NewerRelease, NotPrepared: something in it cannot be understood.
        BrokenHistory: a version of an account is missing.
    """
    task = Task({shard: of.journal.kept(shard) for shard in shards}, policies, wanted, tell)
    views, totals = [Compared(view, now) for view in VIEWS.values()], Totals()
    for one in decide(of, task):
        if isinstance(one, Ended):
            yield from _parted(of, one.parted, views)
            totals.add(one.totals)
        else:
            yield one
    for view in views:
        yield from view.shared()
    yield totals


def change_events(account_id: str, real: list[Envelope], edits: Edits, now: int) -> Iterator[Found]:
    """Fold an account's history with other events; nothing is decided again. `real`: all its events, from the first on.

    Raises:
        BrokenHistory: a version is missing.
    """
    was = extend(aggregate_of(account_id).initial(), real)
    becomes, history, impossible = refold(account_id, edits.history(real))
    parted = split(account_id, was, becomes, real, history)
    if parted.before or parted.after:
        yield parted
        for view in [Compared(view, now) for view in VIEWS.values()]:
            yield from view.take(parted, real[: parted.version])
            yield from view.shared()
    yield Refolded(len(real), len(history), impossible)


def _parted(of: Stores, every: Sequence[Parted], views: list[Compared]) -> Iterator[Found]:
    for start in range(0, len(every), _TOGETHER):
        some = every[start : start + _TOGETHER]
        histories = of.events.read_many((one.account_id, 0) for one in some)
        for one in some:
            yield one
            for view in views:
                yield from view.take(one, histories[one.account_id][: one.version])
