"""What a dead letter says, what this release makes of it, and what a replay would do with it."""

from typing import Any

import pytest
import typer
from msgspec.structs import replace

from commands.dead_letters import dead_letter
from ops.cli.dead_letters import time_of
from ops.dead_letters.anatomy import anatomy, dump
from ops.dead_letters.judge import Judge, advice
from ops.dead_letters.letter import Letter, Place, letter_of, place
from ops.dead_letters.marks import Marks
from ops.dead_letters.replay import Replay
from ops.dead_letters.wanted import Wanted
from ops.kafka import Record
from ops.settings import Settings
from schemas.codec import MAGIC, encode_command
from schemas.commands import SetPlan
from schemas.journal import Entry
from schemas.topics import Topics, partition_of

TOPICS, T2026 = Topics(), 1_770_000_000_000
JUDGE = Judge(TOPICS, 4, lambda value: value)
GOOD = SetPlan("5b1cf3a0-6c1e-4f0e-9b1d-0c8a3a5d7e11", "ann", None, "basic")
VALUE, HOME = encode_command(GOOD), partition_of("ann", 4)
OWN: tuple[tuple[str, bytes | None], ...] = (("trace", b"\xff\x1b"), ("__dlq.errors.topic", b"forged"), ("trace", None))


def letter(value: bytes | None = VALUE, offset: int = 3, **entry: Any) -> Letter:
    """A dead letter as a handler writes it, read from the topic."""
    given: dict[str, Any] = {"key": b"ann", "headers": OWN, "stage": "decode", "exception": "DecodeError"}
    written = dead_letter(Entry(offset, T2026, value, "dead_letter", **given | entry), HOME, TOPICS)
    return letter_of(
        Record(written.partition, 17, written.key, written.value, written.headers, written.timestamp or -1)
    )


def other(**about: str) -> Letter:
    """A record on the topic that says of itself what is given."""
    headers = tuple((f"__dlq.errors.{name}", text.encode()) for name, text in about.items())
    return letter_of(Record(1, 9, b"ann", b"\x00", headers))


def replay(known: Marks = Marks({}), *, again: bool = False, named: bool = False) -> Replay:  # noqa: B008 - never changed
    return Replay(Settings(), JUDGE, known, again, named)


def test_a_letter_has_the_message_and_what_was_said_of_it() -> None:
    found = letter(message="why \x1b[31m")
    assert (found.place, found.at, found.key, found.value) == (Place(HOME, 17), T2026, b"ann", VALUE)
    assert found.headers == (("trace", b"\xff\x1b"), ("trace", None))
    assert (found.topic, found.source, found.stage) == ("licensing.commands", Place(HOME, 3), "decode")
    assert (found.origin, found.message) == (f"licensing.commands {HOME}:3", "why \\x1b[31m")


@pytest.mark.parametrize(
    "given",
    [
        {"value": bytes(3_000_000)},
        {"key": bytes(3_000_000)},
        {"headers": (("trace", bytes(3_000_000)),)},
        {"headers": tuple((f"{n:07}", None) for n in range(200_000))},
    ],
)
def test_what_was_small_when_compressed_only_is_cut_to_what_can_be_sent(given: dict[str, Any]) -> None:
    found = letter(**{"value": b"\0" * 5000, "message": "5000 bytes"} | given)
    sent = sum(len(name) + len(value or b"") + 12 for name, value in found.headers)
    assert len(found.value or b"") + len(found.key or b"") + sent < 1_990_000  # a producer's limit is 2,000,000
    assert found.message.startswith("cut, and without its headers, for all of it is 3")
    assert found.message.endswith(" bytes: 5000 bytes")
    assert JUDGE(found).verdict == "unreadable"


def test_the_largest_that_fits_is_whole() -> None:
    found = letter(bytes(1_048_000), message="too long")
    assert (len(found.value or b""), found.headers[0], found.message) == (1_048_000, OWN[0], "too long")


@pytest.mark.parametrize("text", ["", "1", "1:", ":1", "-1:2", "1:2:3", "one:2", "1:٣", "1" * 10 + ":1"])
def test_what_is_no_place(text: str) -> None:
    assert place(text) is None


def test_places_are_written_as_they_are_read() -> None:
    assert str(place("2:17")) == "2:17"


