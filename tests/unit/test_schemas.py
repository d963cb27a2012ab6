"""The schema files: what a reader, a registry or another language relies on, and what could be used against us."""

import re
from collections.abc import Iterator
from importlib.resources import files
from types import NoneType
from typing import Any, get_args, get_type_hints

import pytest
from msgspec.structs import fields

from schemas.codec import schema_version
from schemas.commands import COMMANDS
from schemas.events import EVENTS, Envelope
from schemas.journal import Batch, Entry, JournalOutcome
from schemas.registry import BY_FINGERPRINT, NEWEST, SCHEMAS, Schema
from schemas.replies import Outcome, Reply

each = pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: f"{schema.name}.v{schema.version}")
AVRO = {str: "string", int: "long", bytes: "bytes", NoneType: "null"}


def nodes(schema: Any) -> Iterator[Any]:
    """Every type inside a schema, itself first."""
    yield schema
    match schema:
        case list():
            inner = schema
        case {"type": "record"}:
            inner = [field["type"] for field in schema["fields"]]
        case {"type": "array"}:
            inner = [schema["items"]]
        case {"type": "map"}:
            inner = [schema["values"]]
        case {"type": dict() | list()}:
            inner = [schema["type"]]
        case _:
            inner = []
    for one in inner:
        yield from nodes(one)


def least_bytes(schema: Any) -> int:
    """The fewest bytes that a value takes."""
    match schema:
        case "null":
            return 0
        case {"type": "record"}:
            return sum(least_bytes(field["type"]) for field in schema["fields"])
        case {"type": "fixed", "size": int(size)}:
            return size
        case "float":
            return 4
        case "double":
            return 8
    return 1


def depth(schema: Any) -> int:
    inner = list(nodes(schema))[1:]
    return 1 + max(map(depth, inner), default=0)


def newest_fields(name: str) -> dict[str, Any]:
    return {field["name"]: field["type"] for field in NEWEST[name].source["fields"]}


def crc64_avro(data: bytes) -> int:
    """The algorithm of the Avro specification, bit by bit."""
    empty = mark = 0xC15D213AA4D7A795
    for byte in data:
        mark ^= byte
        for _ in range(8):
            mark = mark >> 1 ^ (empty if mark & 1 else 0)
    return mark


def test_every_file_is_a_schema_and_is_named_after_it() -> None:
    names = sorted(path.name for path in files("schemas").joinpath("avro").iterdir())
    assert names == sorted(f"{schema.source['name']}.v{schema.version}.avsc" for schema in SCHEMAS)
    assert all(schema.name == schema.source["name"] for schema in SCHEMAS)


def test_versions_count_from_one() -> None:
    for name, newest in NEWEST.items():
        assert sorted(s.version for s in SCHEMAS if s.name == name) == list(range(1, newest.version + 1))
        assert schema_version(name) == newest.version


@each
def test_it_is_a_record_in_the_namespace(schema: Schema) -> None:
    assert schema.source["type"] == "record"
    assert schema.source["namespace"] == "licensing"
    assert all("namespace" not in node for node in list(nodes(schema.source))[1:] if isinstance(node, dict))


@each
def test_every_record_says_what_it_is(schema: Schema) -> None:
    records = [node for node in nodes(schema.source) if isinstance(node, dict) and node["type"] == "record"]
    assert all(record.get("doc", "").endswith(".") for record in records)


@each
def test_it_refers_to_no_type_by_name_so_it_cannot_contain_itself(schema: Schema) -> None:
    primitive = {"null", "boolean", "int", "long", "float", "double", "bytes", "string"}
    assert {node for node in nodes(schema.source) if isinstance(node, str)} <= primitive
    assert depth(schema.source) <= 16


@each
def test_no_item_of_an_array_or_a_map_can_be_of_no_bytes(schema: Schema) -> None:
    items = [node for node in nodes(schema.source) if isinstance(node, dict) and node["type"] == "array"]
    assert all(least_bytes(array["items"]) > 0 for array in items)
    assert not [node for node in nodes(schema.source) if isinstance(node, dict) and node["type"] == "map"]


@each
def test_a_default_is_of_the_first_branch(schema: Schema) -> None:
    for field in schema.source["fields"]:
        if "default" in field:
            declared = field["type"]
            first = declared["symbols"] if isinstance(declared, dict) else [None]
            assert declared[0] == "null" if isinstance(declared, list) else declared["type"] == "enum"
            assert field["default"] == first[0]


@each
def test_its_fingerprint_is_crc_64_avro_of_the_canonical_form(schema: Schema) -> None:
    from fastavro.schema import to_parsing_canonical_form

    canonical = to_parsing_canonical_form(schema.source)
    assert re.search(r"doc|default|logicalType", re.sub(r"outcome|dead_letter", "", canonical)) is None
    assert int.from_bytes(schema.fingerprint, "little") == crc64_avro(canonical.encode())
    assert BY_FINGERPRINT[schema.fingerprint] is schema


def test_crc_64_avro_gives_the_known_values() -> None:
    assert crc64_avro(b"") == 0xC15D213AA4D7A795
    assert crc64_avro(b'"null"') == 0x63DD24E7CC258F8A
    assert crc64_avro(b'"int"') == 0x7275D51A3F395C8F


def test_no_two_schemas_have_the_same_fingerprint() -> None:
    assert len({schema.fingerprint for schema in SCHEMAS}) == len(BY_FINGERPRINT) == len(SCHEMAS)


@pytest.mark.parametrize("cls", [*COMMANDS.values(), Reply, Batch], ids=lambda cls: cls.__name__)
def test_a_class_has_the_fields_of_its_schema_in_order(cls: type[Any]) -> None:
    name = "JournalBatch" if cls is Batch else cls.__name__
    assert [field.name for field in fields(cls)] == list(newest_fields(name))


@pytest.mark.parametrize("cls", EVENTS.values(), ids=lambda cls: cls.__name__)
def test_an_event_has_the_fields_of_its_schema_in_order_after_the_envelope(cls: type[Any]) -> None:
    envelope = [field.name for field in fields(Envelope) if field.name != "event"]
    assert [*envelope, *(field.name for field in fields(cls))] == list(newest_fields(cls.__name__))


@pytest.mark.parametrize("cls", [*COMMANDS.values(), *EVENTS.values()], ids=lambda cls: cls.__name__)
def test_a_field_has_the_type_of_its_schema(cls: type[Any]) -> None:
    declared = newest_fields(cls.__name__)
    for name, hint in get_type_hints(cls).items():
        avro = declared[name]["type"] if isinstance(declared[name], dict) else declared[name]
        if avro == "enum":
            assert declared[name]["symbols"] == list(get_args(hint)), name
            continue
        wanted = [AVRO[arg] for arg in get_args(hint)] or AVRO[hint]
        assert (sorted(avro) if isinstance(avro, list) else avro.replace("int", "long")) == (
            sorted(wanted) if isinstance(wanted, list) else wanted
        ), name


def test_a_journal_entry_has_the_fields_of_its_schema() -> None:
    entry = newest_fields("JournalBatch")["entries"]["items"]
    assert {field.name for field in fields(Entry)} == {field["name"] for field in entry["fields"]}


def test_outcomes_are_the_symbols_of_their_enums() -> None:
    entry = newest_fields("JournalBatch")["entries"]["items"]
    symbols = next(field["type"]["symbols"] for field in entry["fields"] if field["name"] == "outcome")
    assert tuple(symbols) == get_args(JournalOutcome)
    assert tuple(newest_fields("Reply")["outcome"]["symbols"]) == get_args(Outcome)
