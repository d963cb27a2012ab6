"""Deciding a batch: messages and the accounts they touch in, one journal body and the new accounts out. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from msgspec import Struct

from commands.account import Account, business_time
from commands.aggregates import OF_COMMAND
from commands.intake import Message, Poison, Received
from commands.policies import Policies
from commands.policy import Policy
from schemas.codec import decode_batch, decode_command, decode_event, encode_batch, encode_event
from schemas.commands import AnyCommand
from schemas.events import Envelope
from schemas.ids import id_from
from schemas.journal import Batch, Entry

#: A journal row stays well below Cassandra's largest mutation (16 MiB by default), whatever its commands do.
MAX_BODY = 1 << 22


class Decided(Struct, frozen=True, gc=False):
    """One entry of the journal with what it was made from. `command` is None for a dead letter."""

    entry: Entry
    command: AnyCommand | None
    envelopes: tuple[Envelope, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """What a batch comes to. `taken` messages were decided; more would have made the row too large, or have to wait."""

    first_offset: int
    next_offset: int
    decided: tuple[Decided, ...]
    accounts: dict[str, Account]
    taken: int

    def body(self) -> bytes:
        """The journal row's body."""
        return encode_batch(Batch(self.first_offset, self.next_offset, tuple(d.entry for d in self.decided)))


def decide_batch(
    received: Sequence[Received],
    accounts: Mapping[str, Account],
    policies: Policies,
    first_offset: int,
) -> Decision:
    """Decide what was received, in order, each on what the ones before it left, under the policy in force at its time.

    The first one of whose time the policy is not known yet has to wait, and all after it.

    `accounts` holds every account that it names and is left as it is. `first_offset` is where the journal's
    coverage of the topic ends so far; offsets that hold no message (compaction, markers) are covered too.
    """
    drafts: dict[str, Account] = {}
    decided: list[Decided] = []
    next_offset, size = first_offset, 0
    policy: Policy
    since = until = 0  # the times at which `policy` is in force
    for taken in received:
        message, command = taken.message, taken.command
        if isinstance(command, Poison):
            one = _dead_letter(message, command)
        else:
            draft = drafts.get(command.account_id)
            if draft is None:
                draft = drafts[command.account_id] = accounts[command.account_id].copy()
            at = business_time(draft, message.timestamp)
            if not since <= at < until:
                found = policies.at(at)
                if found is None:
                    break
                policy, since, until = found
            one = _decide_one(message, command, draft, policy, at)
        decided.append(one)
        next_offset = message.offset + 1
        size += message.size + sum(map(len, one.entry.events))
        if size >= MAX_BODY:
            break
    return Decision(first_offset, next_offset, tuple(decided), drafts, len(decided))


def read_body(body: bytes) -> tuple[int, tuple[Decided, ...]]:
    """What a committed row says, for whoever has to follow it up without having decided it.

    Returns the first offset that it does not cover, and its entries.
    """
    batch = decode_batch(body)
    decided = (
        Decided(
            entry,
            None if entry.outcome == "dead_letter" or entry.value is None else decode_command(entry.value),
            tuple(map(decode_event, entry.events)),
        )
        for entry in batch.entries
    )
    return batch.next_offset, tuple(decided)


def _decide_one(message: Message, command: AnyCommand, draft: Account, policy: Policy, at: int) -> Decided:
    offset, timestamp, value, by = message.offset, message.timestamp, message.value, policy.version
    first = draft.answered.get(command.command_id)
    if first is not None:
        told = Entry(
            offset, timestamp, value, "duplicate", policy_version=by, first_version=first[0], last_version=first[1]
        )
        return Decided(told, command, ())
    aggregate = OF_COMMAND[type(command)]
    outcome = aggregate.decide(command, draft, policy, at)
    if not isinstance(outcome, tuple):
        refused = Entry(offset, timestamp, value, "rejected", (), outcome.reason, outcome.message, policy_version=by)
        return Decided(refused, command, ())
    version = draft.version
    envelopes = []
    for index, event in enumerate(outcome, 1):
        envelope = Envelope(
            id_from(command.command_id, str(index - 1)),
            command.account_id,
            version + index,
            at,
            command.command_id,
            command.correlation_id,
            event,
        )
        aggregate.apply(draft, envelope)
        envelopes.append(envelope)
    accepted = Entry(
        offset,
        timestamp,
        value,
        "accepted",
        tuple([encode_event(envelope) for envelope in envelopes]),
        policy_version=by,
        first_version=version + 1 if envelopes else None,
        last_version=draft.version if envelopes else None,
    )
    return Decided(accepted, command, tuple(envelopes))


def _dead_letter(message: Message, poison: Poison) -> Decided:
    entry = Entry(
        message.offset,
        message.timestamp,
        message.value,
        "dead_letter",
        exception=poison.exception,
        message=poison.message,
        stage=poison.stage,
        key=message.key,
        headers=message.headers,
    )
    return Decided(entry, None, ())
