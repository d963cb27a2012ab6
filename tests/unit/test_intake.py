"""Whatever lies on the commands topic is a command in its place, or a dead letter that says what is wrong."""

import pytest
from msgspec.structs import replace

from commands.intake import Message, Poison, read_command
from schemas.codec import encode_command, encode_event, encode_reply
from schemas.commands import AnyCommand
from schemas.topics import partition_of
from schemas.validation import COMMAND_MAX, EARLIEST, LATEST
from tests.support.examples import (
    ACCOUNT,
    COMMAND,
    COMMAND_EXAMPLES,
    EVENT_EXAMPLES,
    REPLY_EXAMPLE,
    T0,
    acquire,
    deactivate,
    set_plan,
)

SHARDS = 4
HOME = partition_of(ACCOUNT, SHARDS)
GOOD = encode_command(set_plan())


def read(
    value: bytes | AnyCommand | None, *, key: bytes | None = ACCOUNT.encode(), timestamp: int = T0, shard: int = HOME
) -> AnyCommand | Poison:
    """Read a message that is well-formed but for what is given."""
    data = value if isinstance(value, bytes | None) else encode_command(value)
    return read_command(Message(7, timestamp, key, data), shard, SHARDS)


def poison(found: AnyCommand | Poison) -> Poison:
    assert isinstance(found, Poison), found
    assert 0 < len(found.message) < 1100
    return found


@pytest.mark.parametrize("command", COMMAND_EXAMPLES, ids=lambda command: type(command).__name__)
def test_a_good_command_is_read(command: AnyCommand) -> None:
    assert read(command) == command


@pytest.mark.parametrize(
    ("value", "exception", "says"),
    [
        (None, "DecodeError", "begins with nothing"),
        (b"", "DecodeError", "begins with nothing"),
        (b"\xc3", "DecodeError", "begins with c3,"),
        (b"\x00\x01", "DecodeError", "begins with 0001"),
        (b"\xc3\x01\x00", "UnknownSchema", "fingerprint 00"),
        (b"\xc3\x01\x00\x00", "UnknownSchema", "fingerprint 0000"),
        (b'{"plan": "basic"}', "DecodeError", "begins with 7b22"),
        (b"Obj\x01" + bytes(40), "DecodeError", "begins with 4f62"),
        (b"\x00\x00\x00\x00\x05" + GOOD[10:], "UnknownSchema", "the id 5 of a schema registry"),
        (b"\xc3\x01" + bytes(8) + GOOD[10:], "UnknownSchema", "fingerprint 0000000000000000"),
        (GOOD[:-1], "DecodeError", "not a SetPlan: "),
        (GOOD + b"\x00", "DecodeError", "1 bytes follow the SetPlan"),
        (encode_event(EVENT_EXAMPLES[1]), "DecodeError", "a LicenseAcquired is not a command"),
        (encode_reply(REPLY_EXAMPLE), "DecodeError", "a Reply is not a command"),
        (bytes(COMMAND_MAX + 1), "DecodeError", "4097 bytes; a command has at most 4096"),
        (bytes(1_000_000), "DecodeError", "1000000 bytes; a command has at most 4096"),
        (encode_command(set_plan("x" * 5000)), "DecodeError", "a command has at most 4096"),
    ],
)
def test_what_is_no_command_says_so(value: bytes | None, exception: str, says: str) -> None:
    found = poison(read(value))
    assert (found.stage, found.exception) == ("decode", exception)
    assert says in found.message


BAD_IDS = {
    "empty": "",
    "too long": "x" * 129,
    "very long": "x" * 3000,
    "space": "living room",
    "space at the end": "tv ",
    "line end": "tv\n",
    "braces": "{tv}",
    "star": "tv*",
    "slash": "../tv",
    "quote": "tv'; --",
    "percent": "tv%00",
    "NUL": "tv\x00",
    "escape": "\x1b[2Jtv",
    "right to left": "tv\u202egpj",
    "zero width": "t\u200bv",
    "letter that only looks like a": "t\u0430blet",
    "not ASCII": "télé",
}
bad_ids = pytest.mark.parametrize("bad", BAD_IDS.values(), ids=BAD_IDS)


