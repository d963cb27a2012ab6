"""Bytes and messages. What is common goes through the flat readers and writers, everything else through `wire`."""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from msgspec.structs import asdict

from schemas.commands import COMMANDS, AnyCommand
from schemas.events import EVENTS, Envelope
from schemas.flat import array, bytes_at, part_reader, reader, sized, varint, writer
from schemas.journal import Batch, Entry
from schemas.older import read_newest
from schemas.registry import NEWEST
from schemas.replies import Reply
from schemas.wire import HEADER, MAGIC, DecodeError, UnknownSchema, head, is_known, schema_of, write_any

__all__ = [
    "MAGIC",
    "DecodeError",
    "UnknownSchema",
    "decode_batch",
    "decode_command",
    "decode_event",
    "decode_reply",
    "encode_batch",
    "encode_command",
    "encode_event",
    "encode_reply",
    "is_known",
    "schema_of",
    "schema_version",
]

M = TypeVar("M")

_ENVELOPE = tuple(name for name in Envelope.__struct_fields__ if name != "event")


def schema_version(name: str) -> int:
    """The version that this release writes of the message `name`."""
    return NEWEST[name].version


def _made_of(cls: type[Any]) -> str:
    return f"{cls.__name__}({', '.join(cls.__struct_fields__)})"


def _writer(cls: type[M], path: Callable[[str], str] = "m.{}".format) -> Callable[[M], bytes]:
    schema = NEWEST[cls.__name__]
    return writer(schema.source, head(schema), path, {})


def _reader(cls: type[M], build: str = "{}") -> Callable[[bytes], Any]:
    classes = {cls.__name__: cls, "Envelope": Envelope}
    return reader(NEWEST[cls.__name__].source, HEADER, build.format(_made_of(cls)), classes)


def _in_event(name: str) -> str:
    return f"m.{name}" if name in _ENVELOPE else f"m.event.{name}"


_WRITE_COMMAND: dict[type[Any], Callable[[Any], bytes]] = {cls: _writer(cls) for cls in COMMANDS.values()}
_READ_COMMAND = {head(NEWEST[name]): _reader(cls) for name, cls in COMMANDS.items()}
_WRITE_EVENT: dict[type[Any], Callable[[Any], bytes]] = {cls: _writer(cls, _in_event) for cls in EVENTS.values()}
_READ_EVENT = {
    head(NEWEST[name]): _reader(cls, f"Envelope({', '.join(_ENVELOPE)}, {{}})") for name, cls in EVENTS.items()
}
_WRITE_REPLY = _writer(Reply)
_READ_REPLY = {head(NEWEST["Reply"]): _reader(Reply)}
_BATCH_HEAD = head(NEWEST["JournalBatch"])
_ENTRY = NEWEST["JournalBatch"].source["fields"][2]["type"]["items"]
_HEADER_RECORD = next(field["type"]["items"] for field in _ENTRY["fields"] if field["name"] == "headers")
_WRITE_HEADER = writer(_HEADER_RECORD, b"", {"name": "m[0]", "value": "m[1]"}.__getitem__, {})
_WRITE_ENTRY = writer(
    _ENTRY, b"", "m.{}".format, {"headers": partial(array, _WRITE_HEADER), "events": partial(array, sized)}
)

_READ_HEADER = part_reader(_HEADER_RECORD, "(name, value)", {}, {})
_READ_ENTRY = part_reader(_ENTRY, _made_of(Entry), {"Entry": Entry}, {"headers": _READ_HEADER, "events": bytes_at})
_READ_BATCH = part_reader(NEWEST["JournalBatch"].source, _made_of(Batch), {"Batch": Batch}, {"entries": _READ_ENTRY})


def encode_command(command: AnyCommand) -> bytes:
    """A command as it goes to the commands topic."""
    try:
        return _WRITE_COMMAND[type(command)](command)
    except Exception:
        return write_any(NEWEST[type(command).__name__], asdict(command))


def decode_command(data: bytes) -> AnyCommand:
    """Read a command that anybody may have written.

    Raises:
        DecodeError: not a command, byte for byte.
    """
    try:
        command: AnyCommand = _READ_COMMAND[data[:HEADER]](data)
    except Exception:
        name, record = read_newest(data, strict=True)
        if name not in COMMANDS:
            raise DecodeError(f"a {name} is not a command") from None
        return COMMANDS[name](**record)
    return command


def encode_event(envelope: Envelope) -> bytes:
    """An event with its envelope, as it is stored and published."""
    try:
        return _WRITE_EVENT[type(envelope.event)](envelope)
    except Exception:
        record = asdict(envelope) | asdict(envelope.event)
        del record["event"]
        return write_any(NEWEST[envelope.type], record)


def decode_event(data: bytes) -> Envelope:
    """Read an event that the handler wrote.

    Raises:
        DecodeError: not an event.
    """
    try:
        envelope: Envelope = _READ_EVENT[data[:HEADER]](data)
    except Exception:
        name, record = read_newest(data, strict=False)
        if name not in EVENTS:
            raise DecodeError(f"a {name} is not an event") from None
        outer = {field: record[field] for field in _ENVELOPE}
        inner = {field: value for field, value in record.items() if field not in outer}
        return Envelope(**outer, event=EVENTS[name](**inner))
    return envelope


def encode_reply(reply: Reply) -> bytes:
    """A reply as it goes to the replies topic."""
    try:
        return _WRITE_REPLY(reply)
    except Exception:
        return write_any(NEWEST["Reply"], asdict(reply))


def decode_reply(data: bytes) -> Reply:
    """Read a reply.

    Raises:
        DecodeError: not a reply.
    """
    try:
        reply: Reply = _READ_REPLY[data[:HEADER]](data)
    except Exception:
        name, record = read_newest(data, strict=False)
        if name != "Reply":
            raise DecodeError(f"a {name} is not a reply") from None
        return Reply(**record)
    return reply


def encode_batch(batch: Batch) -> bytes:
    """The body of a journal row."""
    try:
        parts = [_BATCH_HEAD, varint(batch.first_offset), varint(batch.next_offset)]
        parts.append(array(_WRITE_ENTRY, batch.entries))
        return b"".join(parts)
    except Exception:
        return write_any(NEWEST["JournalBatch"], _batch_record(batch))


def _batch_record(batch: Batch) -> dict[str, Any]:
    entries = []
    for entry in batch.entries:
        record = asdict(entry)
        record["headers"] = [{"name": name, "value": value} for name, value in entry.headers]
        entries.append(record)
    return asdict(batch) | {"entries": entries}


def decode_batch(data: bytes) -> Batch:
    """Read the body of a journal row.

    Raises:
        DecodeError: not a journal batch.
    """
    try:
        batch, end = _READ_BATCH(data, HEADER)
    except Exception:
        return _read_any_batch(data)
    return batch if end == len(data) and data.startswith(_BATCH_HEAD) else _read_any_batch(data)


def _read_any_batch(data: bytes) -> Batch:
    name, record = read_newest(data, strict=False)
    if name != "JournalBatch":
        raise DecodeError(f"a {name} is not a journal batch")
    entries = []
    for entry in record["entries"]:
        entry["events"] = tuple(entry["events"])
        entry["headers"] = tuple((header["name"], header["value"]) for header in entry["headers"])
        entries.append(Entry(**entry))
    return Batch(record["first_offset"], record["next_offset"], tuple(entries))
