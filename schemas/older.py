"""The one read edge where old bytes turn into the newest message: whatever version it is, `wire` and `upcasters`."""

from collections.abc import Callable
from typing import Any

from schemas.flat import reader
from schemas.registry import SCHEMAS, Schema
from schemas.upcasters import UPCASTERS, upcast
from schemas.wire import HEADER, head, read_any


def _fields_of(schema: Schema) -> str:
    return f"dict({', '.join('{0}={0}'.format(field['name']) for field in schema.source['fields'])})"


#: Flat messages of older versions, by how they begin: the schema, and what reads its fields. Without it, a sender that
#: has yet to be upgraded would cost the handler ten times as much.
_OLDER: dict[bytes, tuple[Schema, Callable[[bytes], dict[str, Any]]]] = {
    head(schema): (schema, reader(schema.source, HEADER, _fields_of(schema), {}))
    for schema in SCHEMAS
    if (schema.name, schema.version) in UPCASTERS and schema.name != "JournalBatch"
}


def read_newest(data: bytes, *, strict: bool) -> tuple[str, dict[str, Any]]:
    """The name and the fields of the newest message that stands for the one in the bytes.

    `strict`: only if they are the one way to write it.

    Raises:
        DecodeError: not a message of the contract.
        UnknownSchema: not a message that this release knows.
    """
    older = _OLDER.get(data[:HEADER])
    schema, record = read_any(data, strict=strict) if older is None else _read(*older, data, strict)
    return upcast(schema.name, schema.version, record)


def _read(
    schema: Schema, read: Callable[[bytes], dict[str, Any]], data: bytes, strict: bool
) -> tuple[Schema, dict[str, Any]]:
    try:
        return schema, read(data)
    except Exception:  # not common, or wrong
        return read_any(data, strict=strict)