@bad_ids
@pytest.mark.parametrize("field", ["device_id", "title_id", "plan", "account_id"])
def test_an_id_that_would_need_care_somewhere_is_refused(field: str, bad: str) -> None:
    command: AnyCommand = replace(set_plan() if field == "plan" else acquire(), **{field: bad})
    found = poison(read(command, key=command.account_id.encode()))
    assert (found.stage, found.exception) == ("validate", "InvalidCommand")
    assert found.message.startswith(f"{field} is not 1 to 128 of")
    assert found.message.isascii() or bad in BAD_IDS.values()
    assert found.message.isprintable()


@pytest.mark.parametrize("good", ["a", "x" * 128, "AZaz09._:@~+=-", "0" * 128])
def test_any_id_of_plain_characters_is_taken(good: str) -> None:
    shard = partition_of(good, SHARDS)
    command = deactivate(good, account_id=good)
    assert read(command, key=good.encode(), shard=shard) == command


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "7",
        COMMAND.replace("1", "a").upper(),
        COMMAND.replace("-", ""),
        "{" + COMMAND + "}",
        "urn:uuid:" + COMMAND,
        COMMAND + " ",
        COMMAND[:-1] + "g",
        COMMAND[:-1] + "\uff11",  # a full-width 1, which int() takes for a digit
        "x" * 3000,
    ],
)
def test_a_command_id_is_a_uuid_written_in_one_way(bad: str) -> None:
    found = poison(read(set_plan(command_id=bad)))
    assert (found.stage, found.exception) == ("validate", "InvalidCommand")
    assert found.message.startswith("command_id is not a lower-case uuid")


@pytest.mark.parametrize(("length", "fits"), [(0, True), (256, True), (257, False), (3000, False)])
def test_a_correlation_id_may_be_anything_that_is_not_long(length: int, fits: bool) -> None:
    command = replace(set_plan(), correlation_id="\u202e" * (length % 1000) + "x" * (length - length % 1000))
    found = read(command)
    assert (found == command) is fits
    if not fits:
        assert "correlation_id is longer than 256" in poison(found).message


@pytest.mark.parametrize("timestamp", [-1, 0, 1, EARLIEST - 1, LATEST, 1 << 62, -(1 << 62)])
def test_a_time_that_no_clock_shows_is_refused(timestamp: int) -> None:
    found = poison(read(GOOD, timestamp=timestamp))
    assert (found.stage, found.exception) == ("validate", "InvalidCommand")
    assert f"timestamp {timestamp} is not between the years 2000 and 2100" in found.message


@pytest.mark.parametrize("timestamp", [EARLIEST, LATEST - 1])
def test_the_first_and_the_last_time_are_taken(timestamp: int) -> None:
    assert read(GOOD, timestamp=timestamp) == set_plan()


@pytest.mark.parametrize(
    "key", [None, b"", b"member-2", b"MEMBER-1", b"member-1\x00", b"\xff\xfe", b"x" * 1_000_000, b"\x00" * 4096]
)
def test_a_key_that_is_not_the_account_is_refused(key: bytes | None) -> None:
    found = poison(read(GOOD, key=key))
    assert (found.stage, found.exception) == ("validate", "InvalidCommand")
    assert found.message.startswith("the key ")
    assert (repr(key)[:100]) in found.message


@pytest.mark.parametrize("shard", [s for s in range(SHARDS) if s != HOME])
def test_an_account_on_anothers_partition_is_refused(shard: int) -> None:
    found = poison(read(GOOD, shard=shard))
    assert (found.stage, found.exception) == ("validate", "InvalidCommand")
    assert f"account member-1 belongs on partition {HOME}, not {shard}" in found.message


def test_headers_are_nobodys_business() -> None:
    headers = (("traceparent", b"\xff\x00"), ("x" * 1000, None), ("__dlq.errors.stage", b"mine"))
    message = Message(7, T0, ACCOUNT.encode(), GOOD, headers)
    assert read_command(message, HOME, SHARDS) == set_plan()
    assert message.size == len(ACCOUNT) + len(GOOD) + 11 + 2 + 1000 + 18 + 4
