"""What the bytes of a dead letter are, as far as anybody can tell. Pure."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from ops.dead_letters.letter import said
from schemas.wire import DecodeError, UnknownSchema, frame_id, is_framed, read_any, schema_of

_LINE = 16  # bytes in a line of a dump


class Anatomy(NamedTuple):
    """`frame`: what the bytes begin with, in words. `schema`: such as `SetPlan.v1`, if this release has it.

    `record`: the message by that schema, as it was written; None: it cannot be read, and `wrong` says why.
    """

    frame: str
    schema: str | None
    record: dict[str, Any] | None
    wrong: str | None


def anatomy(value: bytes | None, plain: Callable[[bytes], bytes]) -> Anatomy:
    """Take a value apart; `plain` undoes the frame of a schema registry."""
    if not value:
        return Anatomy("nothing" if value is None else "no bytes", None, None, "there is no value")
    frame, value = _frame(value), plain(value)
    try:
        schema = schema_of(value)
    except UnknownSchema as error:
        return Anatomy(frame, None, None, str(error))
    except DecodeError as error:
        return Anatomy(frame, None, None, str(error))
    name = f"{schema.name}.v{schema.version}"
    try:
        return Anatomy(frame, name, read_any(value, strict=True)[1], None)
    except DecodeError as error:
        return Anatomy(frame, name, None, str(error))


def _frame(value: bytes) -> str:
    if is_framed(value):
        return f"Confluent's wire format, schema id {frame_id(value)}"
    if value[:2] == b"\xc3\x01":
        return f"Avro single-object encoding, fingerprint {value[2:10].hex()}"
    return "neither Avro single-object encoding nor Confluent's wire format"


def dump(value: bytes) -> Iterator[tuple[str, str, str]]:
    """Bytes line by line: offset and values in hexadecimal digits, and text, a dot for what is none."""
    for start in range(0, len(value), _LINE):
        line = value[start : start + _LINE]
        yield f"{start:06x}", line.hex(" ", 4), "".join(chr(one) if 32 <= one < 127 else "." for one in line)


def text_of(value: bytes | None) -> str | None:
    """A key or value as text, what cannot be printed escaped; None: there is none."""
    return None if value is None else said(value)
