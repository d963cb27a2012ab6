"""Whatever members send, in whatever order and with whatever clocks, the journal's promises hold."""

import random
from collections.abc import Sequence
from itertools import pairwise

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from commands.account import DAY, YEAR, Account, evolve, fold, initial
from commands.accounts import extend
from commands.batch import Decided, decide_batch, read_body
from commands.intake import Message, Received, read_command
from commands.policies import Timeline
from commands.policy import Policy, Terms
from schemas.codec import encode_command
from schemas.commands import Command
from schemas.events import EVENTS, Envelope
from tests.support import examples as x
from tests.unit.test_account_ledger import Ledger

ACCOUNTS = ("member-1", "member-2")
MONTH = Terms(duration=30 * DAY, renewals=2)
POLICY = Policy(
    version="tight",
    plans={"one": 1, "two": 2, "three": 3},
    device_downloads=2,
    renewal_grace=7 * DAY,
    defaults=MONTH,
    titles={
        "leaving": Terms(duration=30 * DAY, renewals=2, available_until=x.T0 + 60 * DAY),
        "windowed": Terms(duration=30 * DAY, renewals=2, playback_window=2 * DAY),
        "rare": Terms(duration=1 * DAY, renewals=1, yearly_limit=2),
    },
)
#: How a message's clock stands to the one before, in ms; who is late (below zero) is late only once.
JUMPS = (1, x.HOUR, DAY - 1, DAY, 2 * DAY, 7 * DAY, 23 * DAY, 30 * DAY, YEAR, -1, -DAY, -YEAR)
DEVICES, TITLES = ("d1", "d2", "d3"), ("plain", "plain", "other", "leaving", "windowed", "rare")
often = settings(max_examples=100, deadline=None, derandomize=True, database=None)


