"""A timeline has every event and every refusal in the order in which they were decided."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import get_args
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from typer.testing import CliRunner

from commands.batch import Decided
from commands.decide import Reason
from commands.intake import Message
from commands.memory import MemoryEventStore, MemoryJournal, MemoryJournalHistory, MemoryWatermarks
from commands.ports import EventRow, NewerRelease, NotPrepared, Row, Watermark
from ops import journal
from ops.cli import app
from ops.journal import follow, timeline
from ops.recorded import Stores, recorded, recorded_in
from ops.settings import Settings
from ops.timeline import Live, Refused, Step, steps
from schemas.codec import MAGIC, encode_batch
from schemas.events import Envelope
from schemas.journal import Batch
from tests.support.examples import BATCH_EXAMPLE
from tests.unit.test_batch_properties import ACCOUNTS, POLICY, messages, often, run

streams = st.builds(messages, st.integers(0, 10**9), st.integers(0, 100))


class Kept:
    """What a shard has recorded and followed up, a row for each addition."""

    def __init__(self) -> None:
        self._events, self._journal, self._marks = MemoryEventStore(), MemoryJournal(), MemoryWatermarks()
        self._position = 0
        self.stores = Stores(self._events, MemoryJournalHistory(self._journal, self._marks))

    def add(self, decided: Sequence[Decided]) -> None:
        body = encode_batch(Batch(0, 0, tuple(one.entry for one in decided)))
        self._journal.append(Row(0, self._position, UUID(int=1), 0, body))
        self._events.write([EventRow(e, b"", 0, self._position, 0) for one in decided for e in one.envelopes])
        self._marks.save(0, Watermark(self._position, 0))
        self._position += 1


def stores_of(decided: Sequence[Decided]) -> Stores:
    """What was decided, in rows of ten."""
    kept = Kept()
    for start in range(0, len(decided), 10):
        kept.add(decided[start : start + 10])
    return kept.stores


def expected(decided: Sequence[Decided], account: str) -> list[tuple[str, str | None]]:
    """Event ids, and refused commands with their reasons, in the journal's order."""
    found: list[tuple[str, str | None]] = []
    for one in decided:
        if one.command is not None and one.command.account_id == account:
            found += [(envelope.event_id, None) for envelope in one.envelopes]
            found += [(one.command.command_id, one.entry.rejection)] if one.entry.outcome == "rejected" else []
    return found


def told(found: Sequence[Step]) -> list[tuple[str, str | None]]:
    return [
        (one.event_id, None) if isinstance(one, Envelope) else (one.command.command_id, one.reason) for one in found
    ]


def silent(done: int, total: int) -> None:
    """Nobody looks."""


@often
@given(streams)
def test_every_event_and_every_refusal_is_there_in_order(stream: list[Message]) -> None:
    decided, _ = run(stream)
    for account in ACCOUNTS:
        stores = stores_of(decided)
        found, position = timeline(stores, account, 0, silent)
        assert told(found) == expected(decided, account)
        assert position == stores.journal.kept(0).stop
        last = 0
        for one in found:
            last = one.at if isinstance(one, Envelope) else last
            assert one.at >= last


@often
@given(streams, st.integers(0, 100))
def test_what_the_journal_has_lost_leaves_out_refusals_only(stream: list[Message], lost: int) -> None:
    decided, _ = run(stream)
    for account in ACCOUNTS:
        events = [e for one in decided for e in one.envelopes if e.account_id == account]
        own = [one for one in decided if one.command is not None and one.command.account_id == account]
        kept = [one for one in expected(own[:lost], account) if one[1] is None] + expected(own[lost:], account)
        assert told(steps(events, own[lost:])) == kept


@often
@given(streams, st.integers(0, 100))
def test_following_goes_on_where_it_ended(stream: list[Message], until: int) -> None:
    decided, _ = run(stream)
    for account in ACCOUNTS:
        own = [one for one in decided if one.command is not None and one.command.account_id == account]
        known = steps([e for one in own[:until] for e in one.envelopes], own[:until])
        live = Live([one for one in known if isinstance(one, Envelope)])
        assert told([*known, *live.take(own[until:])]) == expected(decided, account)
        again = Live([e for one in own for e in one.envelopes])
        assert [one for one in again.take(own) if isinstance(one, Envelope)] == []


