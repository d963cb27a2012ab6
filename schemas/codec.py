"""Bytes and messages: Avro single-object encoding (`C3 01`, fingerprint, body), so no registry is needed.

Decoding trusts nobody: fastavro ignores trailing bytes and reads impossible union branches and overlong
integers without a word, so what was decided on is encoded again and has to give the same bytes.
"""

import io
from collections.abc import Callable
from dataclasses import fields
from operator import attrgetter
from typing import Any

from fastavro import schemaless_reader, schemaless_writer

from schemas.commands import COMMANDS, Command
from schemas.events import EVENTS, Envelope
from schemas.journal import Batch, Entry
from schemas.registry import BY_FINGERPRINT, NEWEST, Schema
from schemas.replies import Reply

MAGIC = b"\xc3\x01"
_HEADER = len(MAGIC) + 8
_ENVELOPE = ("event_id", "account_id", "version", "at", "command_id", "correlation_id")


class DecodeError(Exception):
    """The bytes are not a message of the contract. The text says why."""


class UnknownSchema(DecodeError):
    """The bytes name a schema that this release does not have."""


def schema_version(name: str) -> int:
    """The version that this release writes of the message `name`."""
    return NEWEST[name].version


def _write(schema: Schema, record: dict[str, Any]) -> bytes:
    out = io.BytesIO()
    out.write(MAGIC + schema.fingerprint)
    schemaless_writer(out, schema.parsed, record)
    return out.getvalue()


def schema_of(data: bytes) -> Schema:
    """The schema that the bytes name.

    Raises:
        DecodeError: the bytes do not begin as single-object encoding does.
        UnknownSchema: no schema of this release has that fingerprint.
    """
    if data[:2] != MAGIC:
        raise DecodeError(f"not Avro single-object encoding: begins with {data[:2].hex() or 'nothing'}, not c301")
    schema = BY_FINGERPRINT.get(data[2:_HEADER])
    if schema is None:
        raise UnknownSchema(f"no schema with the fingerprint {data[2:_HEADER].hex()}")
    return schema


def _read(data: bytes, *, strict: bool) -> tuple[Schema, dict[str, Any]]:
    schema = schema_of(data)
    body = io.BytesIO(data)
    body.seek(_HEADER)
    try:
        record = schemaless_reader(body, schema.parsed, None)
    except Exception as error:  # fastavro raises many classes on broken bytes: EOFError, IndexError, ValueError ...
        raise DecodeError(f"not a {schema.name}: {type(error).__name__}: {error}") from error
    if body.tell() != len(data):
        raise DecodeError(f"{len(data) - body.tell()} bytes follow the {schema.name}")
    if not isinstance(record, dict):
        raise DecodeError(f"a {schema.name} is not a record")
    if strict and _write(schema, record) != data:
        raise DecodeError(f"not the one way to write this {schema.name}")
    return schema, record


def _encoder(cls: type[Any]) -> Callable[[Any], dict[str, Any]]:
    names = tuple(field.name for field in fields(cls))
    get = attrgetter(*names)
    return lambda message: dict(zip(names, get(message), strict=True))


_AS_RECORD = {cls: _encoder(cls) for cls in (*COMMANDS.values(), *EVENTS.values(), Reply, Entry)}


def encode_command(command: Command) -> bytes:
    """A command as it goes to the commands topic."""
    cls = type(command)
    return _write(NEWEST[cls.__name__], _AS_RECORD[cls](command))


def decode_command(data: bytes) -> Command:
    """Read a command that anybody may have written.

    Raises:
        DecodeError: not a command, byte for byte.
    """
    schema, record = _read(data, strict=True)
    cls = COMMANDS.get(schema.name)
    if cls is None:
        raise DecodeError(f"a {schema.name} is not a command")
    return cls(**record)


def encode_event(envelope: Envelope) -> bytes:
    """An event with its envelope, as it is stored and published."""
    cls = type(envelope.event)
    record = _AS_RECORD[cls](envelope.event)
    for name in _ENVELOPE:
        record[name] = getattr(envelope, name)
    return _write(NEWEST[cls.__name__], record)


def decode_event(data: bytes) -> Envelope:
    """Read an event that the handler wrote.

    Raises:
        DecodeError: not an event.
    """
    schema, record = _read(data, strict=False)
    cls = EVENTS.get(schema.name)
    if cls is None:
        raise DecodeError(f"a {schema.name} is not an event")
    pop = record.pop
    head = {name: pop(name) for name in _ENVELOPE}
    return Envelope(**head, event=cls(**record))


def encode_reply(reply: Reply) -> bytes:
    """A reply as it goes to the replies topic."""
    return _write(NEWEST["Reply"], _AS_RECORD[Reply](reply))


def decode_reply(data: bytes) -> Reply:
    """Read a reply.

    Raises:
        DecodeError: not a reply.
    """
    schema, record = _read(data, strict=False)
    if schema.name != "Reply":
        raise DecodeError(f"a {schema.name} is not a reply")
    return Reply(**record)


def encode_batch(batch: Batch) -> bytes:
    """The body of a journal row."""
    entries = []
    for entry in batch.entries:
        record = _AS_RECORD[Entry](entry)
        record["headers"] = [{"name": name, "value": value} for name, value in entry.headers]
        entries.append(record)
    return _write(
        NEWEST["JournalBatch"],
        {"first_offset": batch.first_offset, "next_offset": batch.next_offset, "entries": entries},
    )


def decode_batch(data: bytes) -> Batch:
    """Read the body of a journal row.

    Raises:
        DecodeError: not a journal batch.
    """
    schema, record = _read(data, strict=False)
    if schema.name != "JournalBatch":
        raise DecodeError(f"a {schema.name} is not a journal batch")
    entries = []
    for entry in record["entries"]:
        entry["events"] = tuple(entry["events"])
        entry["headers"] = tuple((header["name"], header["value"]) for header in entry["headers"])
        entries.append(Entry(**entry))
    return Batch(record["first_offset"], record["next_offset"], tuple(entries))
