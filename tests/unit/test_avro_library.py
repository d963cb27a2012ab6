"""Apache Avro's own library for Python writes our bytes and reads them: nothing here is ours alone."""

import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import avro.schema
import pytest
from avro.io import BinaryDecoder, BinaryEncoder, DatumReader, DatumWriter
from msgspec.structs import asdict

from schemas import codec
from schemas.commands import COMMANDS
from schemas.events import EVENTS, Envelope
from schemas.journal import Batch
from schemas.registry import NEWEST, SCHEMAS, Schema
from tests.support.examples import (
    BATCH_EXAMPLE,
    COMMAND_EXAMPLES,
    EVENT_EXAMPLES,
    REJECTION_EXAMPLE,
    REPLY_EXAMPLE,
)

GOLDEN = Path(__file__).with_name("golden")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
each = pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: f"{schema.name}.v{schema.version}")


def golden(schema: Schema) -> bytes:
    return bytes.fromhex((GOLDEN / f"{schema.name}.v{schema.version}.hex").read_text(encoding="ascii"))


def of(source: Any) -> avro.schema.Schema:
    return avro.schema.parse(json.dumps(source))


def read(schema: Schema, data: bytes) -> Any:
    """The record in single-object encoding; the library knows no such thing, so its ten bytes are taken off here."""
    assert data[:2] == b"\xc3\x01"
    body = io.BytesIO(data[10:])
    record = DatumReader(of(schema.source)).read(BinaryDecoder(body))
    assert body.read() == b""
    return record


def write(schema: Schema, record: Any) -> bytes:
    out = io.BytesIO()
    DatumWriter(of(schema.source)).write(record, BinaryEncoder(out))
    return b"\xc3\x01" + schema.fingerprint + out.getvalue()


def logical(declared: Any, value: Any) -> Any:
    """A value as the library wants it: times as datetime."""
    match declared:
        case {"logicalType": "timestamp-millis"}:
            return EPOCH + timedelta(milliseconds=value)
        case {"type": "record", "fields": fields}:
            return {field["name"]: logical(field["type"], value[field["name"]]) for field in fields}
        case {"type": "array", "items": items}:
            return [logical(items, item) for item in value]
        case [_, other] if value is not None:
            return logical(other, value)
    return value


def record_of(message: Any) -> dict[str, Any]:
    record: dict[str, Any] = asdict(message)
    if isinstance(message, Envelope):
        record |= asdict(record.pop("event"))
    if isinstance(message, Batch):
        record["entries"] = [asdict(entry) for entry in message.entries]
        for entry in record["entries"]:
            entry["headers"] = [{"name": name, "value": value} for name, value in entry["headers"]]
    return record


MESSAGES: list[tuple[str, Any, bytes]] = [
    *((type(one).__name__, one, codec.encode_command(one)) for one in COMMAND_EXAMPLES),
    *((one.type, one, codec.encode_event(one)) for one in EVENT_EXAMPLES),
    *(("Reply", one, codec.encode_reply(one)) for one in (REPLY_EXAMPLE, REJECTION_EXAMPLE)),
    ("JournalBatch", BATCH_EXAMPLE, codec.encode_batch(BATCH_EXAMPLE)),
]


@pytest.mark.parametrize(("name", "message", "data"), MESSAGES, ids=lambda one: one if isinstance(one, str) else "")
def test_it_writes_and_reads_what_we_write_and_read(name: str, message: Any, data: bytes) -> None:
    schema = NEWEST[name]
    record = logical(schema.source, record_of(message))
    assert write(schema, record) == data
    assert read(schema, data) == record


def test_every_message_is_among_them() -> None:
    assert {name for name, _, _ in MESSAGES} == {*COMMANDS, *EVENTS, "Reply", "JournalBatch"}


@each
def test_it_reads_what_every_release_has_written_and_writes_it_again(schema: Schema) -> None:
    assert write(schema, read(schema, golden(schema))) == golden(schema)


@each
def test_it_gives_the_same_fingerprint_where_it_strips_what_it_should(schema: Schema) -> None:
    """Its canonical form of `{"type": "string", "logicalType": "uuid"}` stays an object."""
    plain = json.dumps(without_logical_types(schema.source))
    assert avro.schema.parse(plain).fingerprint("CRC-64-AVRO") == schema.fingerprint


def without_logical_types(node: Any) -> Any:
    match node:
        case {"type": str(primitive), "logicalType": _}:
            return primitive
        case dict():
            return {key: without_logical_types(value) for key, value in node.items()}
        case list():
            return [without_logical_types(item) for item in node]
    return node
