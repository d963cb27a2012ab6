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
    """One message schema. `parsed` is fastavro's form of it, without logical types: times stay int milliseconds.

    `source` is the JSON of its file, whose text is `text`.
    """

    name: str
    version: int
    fingerprint: bytes
    parsed: Any
    source: dict[str, Any]
    text: str


def _plain(node: Any) -> Any:
    """The schema without logical types: ints and strings are what the code works with, and cheaper."""
    if isinstance(node, dict):
        return {key: _plain(value) for key, value in node.items() if key != "logicalType"}
    if isinstance(node, list):
        return [_plain(item) for item in node]
    return node


def fingerprint_of(source: Any) -> bytes:
    """The fingerprint of a schema, which is given as JSON."""
    return bytes.fromhex(fingerprint(to_parsing_canonical_form(_plain(source)), "CRC-64-AVRO"))


def _load() -> Iterator[Schema]:
    for path in sorted(files(__package__).joinpath("avro").iterdir(), key=lambda p: p.name):
        match = _FILE.fullmatch(path.name)
        if match is None:
            continue
        text = path.read_text(encoding="utf-8")
        source = json.loads(text)
        parsed = parse_schema(_plain(source))
        yield Schema(match["name"], int(match["version"]), fingerprint_of(source), parsed, source, text)


SCHEMAS: tuple[Schema, ...] = tuple(_load())
BY_FINGERPRINT: dict[bytes, Schema] = {schema.fingerprint: schema for schema in SCHEMAS}
NEWEST: dict[str, Schema] = {schema.name: schema for schema in sorted(SCHEMAS, key=lambda s: (s.name, s.version))}
