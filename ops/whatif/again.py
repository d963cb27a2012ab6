"""Deciding recorded commands again, in their order and at their times, under other policies. Pure.

As long as an account's new events are the recorded ones, there is one state, and the recorded events are folded into
it. From the first other event on there are two.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from msgspec import Struct, structs

from commands.account import Account, business_time
from commands.aggregates import OF_COMMAND, OF_EVENT, aggregate_of
from commands.batch import Decided
from commands.policies import InForce, Policies
from commands.policy import Policy
from ops.whatif.parted import Parted
from schemas.commands import AnyCommand
from schemas.events import AnyEvent, Envelope, PlanChanged
from schemas.ids import id_from

#: An outcome and, where it is a refusal, its reason.
Kind: TypeAlias = tuple[str, str | None]
#: Accounts as they were before the first of the commands.
Base: TypeAlias = Callable[[Iterable[str]], Mapping[str, Account]]
_DUPLICATE: Kind = ("duplicate", None)
_ACCEPTED: Kind = ("accepted", None)


class Outcome(Struct, frozen=True, gc=False):
    """What became of a command; accepted without events: there was nothing to do."""

    outcome: str
    reason: str | None
    message: str | None
    events: tuple[AnyEvent, ...]


class Changed(Struct, frozen=True, gc=False):
    """A command with another outcome, or with other events; `at`: when it would have happened, ms."""

    command: AnyCommand
    at: int
    before: Outcome
    after: Outcome


@dataclass(slots=True)
class Totals:
    """How many commands were decided again, of how many accounts, and what became of them. `until`: the last time, ms.

    `changed`: by outcome before and after; the same outcome twice: other events.
    """

    commands: int = 0
    accounts: int = 0
    parted: int = 0
    until: int = 0
    before: Counter[Kind] = field(default_factory=Counter)
    after: Counter[Kind] = field(default_factory=Counter)
    changed: Counter[tuple[Kind, Kind]] = field(default_factory=Counter)

    def count(self, before: Kind, after: Kind, same: bool, at: int) -> None:
        """One command more."""
        self.commands += 1
        self.before[before] += 1
        self.after[after] += 1
        if after != before or not same:
            self.changed[before, after] += 1
        self.until = max(self.until, at)

    def add(self, other: "Totals") -> None:
        """Add those of other accounts."""
        self.commands += other.commands
        self.accounts += other.accounts
        self.parted += other.parted
        self.until = max(self.until, other.until)
        self.before += other.before
        self.after += other.after
        self.changed += other.changed


class Again:
    """The commands of a shard, or of some of its accounts, decided again. `base` None: from their first event on."""

    def __init__(self, policies: Policies, base: Base | None = None) -> None:
        self._policies, self._base = policies, base
        self._in_force: InForce | None = None
        self._names: dict[str, dict[str | None, Policy]] = {}  # by version, then by the recorded name
        self._named: dict[str | None, Policy] = {}  # the one in force
        self._accounts: dict[str, Account] = {}
        self.parted: dict[str, Parted] = {}
        self.totals = Totals()

    def take(self, decided: Sequence[Decided]) -> list[Changed]:
        """Decide the next commands; those with another outcome, or with other events.

        Raises:
            LookupError: it is not known which policy is in force at the time of one.
        """
        self._meet(decided)
        totals, accounts, parted = self.totals, self._accounts, self.parted
        found: list[Changed] = []
        for one in decided:
            entry, command = one.entry, one.command
            if command is None:
                continue
            account = accounts[command.account_id]
            at = business_time(account, entry.timestamp)
            outcome: Any = None
            if command.command_id not in account.answered:
                policy = self._policy(at, entry.policy_version)
                outcome = OF_COMMAND[type(command)].decide(command, account, policy, at)
            events: tuple[AnyEvent, ...] = outcome if isinstance(outcome, tuple) else ()
            same = _same(one.envelopes, events)
            if same and command.account_id not in parted:
                for envelope in one.envelopes:
                    OF_EVENT[type(envelope.event)].apply(account, envelope)
            else:
                self._part(one, command, account, events, at)
            before, after = (entry.outcome, entry.rejection), _kind(outcome)
            totals.count(before, after, same, at)
            if after != before or not same:
                found.append(Changed(command, at, _recorded(one), self._told(after, outcome, events)))
        totals.accounts, totals.parted = len(accounts), len(parted)
        return found

    def _meet(self, decided: Iterable[Decided]) -> None:
        """Make sure that the accounts are at hand."""
        strangers = {one.command.account_id for one in decided if one.command is not None} - self._accounts.keys()
        found = self._base(strangers) if self._base is not None and strangers else {}
        for account_id in strangers:
            self._accounts[account_id] = found.get(account_id) or aggregate_of(account_id).initial()

    def _policy(self, at: int, recorded: str | None) -> Policy:
        """The policy in force, under the name of the recorded one: events that differ in no more are the same."""
        found = self._in_force
        if found is None or not found.since <= at < found.until:
            found = self._in_force = self._policies.at(at)
            if found is None:
                raise LookupError(f"which policy is in force at {at} is not known")
            self._named = self._names.setdefault(found.policy.version, {})
        named = self._named.get(recorded)
        if named is None:
            named = self._named[recorded] = replace(found.policy, version=recorded or found.policy.version)
        return named

    def _part(self, one: Decided, command: AnyCommand, account: Account, events: tuple[AnyEvent, ...], at: int) -> None:
        account_id, command_id = command.account_id, command.command_id
        parted = self.parted.get(account_id)
        if parted is None:
            parted = self.parted[account_id] = Parted(account_id, account.version, account.copy(), account)
        for envelope in one.envelopes:
            OF_EVENT[type(envelope.event)].apply(parted.was, envelope)
            parted.before.append(envelope)
        for index, event in enumerate(events):
            event_id, version = id_from(command_id, str(index)), account.version + 1
            envelope = Envelope(event_id, account_id, version, at, command_id, command.correlation_id, event)
            OF_EVENT[type(event)].apply(account, envelope)
            parted.after.append(envelope)

    def _told(self, kind: Kind, outcome: Any, events: tuple[AnyEvent, ...]) -> Outcome:
        by = "" if self._in_force is None else self._in_force.policy.version
        message = outcome.message if kind[1] is not None else None
        return Outcome(*kind, message, tuple([structs.replace(event, policy_version=by) for event in events]))


def _same(recorded: tuple[Envelope, ...], events: tuple[AnyEvent, ...]) -> bool:
    if len(recorded) != len(events):
        return False
    for index, event in enumerate(events):
        was = recorded[index].event
        if was != event and not _said_less(was, event):
            return False
    return True


def _said_less(was: AnyEvent, event: AnyEvent) -> bool:
    """An older release did not say from which plan an account went."""
    if not isinstance(was, PlanChanged) or not isinstance(event, PlanChanged):
        return False
    return was.previous_plan is None and was.plan == event.plan


def _kind(outcome: Any) -> Kind:
    if isinstance(outcome, tuple):
        return _ACCEPTED
    return _DUPLICATE if outcome is None else ("rejected", outcome.reason)


def _recorded(one: Decided) -> Outcome:
    entry = one.entry
    events = tuple([envelope.event for envelope in one.envelopes])
    return Outcome(entry.outcome, entry.rejection, entry.message if entry.rejection else None, events)
