"""Deciding a batch: messages and the accounts they touch in, one journal body and the new accounts out. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from uuid import UUID, uuid5

from commands.account import Account, apply, business_time
from commands.decide import Rejected, decide
from commands.intake import Message, Poison
from commands.policy import Policy
from schemas.codec import decode_batch, decode_command, decode_event, encode_batch, encode_event
from schemas.commands import Command
from schemas.events import Envelope
from schemas.journal import Batch, Entry

#: A journal row stays well below Cassandra's largest mutation (16 MiB by default), whatever its commands do.
MAX_BODY = 1 << 20


@dataclass(frozen=True, slots=True)
class Decided:
    """One entry of the journal with what it was made from. `command` is None for a dead letter."""

    entry: Entry
    command: Command | None
    envelopes: tuple[Envelope, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """What a batch comes to. `taken` messages were decided; more would have made the row too large."""

    first_offset: int
    next_offset: int
    decided: tuple[Decided, ...]
    accounts: dict[str, Account]
    taken: int

    def body(self) -> bytes:
        """The journal row's body."""
        return encode_batch(Batch(self.first_offset, self.next_offset, tuple(d.entry for d in self.decided)))


def decide_batch(
    messages: Sequence[tuple[Message, Command | Poison]],
    accounts: Mapping[str, Account],
    policy: Policy,
    first_offset: int,
) -> Decision:
    """Decide messages in order, each on what the ones before it left.

    `accounts` holds every account that the messages name and is left as it is. `first_offset` is where the journal's
    coverage of the topic ends so far; offsets that hold no message (compaction, markers) are covered too.
    """
    drafts: dict[str, Account] = {}
    decided: list[Decided] = []
    next_offset, size = first_offset, 0
    for message, command in messages:
        if isinstance(command, Poison):
            one = _dead_letter(message, command)
        else:
            draft = drafts.get(command.account_id)
            if draft is None:
                draft = drafts[command.account_id] = accounts[command.account_id].copy()
            one = _decide_one(message, command, draft, policy)
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


def _decide_one(message: Message, command: Command, draft: Account, policy: Policy) -> Decided:
    entry = partial(Entry, message.offset, message.timestamp, message.value, policy_version=policy.version)
    first = draft.answered.get(command.command_id)
    if first is not None:
        return Decided(entry("duplicate", first_version=first[0], last_version=first[1]), command, ())
    at = business_time(draft, message.timestamp)
    outcome = decide(command, draft, policy, at)
    if isinstance(outcome, Rejected):
        return Decided(entry("rejected", reason=outcome.reason, message=outcome.message), command, ())
    namespace = UUID(command.command_id)
    envelopes = []
    for index, event in enumerate(outcome):
        envelope = Envelope(
            str(uuid5(namespace, str(index))),
            command.account_id,
            draft.version + 1,
            at,
            command.command_id,
            command.correlation_id,
            event,
        )
        apply(draft, envelope)
        envelopes.append(envelope)
    accepted = entry(
        "accepted",
        events=tuple(map(encode_event, envelopes)),
        first_version=envelopes[0].version if envelopes else None,
        last_version=envelopes[-1].version if envelopes else None,
    )
    return Decided(accepted, command, tuple(envelopes))


def _dead_letter(message: Message, poison: Poison) -> Decided:
    entry = Entry(
        message.offset,
        message.timestamp,
        message.value,
        "dead_letter",
        reason=poison.exception,
        message=poison.message,
        stage=poison.stage,
        key=message.key,
        headers=message.headers,
    )
    return Decided(entry, None, ())
