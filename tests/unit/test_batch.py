"""One batch: what it covers, where it ends, and what its journal row says to whoever has to follow it up."""

from uuid import UUID, uuid5

from commands.account import REMEMBERED, Account, fold, initial
from commands.batch import MAX_BODY, Decision, decide_batch, read_body
from commands.intake import Message, Poison, Received
from commands.policies import Timeline
from schemas.codec import decode_event, encode_command
from schemas.commands import Command
from tests.support.examples import (
    ACCOUNT,
    COMMAND,
    HOUR,
    POLICY,
    T0,
    acquire,
    acquired,
    command_id,
    day,
    deactivate,
    deactivated,
    envelope,
    plan_set,
    release,
    released,
    set_plan,
)

NEW = {ACCOUNT: initial()}
NOISE = Poison("decode", "DecodeError", "not Avro")


def message(command: Command, offset: int = 0, at: int = T0) -> tuple[Message, Command]:
    return Message(offset, at, ACCOUNT.encode(), encode_command(command)), command


def decide(
    *messages: tuple[Message, Command | Poison], first_offset: int = 0, account: Account | None = None
) -> Decision:
    received = [Received(*one) for one in messages]
    return decide_batch(received, {ACCOUNT: account or initial()}, Timeline(POLICY), first_offset)


def outcomes(decision: Decision) -> list[str]:
    return [one.entry.rejection or one.entry.exception or one.entry.outcome for one in decision.decided]


def test_each_message_is_decided_on_what_the_ones_before_it_left() -> None:
    decision = decide(
        message(acquire(command_id=command_id(1)), 0),
        message(set_plan("basic", command_id=command_id(2)), 1),
        message(acquire(command_id=command_id(3)), 2),
        message(acquire("other", command_id=command_id(4)), 3),
        message(release(command_id=command_id(5)), 4),
        message(acquire("other", command_id=command_id(6)), 5),
    )
    assert outcomes(decision) == ["no_plan", "accepted", "accepted", "device_limit", "accepted", "accepted"]
    assert decision.accounts[ACCOUNT].version == 4
    assert decision.taken == 6


def test_the_accounts_that_come_in_are_left_as_they_are() -> None:
    account = fold(initial(), [envelope(plan_set())])
    before = account.copy()
    decision = decide(message(acquire()), account=account)
    assert decision.accounts[ACCOUNT] != before
    assert account == before


def test_an_accepted_command_says_what_it_wrote_and_under_which_policy() -> None:
    held = fold(initial(), [envelope(plan_set()), envelope(acquired(title="b"), 2), envelope(acquired(title="a"), 3)])
    decision = decide(message(deactivate(), 41, day(1)), first_offset=41, account=held)
    (one,) = decision.decided
    assert [e.event for e in one.envelopes] == [released(title="b"), released(title="a"), deactivated()]
    assert [e.event_id for e in one.envelopes] == [str(uuid5(UUID(COMMAND), str(n))) for n in range(3)]
    assert [(e.version, e.at, e.command_id) for e in one.envelopes] == [(n, day(1), COMMAND) for n in (4, 5, 6)]
    assert [decode_event(data) for data in one.entry.events] == list(one.envelopes)
    assert (one.entry.first_version, one.entry.last_version, one.entry.policy_version) == (4, 6, "test")
    assert (one.entry.key, one.entry.headers) == (None, ())


def test_the_correlation_id_is_carried_through() -> None:
    command = type(set_plan())(COMMAND, ACCOUNT, "visit-7", "basic")
    (one,) = decide(message(command)).decided
    assert one.envelopes[0].correlation_id == "visit-7"


def test_nothing_to_do_is_accepted_with_no_versions() -> None:
    (one,) = decide(message(release())).decided
    assert (one.entry.outcome, one.entry.events, one.entry.first_version) == ("accepted", (), None)


def test_a_command_never_happens_before_what_has_happened() -> None:
    decision = decide(
        message(set_plan(command_id=command_id(1)), 0, day(5)), message(acquire(), 1, day(2)), account=initial()
    )
    assert [e.at for one in decision.decided for e in one.envelopes] == [day(5), day(5)]
    assert decision.decided[1].envelopes[0].event == acquired(until=day(35))
    assert decision.decided[1].entry.timestamp == day(2)  # what Kafka said stays on record


def test_a_rejection_moves_nothing_not_even_the_clock() -> None:
    decision = decide(message(acquire(), 0, day(9)))
    assert decision.accounts == NEW


def test_a_refused_command_may_be_sent_again_and_is_decided_again() -> None:
    again = acquire(command_id=command_id(7))
    decision = decide(message(again, 0), message(set_plan(), 1), message(again, 2), message(again, 3))
    assert outcomes(decision) == ["no_plan", "accepted", "accepted", "duplicate"]