def messages(seed: int, length: int) -> list[Message]:
    """What two members' devices send, as it lies on the topic; every third offset holds no message."""
    rng = random.Random(seed)
    now, found = x.T0, list[Message]()
    for n in range(length + 2):
        jump = rng.choice(JUMPS) if rng.random() < 0.3 else 0
        now += max(jump, 0)
        account = rng.choice(ACCOUNTS)
        key, value = account.encode(), encode_command(_command(rng, account, x.command_id(n)))
        if n < len(ACCOUNTS):
            key, value = _wire(x.set_plan("two", command_id=x.command_id(n), account_id=ACCOUNTS[n]))
        elif rng.random() < 0.05:
            key, value = rng.choice([(found[n // 2].key or b"", found[n // 2].value or b""), (b"?", b"\xc3\x01?")])
        found.append(Message(n + n // 2, now + min(jump, 0), key, value))
    return found


def _command(rng: random.Random, account: str, command_id: str) -> Command:
    name = {"command_id": command_id, "account_id": account}
    device, title = rng.choice(DEVICES), rng.choice(TITLES)
    what = rng.choices(["plan", "leave", "acquire", "renew", "play", "complete", "release"], [1, 1, 9, 7, 3, 3, 4])[0]
    if what == "plan":
        return x.set_plan(rng.choice(["one", "two", "three", "none-such"]), **name)
    if what == "leave":
        return x.deactivate(device, **name)
    verbs = {"acquire": x.acquire, "renew": x.renew, "play": x.play, "complete": x.complete, "release": x.release}
    return verbs[what](device, title, **name)


def _wire(command: Command) -> tuple[bytes, bytes]:
    return command.account_id.encode(), encode_command(command)


streams = st.builds(messages, st.integers(0, 10**9), st.integers(0, 100))


def run(stream: Sequence[Message], cuts: Sequence[int] = ()) -> tuple[list[Decided], dict[str, Account]]:
    """Decide a stream, split into batches before the messages `cuts`; what was decided, and the accounts after it."""
    accounts = {account: initial() for account in ACCOUNTS}
    decided: list[Decided] = []
    next_offset = 0
    bounds = [0, *sorted(cuts), len(stream)]
    for start, end in pairwise(bounds):
        read = [Received(m, read_command(m, 0, 1)) for m in stream[start:end]]
        decision = decide_batch(read, accounts, Timeline(POLICY), next_offset)
        assert decision.taken == end - start
        assert read_body(decision.body()) == (decision.next_offset, decision.decided)
        decided += decision.decided
        accounts |= decision.accounts
        next_offset = decision.next_offset
    return decided, accounts


def histories(decided: Sequence[Decided]) -> dict[str, list[Envelope]]:
    every = [envelope for one in decided for envelope in one.envelopes]
    return {account: [e for e in every if e.account_id == account] for account in ACCOUNTS}


@often
@given(streams)
def test_versions_have_no_gap_times_never_go_back_and_no_event_is_twice(stream: list[Message]) -> None:
    decided, _ = run(stream)
    for history in histories(decided).values():
        assert [e.version for e in history] == list(range(1, len(history) + 1))
        assert [e.at for e in history] == sorted(e.at for e in history)
    ids = [e.event_id for one in decided for e in one.envelopes]
    assert len(set(ids)) == len(ids)


@often
@given(streams)
def test_every_limit_holds_on_every_prefix(stream: list[Message]) -> None:
    decided, _ = run(stream)
    for history in histories(decided).values():
        ledger = Ledger(POLICY)
        for envelope in history:
            ledger.add(envelope)


@often
@given(streams)
def test_the_accounts_carried_along_are_the_fold_of_their_events(stream: list[Message]) -> None:
    decided, accounts = run(stream)
    for account, history in histories(decided).items():
        assert fold(initial(), history) == accounts[account]
        state = initial()
        for envelope in history:
            before = state.copy()
            after = evolve(state, envelope)
            assert state == before
            state = after
        assert state == accounts[account]


@often
@given(streams, st.integers(0, 100))
def test_a_snapshot_and_the_events_after_it_are_the_whole_fold(stream: list[Message], where: int) -> None:
    decided, accounts = run(stream)
    for account, history in histories(decided).items():
        at = min(where, len(history))
        snapshot = msgspec.json.decode(msgspec.json.encode(fold(initial(), history[:at])), type=Account)
        assert extend(snapshot, history[max(at - 3, 0) :]) == accounts[account]  # what is known already is passed over
        assert list(snapshot.answered) == list(accounts[account].answered)


@often
@given(streams, st.data())
def test_where_a_stream_is_cut_into_batches_changes_nothing(stream: list[Message], data: st.DataObject) -> None:
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=8))
    assert run(stream, cuts) == run(stream)


@often
@given(streams, st.data())
def test_a_repeated_command_is_a_duplicate_and_changes_nothing(stream: list[Message], data: st.DataObject) -> None:
    once, accounts = run(stream)
    changed = [i for i, one in enumerate(once) if one.envelopes]
    first = data.draw(st.sampled_from(changed))
    again = data.draw(st.integers(first + 1, len(stream)))
    copy = Message(
        stream[again - 1].offset, x.T0 + data.draw(st.integers(0, 9)) * YEAR, stream[first].key, stream[first].value
    )
    twice, after = run([*stream[:again], copy, *stream[again:]], data.draw(st.sampled_from([(), (again,)])))
    answer = twice.pop(again)
    assert (answer.entry.outcome, answer.entry.events, answer.envelopes) == ("duplicate", (), ())
    versions = once[first].entry.first_version, once[first].entry.last_version
    assert (answer.entry.first_version, answer.entry.last_version) == versions
    assert (twice, after) == (once, accounts)


def test_these_streams_meet_every_event_and_every_refusal() -> None:
    seen: set[str] = set()

    @often
    @given(streams)
    def collect(stream: list[Message]) -> None:
        decided, _ = run(stream)
        seen.update(e.type for one in decided for e in one.envelopes)
        for one in decided:
            seen.update(str(word) for word in (one.entry.outcome, one.entry.rejection, one.entry.exception))

    collect()
    refusals = {"unknown_plan", "device_limit", "device_download_limit", "yearly_title_limit", "title_unavailable"}
    refusals |= {"no_license", "license_expired", "renewal_limit", "duplicate", "UnknownSchema"}
    assert seen >= {*EVENTS, *refusals}