def _take(steps: Iterator[Step], into: list[Step]) -> None:
    for one in steps:
        into.append(one)


def test_a_follower_waits_for_what_is_recorded_next(monkeypatch: pytest.MonkeyPatch) -> None:
    decided, _ = run(messages(1, 60))
    kept, later = Kept(), [decided[30:40], decided[40:]]
    kept.add(decided[:30])

    def wait(seconds: float) -> None:
        if not later:
            raise KeyboardInterrupt
        kept.add(later.pop(0))

    monkeypatch.setattr("time.sleep", wait)
    seen, position = timeline(kept.stores, ACCOUNTS[0], 0, silent)
    with pytest.raises(KeyboardInterrupt):
        _take(follow(kept.stores, ACCOUNTS[0], 0, list(seen), position), seen)
    assert told(seen) == expected(decided, ACCOUNTS[0])
    assert any(isinstance(one, Refused) for one in seen)


def test_progress_counts_rows_of_the_shard() -> None:
    decided, _ = run(messages(1, 95))
    said: list[tuple[int, int]] = []
    timeline(stores_of(decided), "nobody", 0, lambda done, total: said.append((done, total)))
    assert said == [(n, 10) for n in range(1, 11)]


def test_a_row_without_the_account_is_not_even_decoded() -> None:
    row = Row(0, 0, UUID(int=1), 0, b"nothing that could be read")
    assert list(recorded_in([row], {"ann"})) == [[]]
    with pytest.raises(NotPrepared, match="journal row 0 of shard 0: "):
        list(recorded_in([replace(row, body=b"but ann")], {"ann"}))


def test_dead_letters_are_nobodys_and_other_accounts_are_left_out() -> None:
    row = Row(0, 0, UUID(int=1), 0, encode_batch(BATCH_EXAMPLE))
    assert [one.entry.outcome for one in recorded(row)] == ["accepted", "rejected"]
    assert recorded(row, {"somebody"}) == []


def test_what_a_newer_release_wrote_is_said() -> None:
    newer = replace(BATCH_EXAMPLE.entries[0], value=MAGIC + b"newer..." + b"body")
    row = Row(3, 7, UUID(int=1), 0, encode_batch(Batch(0, 1, (newer,))))
    with pytest.raises(NewerRelease, match="journal row 7 of shard 3: no schema with the fingerprint"):
        recorded(row)


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    decided, _ = run(messages(1, 60))

    @contextmanager
    def stores(settings: Settings) -> Iterator[Stores]:
        yield stores_of(decided)

    monkeypatch.setattr(journal, "stores", stores)
    monkeypatch.setattr(journal, "shard_of", lambda settings, account: 0)
    return CliRunner()


def test_the_command_prints_refusals_with_reason_policy_and_command(cli: CliRunner) -> None:
    result = cli.invoke(app, ["timeline", ACCOUNTS[0], "--json"])
    assert result.exit_code == 0
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    decided, _ = run(messages(1, 60))
    assert len(rows) == len(expected(decided, ACCOUNTS[0]))
    refused = next(row for row in rows if row.get("outcome") == "rejected")
    assert refused["reason"] in get_args(Reason)
    assert refused["policy_version"] == POLICY.version
    assert refused["command"]["account_id"] == refused["account_id"] == ACCOUNTS[0]
    said = cli.invoke(app, ["timeline", ACCOUNTS[0]]).stdout
    assert f"refused: {refused['type']}" in said
    assert refused["command"]["command_id"][:8] in said


def test_events_only_are_read_from_their_rows(cli: CliRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "shard_of", None)
    result = cli.invoke(app, ["timeline", ACCOUNTS[0], "--events"])
    assert result.exit_code == 0
    assert "refused" not in result.stdout


def test_an_account_that_nothing_is_known_of_is_exit_code_1(cli: CliRunner) -> None:
    result = cli.invoke(app, ["timeline", "nobody"])
    assert (result.exit_code, result.stderr) == (1, "The account nobody has no events, and nothing was refused.\n")
