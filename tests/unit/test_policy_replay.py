"""Whoever decides, live with what is known of the policies so far or years later with all of them, decides the same."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from hypothesis import given
from hypothesis import strategies as st

from commands.account import DAY, Account, apply, business_time, initial
from commands.aggregates import OF_COMMAND
from commands.batch import Decided, decide_batch
from commands.decide import Rejected
from commands.intake import Message, Received, read_command
from commands.policies import KNOWN_AHEAD, LEAD, MARGIN, Timeline
from commands.policy import Policy, Studio
from schemas.codec import decode_command
from tests.support import examples as x
from tests.unit.test_batch_properties import ACCOUNTS, MONTH, POLICY, messages, often

STRICT = replace(POLICY, plans={"one": 1, "two": 1}, device_downloads=1, defaults=replace(MONTH, renewals=0))
WITHDRAWING = replace(POLICY, titles={**POLICY.titles, "plain": replace(MONTH, withdrawn_from=x.T0 + 20 * DAY)})
LIMITED = replace(
    POLICY,
    titles={title: replace(MONTH, studio="s") for title in ("plain", "other", "rare")},
    studios={"s": Studio({"plain", "other", "rare"}, devices=1, yearly_downloads=2)},
)
KINDS = (STRICT, WITHDRAWING, LIMITED, POLICY)


@dataclass(frozen=True)
class Published:
    """A policy that the broker took at a time, and showed at another."""

    policy: Policy
    shown: int


def published(rng: random.Random, stream: Sequence[Message], count: int) -> list[Published]:
    """Policies that take effect amid the stream, each published as late as is allowed or earlier."""
    found = []
    for number in range(count):
        effective = rng.choice(stream).timestamp + rng.choice((0, 0, 1, -1, DAY))
        appended = effective - LEAD - rng.choice((0, 0, 1, DAY))
        policy = replace(rng.choice(KINDS), version=f"v{number}", effective_from=effective)
        found.append((appended, Published(policy, appended + rng.choice((0, MARGIN)))))
    return [one for _, one in sorted(found, key=lambda pair: pair[0])]


def decided_live(rng: random.Random, stream: Sequence[Message], topic: Sequence[Published]) -> list[Decided]:
    """A handler's work while policies come: it looks now and then, and decides what it may."""
    accounts: dict[str, Account] = {account: initial() for account in ACCOUNTS}
    decided: list[Decided] = []
    offset, clock = 0, x.T0 - 30 * DAY
    while len(decided) < len(stream):
        clock += rng.choice((1, 1000, KNOWN_AHEAD, LEAD, DAY))
        clock = max(clock, stream[len(decided)].timestamp - rng.choice((0, KNOWN_AHEAD - 1, KNOWN_AHEAD, LEAD)))
        known = Timeline(POLICY, [one.policy for one in topic if one.shown <= clock], clock + KNOWN_AHEAD)
        batch = stream[len(decided) : len(decided) + rng.randint(1, 20)]
        decision = decide_batch([Received(m, read_command(m, 0, 1)) for m in batch], accounts, known, offset)
        accounts |= decision.accounts
        decided += decision.decided
        offset = decision.next_offset
    return decided


def in_force(topic: Sequence[Published], at: int) -> Policy:
    best = POLICY
    for one in topic:
        if one.policy.effective_from <= at and (best is POLICY or one.policy.effective_from >= best.effective_from):
            best = one.policy
    return best


streams = st.builds(messages, st.integers(0, 10**9), st.integers(1, 60))


@often
@given(streams, st.randoms(use_true_random=False), st.integers(0, 5))
def test_a_replay_decides_the_same(stream: list[Message], rng: random.Random, count: int) -> None:
    topic = published(rng, stream, count)
    live = decided_live(rng, stream, topic)
    again = Timeline(POLICY, [one.policy for one in topic])
    accounts = {account: initial() for account in ACCOUNTS}
    replayed = decide_batch([Received(m, read_command(m, 0, 1)) for m in stream], accounts, again, 0)
    assert tuple(live) == replayed.decided


@often
@given(streams, st.randoms(use_true_random=False), st.integers(0, 5))
def test_each_command_is_decided_under_the_policy_in_force_at_its_time(
    stream: list[Message], rng: random.Random, count: int
) -> None:
    topic = published(rng, stream, count)
    accounts = {account: initial() for account in ACCOUNTS}
    for one in decided_live(rng, stream, topic):
        if one.command is None:
            continue
        account = accounts[one.command.account_id]
        policy = in_force(topic, business_time(account, one.entry.timestamp))
        assert one.entry.policy_version == policy.version
        assert {envelope.event.policy_version for envelope in one.envelopes} <= {policy.version}
        if one.entry.outcome != "duplicate":
            command = decode_command(one.entry.value or b"")
            outcome = OF_COMMAND[type(command)].decide(
                command, account, policy, business_time(account, one.entry.timestamp)
            )
            expected = outcome.reason if isinstance(outcome, Rejected) else outcome
            assert expected == (one.entry.rejection or tuple(envelope.event for envelope in one.envelopes))
        for envelope in one.envelopes:
            apply(account, envelope)


def test_these_policies_refuse_for_every_reason_of_their_own() -> None:
    seen: set[str] = set()
    for seed in range(200):
        rng = random.Random(seed)
        stream = messages(seed, 60)
        seen.update(one.entry.rejection or "" for one in decided_live(rng, stream, published(rng, stream, 4)))
    assert seen >= {"title_withdrawn", "studio_device_limit", "yearly_studio_limit"}
