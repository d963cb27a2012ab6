"""Any record, by fastavro: Avro single-object encoding (`C3 01`, fingerprint, body), so no registry is needed.

Decoding trusts nobody: fastavro ignores trailing bytes and reads impossible union branches and overlong integers
without a word, so what is read strictly is written again and has to give the same bytes.
"""

import io
from typing import Any

from fastavro import schemaless_reader, schemaless_writer

from schemas.registry import BY_FINGERPRINT, Schema

MAGIC = b"\xc3\x01"
#: Bytes before the body, here and in Confluent's wire format.
HEADER, FRAME = len(MAGIC) + 8, 5


class DecodeError(Exception):
    """The bytes are not a message of the contract. The text says why."""


class UnknownSchema(DecodeError):
    """The bytes name a schema that this release does not have."""


def head(schema: Schema) -> bytes:
    """What every message of the schema begins with."""
    return MAGIC + schema.fingerprint


def is_framed(data: bytes) -> bool:
    """Whether the bytes begin as Confluent's wire format does."""
    return data[:1] == b"\0" and len(data) >= FRAME


def frame_id(data: bytes) -> int:
    """The id of the schema in a registry that a value in Confluent's wire format names."""
    return int.from_bytes(data[1:FRAME], "big")


def schema_of(data: bytes) -> Schema:
    """The schema that the bytes name.

    Raises:
        DecodeError: the bytes do not begin as single-object encoding does.
        UnknownSchema: no schema of this release has that fingerprint.
    """
    if is_framed(data):
        raise UnknownSchema(
            f"no schema with the id {frame_id(data)} of a schema registry: SCHEMA_REGISTRY_URL is not set, or does not"
            " have it"
        )
    if data[:2] != MAGIC:
        raise DecodeError(f"not Avro single-object encoding: begins with {data[:2].hex() or 'nothing'}, not c301")
    schema = BY_FINGERPRINT.get(data[2:HEADER])
    if schema is None:
        raise UnknownSchema(f"no schema with the fingerprint {data[2:HEADER].hex()}")
    return schema


def is_known(data: bytes) -> bool:
    """Whether the bytes name a schema of this release."""
    return data[:2] == MAGIC and data[2:HEADER] in BY_FINGERPRINT


def write_any(schema: Schema, record: dict[str, Any]) -> bytes:
    """A record's bytes."""
    out = io.BytesIO()
    out.write(head(schema))
    schemaless_writer(out, schema.parsed, record)
    return out.getvalue()


def read_any(data: bytes, *, strict: bool) -> tuple[Schema, dict[str, Any]]:
    """The record in the bytes; `strict`: only if they are the one way to write it.

    Raises:
        DecodeError: not a record of the contract.
    """
    schema = schema_of(data)
    body = io.BytesIO(data)
    body.seek(HEADER)
    try:
        record = schemaless_reader(body, schema.parsed, None)
    except Exception as error:  # fastavro raises many classes on broken bytes: EOFError, IndexError, ValueError ...
        raise DecodeError(f"not a {schema.name}: {type(error).__name__}: {error}") from error
    if body.tell() != len(data):
        raise DecodeError(f"{len(data) - body.tell()} bytes follow the {schema.name}")
    if not isinstance(record, dict):
        raise DecodeError(f"a {schema.name} is not a record")
    if strict and write_any(schema, record) != data:
        raise DecodeError(f"not the one way to write this {schema.name}")
    return schema, record
