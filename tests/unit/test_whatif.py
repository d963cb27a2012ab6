"""Deciding recorded commands again: the same policies change nothing, others give what they would have decided."""

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace as but

from commands.account import initial
from commands.batch import Decided, decide_batch
from commands.intake import Message, Received, read_command
from commands.policies import Policies, Timeline
from commands.policy import Policy
from commands.ports import JournalHistory, Row
from ops.recorded import Stores
from ops.whatif.again import Changed, Totals
from ops.whatif.documents import Document, Documents
from ops.whatif.parted import Parted
from ops.whatif.run import Found, decide_again
from projections.memory_model import MemoryReadModel
from projections.views import VIEWS
from schemas.codec import encode_command, encode_event
from schemas.events import AnyEvent, Envelope
from tests.support import examples as x
from tests.unit.test_batch_properties import ACCOUNTS, histories, messages, often
from tests.unit.test_policy_replay import KINDS, decided_live, published
from tests.unit.test_timeline import stores_of

NOW = x.day(100)
streams = st.builds(messages, st.integers(0, 10**9), st.integers(0, 100))


def difference(stores: Stores, policies: Policies, wanted: Sequence[str] | None = None) -> tuple[list[Found], Totals]:
    *found, totals = decide_again(stores, [0], policies, NOW, wanted)
    assert isinstance(totals, Totals)
    return found, totals


def decided_under(stream: Sequence[Message], policy: Policy) -> list[Decided]:
    accounts = {account: initial() for account in ACCOUNTS}
    received = [Received(m, read_command(m, 0, 1)) for m in stream]
    return list(decide_batch(received, accounts, Timeline(policy), 0).decided)


@often
@given(streams, st.randoms(use_true_random=False), st.integers(0, 5))
def test_the_same_policies_make_no_difference(stream: list[Message], rng: random.Random, count: int) -> None:
    topic = published(rng, stream, count)
    decided = decided_live(rng, stream, topic)
    found, totals = difference(stores_of(decided), Timeline(KINDS[3], [one.policy for one in topic]))
    assert found == []
    assert totals.before == totals.after == kinds(decided)
    assert totals.commands == sum(one.command is not None for one in decided)


@often
@given(streams, st.sampled_from(KINDS), st.integers(0, 3))
def test_another_policy_gives_what_it_would_have_decided(stream: list[Message], policy: Policy, which: int) -> None:
    policy = replace(policy, version="other")
    real, potential = decided_under(stream, KINDS[which]), decided_under(stream, policy)
    found, totals = difference(stores_of(real), Timeline(policy))
    assert totals.after == kinds(potential)
    changed = [one for one in found if isinstance(one, Changed)]
    pairs = [(a, b) for a, b in zip(real, potential, strict=True) if a.command is not None and told(a) != told(b)]
    assert [one.command for one in changed] == [a.command for a, _ in pairs]
    assert [(one.before.reason, one.after.reason) for one in changed] == [
        (a.entry.rejection, b.entry.rejection) for a, b in pairs
    ]
    was, becomes = histories(real), histories(potential)
    differing = [account for account in ACCOUNTS if plain(was[account]) != plain(becomes[account])]
    parted = {one.account_id: one for one in found if isinstance(one, Parted)}
    assert sorted(parted) == sorted(differing)
    for account, one in parted.items():
        assert plain(was[account][: one.version] + one.before) == plain(was[account])
        assert plain(was[account][: one.version] + one.after) == plain(becomes[account])
    assert documents(found) == compared(was, becomes)


def test_a_few_accounts_are_decided_alone() -> None:
    stream = messages(5, 100)
    real, strict = decided_under(stream, KINDS[3]), Timeline(KINDS[0])
    every, _ = difference(stores_of(real), strict)
    for account in ACCOUNTS:
        found, totals = difference(stores_of(real), strict, [account])
        own = [one for one in every if isinstance(one, Changed) and one.command.account_id == account]
        assert own
        assert [one for one in found if isinstance(one, Changed)] == own
        assert totals.accounts == 1
    assert difference(stores_of(real), strict, ["nobody"]) == ([], Totals())


