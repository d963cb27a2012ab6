"""Three verbs for the account: `given(events).when(command, at=...).then(events or a reason)`."""

from dataclasses import dataclass, field

from commands.account import Account, evolve, initial
from commands.decide import Reason, Rejected, decide
from commands.policy import Policy
from schemas.commands import Command
from schemas.events import Event
from tests.support.examples import POLICY, T0, envelope


@dataclass(frozen=True)
class At:
    """Events that happened at a time, ms since the epoch."""

    at: int
    events: tuple[Event, ...]


def at(time: int, *events: Event) -> At:
    """Say when events happened; without it they happened at `T0`, or with the one before."""
    return At(time, events)


@dataclass(frozen=True)
class Then:
    """What came of a command."""

    state: Account
    at: int
    outcome: tuple[Event, ...] | Rejected
    policy: Policy

    def then(self, *expected: Event | Reason) -> "Given":
        """Exactly these events, or the refusal for this reason; nothing expected is no events. The story goes on."""
        if isinstance(self.outcome, Rejected):
            assert (self.outcome.reason,) == expected, self.outcome
            assert self.outcome.message
            return Given(self.state, self.at, self.policy)
        assert self.outcome == expected
        return Given(self.state, self.at, self.policy).and_given(At(self.at, self.outcome))


@dataclass(frozen=True)
class Given:
    """An account with a history, under a policy."""

    state: Account = field(default_factory=initial)
    at: int = T0
    policy: Policy = POLICY

    def and_given(self, *history: Event | At) -> "Given":
        """More of the history. Each group of events is the work of a command of its own."""
        state, now = self.state, self.at
        for step in history:
            now, events = (step.at, step.events) if isinstance(step, At) else (now, (step,))
            for event in events:
                state = evolve(state, envelope(event, state.version + 1, at=now))
        return Given(state, now, self.policy)

    def under(self, policy: Policy) -> "Given":
        """The same account under another policy."""
        return Given(self.state, self.at, policy)

    def when(self, command: Command, *, at: int | None = None) -> Then:
        """Decide a command, by default at the time of the last event; deciding must not touch the account."""
        now = self.at if at is None else at
        before = self.state.copy()
        outcome = decide(command, self.state, self.policy, now)
        assert self.state == before
        return Then(self.state, now, outcome, self.policy)


def given(*history: Event | At) -> Given:
    """An account to which this has happened."""
    return Given().and_given(*history)
