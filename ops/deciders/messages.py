"""What goes between the parent and a process that decides, pickled: `Begin`, lists of rows, and None at a shard's end.

To each list of rows the answer is the list of what differs, to None it is `Ended`; to `Begin` there is none. Before
such an answer may come a question, a set of accounts: the parent answers with what they were before the first row.
Instead of an answer an exception may come, the last that is heard of that process.
"""

from collections.abc import Collection
from typing import NamedTuple

from commands.policies import Policies


class Begin(NamedTuple):
    """A shard begins. `new`: at its first row no account has a history; else it is asked for.

    `wanted`: as for `decide_again`. `collect`: when the garbage collector is to run (`gc.set_threshold`).
    """

    policies: Policies
    wanted: Collection[str] | None
    new: bool
    collect: tuple[int, int, int]