@often
@given(streams, st.sampled_from(KINDS), st.integers(0, 9))
def test_what_the_journal_has_lost_is_taken_from_the_events(stream: list[Message], policy: Policy, lost: int) -> None:
    """The accounts are as they really were at the journal's first row, and the commands after it are decided."""
    real = decided_under(stream, KINDS[3])
    stores = stores_of(real)
    late = Stores(stores.events, Late(stores.journal, lost))
    found, totals = difference(late, Timeline(KINDS[3]))
    assert found == []
    assert totals.before == totals.after == kinds(real[10 * lost :])
    *pieces, _ = decide_again(late, [0], Timeline(policy), NOW)
    for one in pieces:
        if isinstance(one, Parted):
            whole = histories(real)[one.account_id]
            assert whole[: one.version] + one.before == whole


def test_an_event_of_an_older_release_is_the_same_if_it_says_less() -> None:
    first, second = x.set_plan("basic", command_id=x.command_id(1)), x.set_plan("premium", command_id=x.command_id(2))
    stream = [Message(n, x.T0 + n, b"member-1", encode_command(one)) for n, one in enumerate([first, second])]
    real = decided_under(stream, x.POLICY)
    old = but(real[1].envelopes[0], event=x.plan_changed("premium", None))
    real[1] = Decided(but(real[1].entry, events=(encode_event(old),)), real[1].command, (old,))
    assert difference(stores_of(real), Timeline(x.POLICY))[0] == []
    wrong = but(old, event=x.plan_changed("standard", None))
    real[1] = Decided(but(real[1].entry, events=(encode_event(wrong),)), real[1].command, (wrong,))
    assert len([one for one in difference(stores_of(real), Timeline(x.POLICY))[0] if isinstance(one, Changed)]) == 1


class Late:
    """A journal that has lost its first rows."""

    def __init__(self, journal: JournalHistory, lost: int) -> None:
        self._journal, self._lost = journal, lost

    def kept(self, shard: int) -> range:
        return self._journal.kept(shard)[self._lost :]

    def read(self, shard: int, positions: range) -> Iterator[Row]:
        assert positions == self.kept(shard)
        return self._journal.read(shard, positions)


def kinds(decided: Sequence[Decided]) -> Counter[tuple[str, str | None]]:
    return Counter((one.entry.outcome, one.entry.rejection) for one in decided if one.command is not None)


def plain(history: Sequence[Envelope]) -> list[Envelope]:
    """Whatever the policy is called."""
    return [but(one, event=but(one.event, policy_version="")) for one in history]


def told(one: Decided) -> tuple[str, str | None, list[AnyEvent]]:
    return one.entry.outcome, one.entry.rejection, [envelope.event for envelope in plain(one.envelopes)]


def documents(found: Sequence[Found]) -> dict[tuple[str, str], Any]:
    every = [one for one in found if isinstance(one, Documents)]
    assert all(one.shared == (VIEWS[one.view].TAG == "partition") for one in every)
    return {(one.view, one.key): but_parts(one.view, one.before, one.after) for one in every}


def but_parts(view: str, before: Document, after: Document) -> Any:
    """Both, but of parts of what accounts share the difference: they may be of more accounts or fewer."""
    if VIEWS[view].TAG == "account":
        return before, after
    assert before is not None
    assert after is not None
    return {name: after[name] - value for name, value in before.items() if isinstance(value, int)}


def compared(was: dict[str, list[Envelope]], becomes: dict[str, list[Envelope]]) -> dict[tuple[str, str], Any]:
    """The documents that differ, read from two models that were filled as Redis is."""
    both = read(was), read(becomes)
    nothing = {"title_downloads": {"acquired": 0, "completed": 0, "active": 0}}
    pairs = {key: [one.get(key, nothing.get(key[0])) for one in both] for key in both[0].keys() | both[1].keys()}
    return {key: but_parts(key[0], *pair) for key, pair in pairs.items() if pair[0] != pair[1]}


def read(histories: dict[str, list[Envelope]]) -> dict[tuple[str, str], Document]:
    found: dict[tuple[str, str], Document] = {}
    for view in VIEWS.values():
        model = MemoryReadModel(view)
        model.fold(0, [envelope for history in histories.values() for envelope in history])
        for _, key, stored in model.export():
            found[view.NAME, key] = view.query(key, [stored.at(NOW)], NOW)
    return found
