"""The bytes on the wire: what they are, and that nothing else is taken for a message."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from schemas.codec import (
    DecodeError,
    UnknownSchema,
    decode_batch,
    decode_command,
    decode_event,
    decode_reply,
    encode_batch,
    encode_command,
    encode_event,
    encode_reply,
)
from schemas.commands import COMMANDS
from schemas.events import EVENTS
from schemas.registry import NEWEST, SCHEMAS
from schemas.upcasters import RETIRED
from tests.support.examples import (
    ACCOUNT,
    BATCH_EXAMPLE,
    COMMAND,
    COMMAND_EXAMPLES,
    EVENT_EXAMPLES,
    REJECTION_EXAMPLE,
    REPLY_EXAMPLE,
    acquire,
    set_plan,
)

Decode = Callable[[bytes], Any]
GOLDEN = Path(__file__).with_name("golden")
DECODERS: tuple[Decode, ...] = (decode_command, decode_event, decode_reply, decode_batch)
ENCODED: dict[str, tuple[Any, bytes, Decode]] = {
    **{type(one).__name__: (one, encode_command(one), decode_command) for one in COMMAND_EXAMPLES},
    **{one.type: (one, encode_event(one), decode_event) for one in EVENT_EXAMPLES},
    "Reply": (REPLY_EXAMPLE, encode_reply(REPLY_EXAMPLE), decode_reply),
    "JournalBatch": (BATCH_EXAMPLE, encode_batch(BATCH_EXAMPLE), decode_batch),
}
each = pytest.mark.parametrize("name", list(ENCODED))


def flipped(data: bytes) -> list[bytes]:
    """The data with one bit wrong, for each of its bits."""
    return [data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :] for at in range(len(data)) for bit in range(8)]


def test_there_is_an_example_of_every_message() -> None:
    assert set(ENCODED) == set(NEWEST) - set(RETIRED) == {*COMMANDS, *EVENTS, "Reply", "JournalBatch"}


@each
def test_the_bytes_are_the_ones_that_were_written_down(name: str) -> None:
    example, data, decode = ENCODED[name]
    golden = bytes.fromhex((GOLDEN / f"{name}.v{NEWEST[name].version}.hex").read_text(encoding="ascii"))
    assert data == golden
    assert decode(golden) == example


def test_every_schema_has_bytes_written_down() -> None:
    assert {path.name for path in GOLDEN.iterdir()} == {f"{s.name}.v{s.version}.hex" for s in SCHEMAS}


def test_the_bytes_can_be_made_by_hand() -> None:
    def text(value: str) -> bytes:
        return bytes([len(value) << 1]) + value.encode()

    by_hand = b"\xc3\x01" + NEWEST["SetPlan"].fingerprint
    by_hand += bytes([36 << 1]) + COMMAND.encode() + text(ACCOUNT) + b"\x00" + text("basic")
    assert encode_command(set_plan("basic")) == by_hand
    with_correlation = by_hand.replace(b"\x00" + text("basic"), b"\x02" + text("visit") + text("basic"))
    assert decode_command(with_correlation).correlation_id == "visit"


def test_a_rejection_and_an_empty_batch_come_back_as_they_were() -> None:
    assert decode_reply(encode_reply(REJECTION_EXAMPLE)) == REJECTION_EXAMPLE
    empty = type(BATCH_EXAMPLE)(0, 0, ())
    assert decode_batch(encode_batch(empty)) == empty


def test_ids_in_any_script_come_back_as_they_were() -> None:
    command = acquire("планшет", "千と千尋の神隠し")  # well-formed Avro; `validate` is who refuses it
    assert decode_command(encode_command(command)) == command


@each
def test_cut_off_anywhere_it_is_refused(name: str) -> None:
    _, data, decode = ENCODED[name]
    for length in range(len(data)):
        with pytest.raises(DecodeError):
            decode(data[:length])


@each
@pytest.mark.parametrize("tail", [b"\x00", b"\xff", b"\xc3\x01", bytes(100)])
def test_bytes_after_the_end_are_refused(name: str, tail: bytes) -> None:
    _, data, decode = ENCODED[name]
    with pytest.raises(DecodeError, match=f"{len(tail)} bytes follow|not the one way"):
        decode(data + tail)


@each
def test_one_wrong_bit_is_refused_or_is_another_message_to_the_letter(name: str) -> None:
    _, data, decode = ENCODED[name]
    for wrong in flipped(data):
        try:
            found = decode(wrong)
        except DecodeError:
            continue
        if decode is decode_command:
            assert encode_command(found) == wrong


@each
def test_a_message_of_another_kind_is_refused(name: str) -> None:
    _, data, own = ENCODED[name]
    for decode in DECODERS:
        if decode is not own:
            with pytest.raises(DecodeError, match=r"is not an? "):
                decode(data)


@pytest.mark.parametrize("decode", DECODERS)
@pytest.mark.parametrize("data", [b"", b"\xc3", b"\xc3\x02", b"\x00\x00\x00\x01", b"Obj\x01", b"{}", b"\x01\xc3"])
def test_what_does_not_begin_as_it_should_is_refused(decode: Decode, data: bytes) -> None:
    with pytest.raises(DecodeError, match="begins with"):
        decode(data + bytes(20) if len(data) > 1 and data[0] else data)


@pytest.mark.parametrize("decode", DECODERS)
def test_an_id_of_a_schema_registry_is_an_unknown_schema(decode: Decode) -> None:
    with pytest.raises(UnknownSchema, match="with the id 258 of a schema registry: SCHEMA_REGISTRY_URL is not set"):
        decode(b"\x00\x00\x00\x01\x02rest")


@pytest.mark.parametrize("mark", [bytes(8), b"\xff" * 8, NEWEST["SetPlan"].fingerprint[::-1], b"", b"\x01"])
def test_an_unknown_schema_is_named(mark: bytes) -> None:
    with pytest.raises(UnknownSchema, match=f"fingerprint {mark.hex()}"):
        decode_command(b"\xc3\x01" + mark)
