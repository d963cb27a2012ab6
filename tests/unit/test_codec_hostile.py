"""Bodies made by hand that a trusting reader accepts, waits for, or dies of."""

import random

import pytest

from schemas.codec import DecodeError, decode_batch, decode_command, decode_event, decode_reply
from schemas.registry import NEWEST, SCHEMAS, Schema
from tests.support.examples import ACCOUNT, COMMAND

HEAD = b"\xc3\x01" + NEWEST["SetPlan"].fingerprint
ID, NAME, NONE, PLAN = b"\x48" + COMMAND.encode(), b"\x10" + ACCOUNT.encode(), b"\x00", b"\x0abasic"


def varint(value: int) -> bytes:
    """Avro's zigzag integer."""
    n, out = (value << 1) ^ (value >> 63), bytearray()
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    return bytes([*out, n])


def test_the_parts_are_a_command() -> None:
    assert decode_command(HEAD + ID + NAME + NONE + PLAN).account_id == ACCOUNT


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(ID + NAME + b"\x01" + PLAN, id="union branch -1 is not the last one"),
        pytest.param(ID + NAME + b"\x01\x04hi" + PLAN, id="union branch -1 with a text"),
        pytest.param(ID + NAME + b"\x04" + PLAN, id="union branch 2"),
        pytest.param(ID + NAME + varint(1 << 40) + PLAN, id="union branch 2^40"),
        pytest.param(b"\xc8\x00" + ID[1:] + NAME + NONE + PLAN, id="length of two bytes where one does"),
        pytest.param(ID + NAME + b"\x80\x00" + PLAN, id="branch of two bytes where one does"),
        pytest.param(ID + NAME + NONE + b"\x8a" + b"\x80" * 9 + b"\x00basic", id="length of eleven bytes"),
        pytest.param(ID + NAME + NONE + b"\x8a" + b"\x80" * 500 + b"\x00basic", id="length of five hundred bytes"),
        pytest.param(ID + NAME + NONE + b"\xff" * 4000, id="a length that never ends"),
        pytest.param(varint(-5) + ID[1:] + NAME + NONE + PLAN, id="length -5"),
        pytest.param(varint(-(1 << 63)) + ID[1:], id="length -2^63"),
        pytest.param(varint(1 << 40) + ID[1:] + NAME + NONE + PLAN, id="length 2^40"),
        pytest.param(varint(1 << 62) + ID[1:] + NAME + NONE + PLAN, id="length 2^62"),
        pytest.param(b"\x06\xff\xfe\xfd" + NAME + NONE + PLAN, id="not UTF-8"),
        pytest.param(b"\x06\xed\xa0\x80" + NAME + NONE + PLAN, id="a lone surrogate"),
        pytest.param(b"\x04\xc0\x80" + NAME + NONE + PLAN, id="NUL of two bytes"),
    ],
)
def test_what_no_encoder_writes_is_refused(body: bytes) -> None:
    with pytest.raises(DecodeError) as refused:
        decode_command(HEAD + body)
    assert len(str(refused.value)) < 1000


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(varint(0) * 2 + varint(1 << 40) + b"\x00", id="2^40 entries"),
        pytest.param(
            varint(0) * 2 + varint(-(1 << 40)) + varint(1) + b"\x00", id="2^40 entries in a block of one byte"
        ),
        pytest.param(varint(0) * 2 + varint(-(1 << 62)) + varint(-1) + b"\x00" * 100, id="a block of -1 bytes"),
        pytest.param(varint(0) * 2 + varint(1) + varint(0) * 2 + b"\x00\x00" + varint(1 << 50), id="2^50 headers"),
        pytest.param(varint(0) * 2 + varint(1) + varint(0) * 2 + b"\x00\x00\x00" + varint(99), id="outcome 99"),
    ],
)
def test_a_journal_batch_that_claims_too_much_ends_at_its_bytes(body: bytes) -> None:
    data = b"\xc3\x01" + NEWEST["JournalBatch"].fingerprint + body
    for decode in (decode_batch, decode_command):
        with pytest.raises(DecodeError):
            decode(data)


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: f"{schema.name}.v{schema.version}")
def test_noise_under_any_schema_raises_nothing_else(schema: Schema) -> None:
    rng = random.Random(7)
    said = [""]
    for decode in (decode_command, decode_event, decode_reply, decode_batch):
        for _ in range(300):
            top = rng.choice((8, 256))  # small numbers make lengths and branches that lead further in
            noise = bytes(rng.randrange(top) for _ in range(rng.randrange(120)))
            try:
                decode(b"\xc3\x01" + schema.fingerprint + noise)
            except DecodeError as error:
                said.append(str(error))
    assert max(map(len, said)) < 1000
