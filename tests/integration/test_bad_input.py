"""Messages that nobody can mean end as dead letters, byte for byte, and the handler goes on."""

import struct
from uuid import uuid4

import pytest
from confluent_kafka import Producer
from msgspec.structs import replace

from schemas.codec import MAGIC, encode_command, encode_event
from schemas.commands import AcquireLicense, SetPlan
from schemas.events import Envelope, PlanChosen
from schemas.topics import partition_of
from tests.support.load import Load, Stores
from tests.support.processes import eventually, handler
from tests.support.space import PARTITIONS, Space

GOOD = SetPlan(str(uuid4()), "member-1", None, "basic")
HOME = partition_of("member-1", PARTITIONS)
KEY = b"member-1"
T2026 = 1_770_000_000_000
EVENT = encode_event(Envelope(str(uuid4()), "member-1", 1, T2026, str(uuid4()), None, PlanChosen("basic", "p")))
LONG = encode_command(replace(GOOD, account_id="x" * 129))

#: name: value, key, timestamp (0: now), stage, part of the message
BAD: dict[str, tuple[bytes | None, bytes | None, int, str, str]] = {
    "a tombstone": (None, KEY, 0, "decode", "nothing"),
    "nothing": (b"", KEY, 0, "decode", "nothing"),
    "JSON": (b'{"type": "SetPlan"}', KEY, 0, "decode", "c301"),
    "an unknown schema": (MAGIC + b"12345678" + encode_command(GOOD)[10:], KEY, 0, "decode", "fingerprint"),
    "a cut command": (encode_command(GOOD)[:-3], KEY, 0, "decode", "not a SetPlan"),
    "trailing bytes": (encode_command(GOOD) + b"\0", KEY, 0, "decode", "follow"),
    "an event": (EVENT, KEY, 0, "decode", "not a command"),
    "a megabyte": (MAGIC + bytes(900_000), KEY, 0, "decode", "900002 bytes"),
    "no key": (encode_command(GOOD), None, 0, "validate", "key"),
    "another key": (encode_command(GOOD), b"member-2", 0, "validate", "key"),
    "a key that is no text": (encode_command(GOOD), b"\xff\xfe", 0, "validate", "key"),
    "no uuid": (encode_command(replace(GOOD, command_id="42")), KEY, 0, "validate", "command_id"),
    "a brace in an id": (encode_command(replace(GOOD, plan="{basic}")), KEY, 0, "validate", "plan"),
    "an oversized id": (LONG, b"x" * 129, 0, "validate", "account_id"),
    "the year 1970": (encode_command(GOOD), KEY, 86_400_000, "validate", "timestamp"),
}


HEADERS = ("topic", "partition", "offset", "stage", "exception", "message")


@pytest.fixture(scope="module")
def headers() -> list[tuple[str, bytes | None]]:
    return [("trace", b"\xff\x00"), ("empty", None), ("trace", b"twice")]


def test_bad_input_becomes_dead_letters_and_the_handler_goes_on(
    space: Space, headers: list[tuple[str, bytes | None]]
) -> None:
    load, stores = Load(space), Stores(space)
    for value, key, timestamp, _, _ in BAD.values():
        load.send_raw(value, key, HOME, headers, timestamp)
    elsewhere = (HOME + 1) % PARTITIONS
    load.send_raw(encode_command(GOOD), KEY, elsewhere)
    acquire = AcquireLicense(str(uuid4()), "member-1", None, "tv", "heat-1995")
    load.send(GOOD, acquire)
    with handler(space):
        eventually(stores.followed_up, what="good and bad is handled")
    letters = stores.messages(space.topics.dead_letters, HOME)
    assert len(letters) == len(BAD)
    for offset, (letter, (name, (value, key, timestamp, stage, says))) in enumerate(
        zip(letters, BAD.items(), strict=True)
    ):
        assert (letter.value(), letter.key()) == (value, key), name
        assert not timestamp or letter.timestamp()[1] == timestamp, name
        kept, errors = letter.headers()[:3], dict(letter.headers()[3:])
        assert kept == headers, name
        assert errors.keys() == {f"__dlq.errors.{header}" for header in HEADERS}
        assert errors["__dlq.errors.topic"] == space.topics.commands.encode()
        assert errors["__dlq.errors.partition"] == str(HOME).encode()
        assert errors["__dlq.errors.offset"] == str(offset).encode()
        assert errors["__dlq.errors.stage"] == stage.encode(), name
        assert says in errors["__dlq.errors.message"].decode(), name
    (misplaced,) = stores.messages(space.topics.dead_letters, elsewhere)
    assert b"belongs on partition" in dict(misplaced.headers())["__dlq.errors.message"]
    assert list(stores.stored()) == ["member-1"]
    assert len(stores.stored()["member-1"]) == 2
    assert len(stores.messages(space.topics.replies, HOME)) == 2
    stores.close()


def test_a_flood_of_bad_input_does_not_hold_up_the_good(space: Space) -> None:
    load, stores = Load(space), Stores(space)
    junk = struct.pack(">Q", 7) * 100
    load.send_raws([(junk, KEY, HOME)] * 3000)
    load.send(GOOD)
    with handler(space):
        eventually(stores.followed_up, what="good and bad is handled")
    assert len(stores.messages(space.topics.dead_letters, HOME)) == 3000
    assert len(stores.messages(space.topics.replies, HOME)) == 1
    stores.close()


def test_what_only_compression_made_small_enough_is_a_dead_letter_that_is_cut(space: Space) -> None:
    load, stores = Load(space), Stores(space)
    sender = Producer(
        {"bootstrap.servers": space.settings.kafka, "compression.type": "lz4", "message.max.bytes": 20_000_000}
    )
    sender.produce(space.topics.commands, bytes(10_000_000), KEY, HOME)
    assert sender.flush(30) == 0
    load.send(GOOD)
    with handler(space):
        eventually(stores.followed_up, what="good and bad is handled")
    (letter,) = stores.messages(space.topics.dead_letters, HOME)
    assert letter.value() == bytes(1_000_000)
    assert b"for all of it is 10000008 bytes" in dict(letter.headers())["__dlq.errors.message"]
    assert len(stores.messages(space.topics.replies, HOME)) == 1
    stores.close()
