"""Every schema the project has ever written, by name and version and by fingerprint.

The files under `avro/` are append-only: `<Name>.v<version>.avsc`. The fingerprint is CRC-64-AVRO of the parsing
canonical form (Avro 1.12 specification, "Schema Fingerprints"), eight bytes, little-endian, as single-object
encoding wants it.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from fastavro import parse_schema
from fastavro.schema import fingerprint, to_parsing_canonical_form

_FILE = re.compile(r"(?P<name>\w+)\.v(?P<version>\d+)\.avsc")


@dataclass(frozen=True, slots=True)
class Schema:
    """One message schema. `parsed` is fastavro's form of it, without logical types: times stay int milliseconds."""

    name: str
    version: int
    fingerprint: bytes
    parsed: Any
    source: dict[str, Any]


def _plain(node: Any) -> Any:
    """The schema without logical types: ints and strings are what the code works with, and cheaper."""
    if isinstance(node, dict):
        return {key: _plain(value) for key, value in node.items() if key != "logicalType"}
    if isinstance(node, list):
        return [_plain(item) for item in node]
    return node


def _load() -> Iterator[Schema]:
    for path in sorted(files(__package__).joinpath("avro").iterdir(), key=lambda p: p.name):
        match = _FILE.fullmatch(path.name)
        if match is None:
            continue
        source = json.loads(path.read_text(encoding="utf-8"))
        plain = _plain(source)
        mark = bytes.fromhex(fingerprint(to_parsing_canonical_form(plain), "CRC-64-AVRO"))
        yield Schema(match["name"], int(match["version"]), mark, parse_schema(plain), source)


SCHEMAS: tuple[Schema, ...] = tuple(_load())
BY_FINGERPRINT: dict[bytes, Schema] = {schema.fingerprint: schema for schema in SCHEMAS}
NEWEST: dict[str, Schema] = {schema.name: schema for schema in sorted(SCHEMAS, key=lambda s: (s.name, s.version))}
