"""Which policy is in force when: the one that a command is decided under follows from its time alone. Pure.

Times are int milliseconds since the epoch, UTC. The times below make sure that nobody decides under a policy while one
that replaces it at that time is published and not read yet (ops/decisions/0013).
"""

from bisect import bisect_right
from collections.abc import Iterable
from typing import NamedTuple, Protocol

from commands.policy import Policy

#: A policy takes effect no earlier than this after the broker has it; the first of all may say any time.
LEAD = 30_000
#: What clocks may differ by, and a broker may take to show what it has got, together.
MARGIN = 15_000
#: What has been read at some time is all that can be in force until so much later.
KNOWN_AHEAD = LEAD - MARGIN
#: Brokers refuse commands that are further ahead of their clock. Less than `KNOWN_AHEAD`: nobody waits for its time.
COMMANDS_AHEAD = 10_000
FOR_EVER = 1 << 62


class InForce(NamedTuple):
    """A policy, and `since` <= at < `until`: when it is known to be in force."""

    policy: Policy
    since: int
    until: int


class Policies(Protocol):
    """Finds the policy of a time."""

    def at(self, at: int) -> InForce | None:
        """The policy in force at that time; None if that is not known yet."""
        ...


class Timeline:
    """Policies by time: `first` until one of the others takes effect. Of two for the same time the later one counts.

    `known_until`: no other policy can take effect before that time any more.
    """

    def __init__(self, first: Policy, later: Iterable[Policy] = (), known_until: int = FOR_EVER) -> None:
        by_time = {policy.effective_from: policy for policy in later}
        self.starts = sorted(by_time)
        self.policies = [first, *map(by_time.__getitem__, self.starts)]
        self.known_until = known_until
        ends = [min(start, known_until) for start in (*self.starts, FOR_EVER)]
        self._spans = list(map(InForce, self.policies, (-FOR_EVER, *self.starts), ends))

    def at(self, at: int) -> InForce | None:
        """See `Policies.at`."""
        return None if at >= self.known_until else self._spans[bisect_right(self.starts, at)]