def test_what_this_release_can_read_is_ready_wherever_it_was() -> None:
    misplaced = letter()._replace(source=Place((HOME + 1) % 4, 0))
    assert JUDGE(misplaced).verdict == "ready"
    assert replay().message(misplaced).partition == HOME
    assert "replay" in advice(misplaced, JUDGE(misplaced))


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        (letter(None), "unreadable"),
        (letter(VALUE[:-1]), "unreadable"),
        (letter(key=None), "unreadable"),
        (letter(encode_command(replace(GOOD, command_id="42"))), "unreadable"),
        (letter(MAGIC + b"12345678", exception="UnknownSchema"), "unreadable"),
        (other(topic=TOPICS.events, partition="0", offset="7"), "event"),
        (other(topic="another.commands", partition="0", offset="7"), "stray"),
        (other(topic=TOPICS.commands, partition="x", offset="7"), "stray"),
        (other(), "stray"),
    ],
)
def test_verdicts(found: Letter, verdict: str) -> None:
    assert JUDGE(found).verdict == verdict
    assert advice(found, JUDGE(found))
    refused, goes = verdict in ("event", "stray"), verdict == "ready"
    assert replay().fate(found).what == ("refused" if refused else "goes" if goes else "left out")
    assert replay(named=True, again=True).fate(found).what == ("refused" if refused else "goes")


def test_a_replay_is_the_message_at_its_own_time_and_says_what_it_is() -> None:
    message = replay().message(letter())
    assert (message.topic, message.partition, message.key) == (TOPICS.commands, HOME, b"ann")
    assert (message.value, message.timestamp) == (VALUE, T2026)
    assert message.headers == (("trace", b"\xff\x1b"), ("trace", None), ("__dlq.replay.of", f"{HOME}:17".encode()))


def test_one_that_fails_again_says_whose_replay_it_was_and_is_another() -> None:
    first = letter()
    second = letter(headers=replay().message(first).headers, offset=99)
    assert second.replay_of == str(first.place)
    assert second.headers == first.headers
    assert Marks({first.place: (first.origin, 1)}).of(second) is None
    third = replay().message(second._replace(place=Place(HOME, 18)))
    assert dict(third.headers)["__dlq.replay.of"] == f"{HOME}:18".encode()


def test_replayed_once_is_enough_unless_asked_for() -> None:
    first, copy = letter(), letter()._replace(place=Place(HOME, 18))
    known = Marks({first.place: (first.origin, T2026)})
    for one in (first, copy):
        assert replay(known, named=True).fate(one).what == "left out"
        assert replay(known, again=True).fate(one).what == "goes"
    work = replay()
    assert [work.fate(one).what for one in (first, copy, letter(offset=4))] == ["goes", "left out", "goes"]
    assert known.has(first)
    assert not known.has(copy)


def test_marks_of_another_topic_of_that_name_do_not_count() -> None:
    known = Marks({letter().place: ("licensing.commands 0:4711", T2026)})
    assert known.of(letter()) is None
    assert not known.has(letter())
    assert known.within({HOME: range(17, 20)}) == 1
    assert known.within({HOME: range(18, 20)}) == 0


def test_filters() -> None:
    found = letter()
    assert found in Wanted()
    assert found in Wanted("decode", "DecodeError", TOPICS.commands, T2026)
    for no in (Wanted("validate"), Wanted(exception="InvalidCommand"), Wanted(topic="x"), Wanted(since=T2026 + 1)):
        assert found not in no


def test_anatomies() -> None:
    assert anatomy(VALUE, bytes).record == {
        "command_id": GOOD.command_id,
        "account_id": "ann",
        "correlation_id": None,
        "plan": "basic",
    }
    cut, unknown = anatomy(VALUE[:-1], bytes), anatomy(MAGIC + b"12345678", bytes)
    assert (cut.schema, cut.record) == ("SetPlan.v1", None)
    assert "SetPlan" in str(cut.wrong)
    assert (unknown.schema, unknown.frame) == (None, "Avro single-object encoding, fingerprint 3132333435363738")
    assert anatomy(b"\0\0\0\0\x07rest", bytes).frame == "Confluent's wire format, schema id 7"
    framed = anatomy(b"\0\0\0\0\x07" + VALUE[10:], lambda value: VALUE[:10] + value[5:])
    assert framed.schema == "SetPlan.v1"
    assert (anatomy(None, bytes).frame, anatomy(b"", bytes).frame) == ("nothing", "no bytes")


def test_a_dump_has_all_bytes() -> None:
    value = bytes(range(256))
    rows = list(dump(value))
    assert b"".join(bytes.fromhex(row[1]) for row in rows) == value
    assert "".join(row[2] for row in rows).count(".") == 256 - 95 + 1
    assert rows[-1][0] == "0000f0"


def test_a_date_in_digits_is_not_taken_for_milliseconds() -> None:
    """`replay --since 20260501` would mean all of them."""
    assert time_of("1777666500123", "--since") == 1_777_666_500_123
    for text in ("20260501", "2026"):
        with pytest.raises(typer.BadParameter):
            time_of(text, "--since")