def test_a_duplicate_says_what_was_written_the_first_time() -> None:
    held = fold(initial(), [envelope(plan_set()), envelope(acquired(), 2)])
    leave = message(deactivate(), 0)
    first = decide(leave, account=held)
    later = decide(
        message(acquire(command_id=command_id(9)), 1), message(deactivate(), 2, day(3)), account=first.accounts[ACCOUNT]
    )
    (_, copy) = later.decided
    assert (copy.entry.outcome, copy.entry.first_version, copy.entry.last_version) == ("duplicate", 3, 4)
    assert copy.envelopes == ()
    assert later.accounts[ACCOUNT].license("tablet", "alien-1979") is not None


def test_a_command_is_a_duplicate_for_as_long_as_it_is_remembered() -> None:
    plans = [message(set_plan(("basic", "premium")[n % 2], command_id=command_id(n)), n) for n in range(REMEMBERED + 1)]
    remembered = decide(*plans[:REMEMBERED], message(plans[0][1], 900))
    assert outcomes(remembered)[-1] == "duplicate"
    forgotten = decide(*plans, message(plans[1][1], 900), message(plans[0][1], 901))
    assert outcomes(forgotten)[-2:] == ["duplicate", "accepted"]


def test_a_dead_letter_keeps_all_of_its_message() -> None:
    bad = Message(3, -1, b"\xff", None, (("trace", b"\x00"), ("trace", None)))
    (one,) = decide((bad, NOISE)).decided
    assert (one.entry.outcome, one.entry.stage, one.entry.exception, one.entry.message) == (
        "dead_letter",
        "decode",
        "DecodeError",
        "not Avro",
    )
    assert (one.entry.key, one.entry.value, one.entry.headers, one.entry.timestamp) == (b"\xff", None, bad.headers, -1)
    assert one.command is None


def test_a_dead_letter_that_can_be_read_is_not_read_from_the_journal_either() -> None:
    wrong_key = Message(3, T0, b"other", encode_command(set_plan()))
    decision = decide((wrong_key, Poison("validate", "InvalidCommand", "the key ...")))
    assert read_body(decision.body()) == (4, decision.decided)


def test_offsets_without_a_message_are_covered() -> None:
    decision = decide(message(set_plan(), 7), (Message(11, T0, None, None), NOISE), first_offset=5)
    assert (decision.first_offset, decision.next_offset) == (5, 12)
    assert [one.entry.offset for one in decision.decided] == [7, 11]


def test_no_messages_is_an_empty_batch() -> None:
    decision = decide_batch([], {}, Timeline(POLICY), 9)
    assert (decision.next_offset, decision.decided, decision.accounts, decision.taken) == (9, (), {}, 0)
    assert read_body(decision.body()) == (9, ())


def test_a_row_says_all_that_was_decided() -> None:
    decision = decide(
        message(set_plan(command_id=command_id(1)), 0),
        message(acquire(), 1),
        message(acquire(), 2),
        message(acquire(title="never", command_id=command_id(3)), 3),
        message(release(title="other", command_id=command_id(4)), 4),
        (Message(5, -1, None, b"?", (("n", None),)), NOISE),
    )
    assert outcomes(decision) == ["accepted", "accepted", "duplicate", "yearly_title_limit", "accepted", "DecodeError"]
    assert read_body(decision.body()) == (6, decision.decided)


def test_a_row_ends_before_it_grows_too_large() -> None:
    parts = MAX_BODY // 4
    large = [(Message(n, T0, None, bytes(parts)), NOISE) for n in range(10)]
    decision = decide(*large)
    assert (decision.taken, decision.next_offset) == (4, 4)
    by_headers = [(Message(n, T0, b"k" * 100, None, (("h", bytes(parts)),)), NOISE) for n in range(10)]
    assert decide(*by_headers).taken == 4
    assert len(decide(*by_headers).body()) < MAX_BODY + 2000


def test_events_count_for_the_size_of_a_row() -> None:
    full = fold(
        initial(), [envelope(acquired(f"d{d}", f"{t:0>128}"), d * 100 + t + 1) for d in range(160) for t in range(100)]
    )
    leaving = [message(deactivate(f"d{d}", command_id=command_id(d)), d, T0 + HOUR) for d in range(160)]
    decision = decide(*leaving, account=full)
    assert 1 < decision.taken < 160
    assert MAX_BODY <= len(decision.body()) < MAX_BODY + 100_000
    assert len(decision.decided) == decision.taken


def test_one_message_is_always_taken() -> None:
    assert decide((Message(0, T0, None, bytes(3 * MAX_BODY)), NOISE)).taken == 1
