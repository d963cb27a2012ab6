"""Whether a reader with one schema can read what was written with another, by the Avro specification's rules.

"Schema Resolution", Avro 1.12. Our own readers do not resolve: they find the writer's schema by its fingerprint. This
is for everybody else's.
"""

from collections.abc import Iterator
from typing import Any

_PROMOTED: dict[str, set[str]] = {
    "null": set(),
    "boolean": set(),
    "double": set(),
    "int": {"long", "float", "double"},
    "long": {"float", "double"},
    "float": {"double"},
    "string": {"bytes"},
    "bytes": {"string"},
}


def obstacles(reader: Any, writer: Any, where: str = "it") -> Iterator[str]:
    """Why data of the schema `writer` cannot be read as `reader`; nothing: it can."""
    reader, writer = _bare(reader), _bare(writer)
    if isinstance(writer, list):
        for branch in writer:
            yield from obstacles(reader, branch, where)
    elif isinstance(reader, list):
        if all(any(obstacles(branch, writer, where)) for branch in reader):
            yield f"{where} may not be {_kind(writer)}"
    elif isinstance(reader, dict) and isinstance(writer, dict) and reader["type"] == writer["type"]:
        yield from _of_equal_kind(reader, writer, where)
    elif reader != writer and (isinstance(writer, dict) or isinstance(reader, dict) or reader not in _PROMOTED[writer]):
        yield f"{where} is {_kind(reader)}, not {_kind(writer)}"


def _bare(declared: Any) -> Any:
    """A type without what does not count, such as a logical type."""
    while isinstance(declared, dict) and not {"fields", "symbols", "items", "values", "size"} & declared.keys():
        declared = declared["type"]
    return declared


def _kind(declared: Any) -> str:
    return str(declared["type"]) if isinstance(declared, dict) else str(declared)


def _of_equal_kind(reader: dict[str, Any], writer: dict[str, Any], where: str) -> Iterator[str]:
    kind = reader["type"]
    if kind in {"record", "enum", "fixed"} and not _names(reader) & {_short(writer["name"])}:
        yield f"{where} is called {reader['name']}, not {writer['name']}"
    elif kind == "record":
        yield from _fields(reader, writer, where)
    elif kind == "enum":
        unknown = [symbol for symbol in writer["symbols"] if symbol not in reader["symbols"]]
        if unknown and "default" not in reader:
            yield f"{where} may not be {', '.join(unknown)}, and has no default"
    elif kind == "fixed":
        if reader["size"] != writer["size"]:
            yield f"{where} has {reader['size']} bytes, not {writer['size']}"
    else:
        inner = "items" if kind == "array" else "values"
        yield from obstacles(reader[inner], writer[inner], where)


def _fields(reader: dict[str, Any], writer: dict[str, Any], where: str) -> Iterator[str]:
    written = {field["name"]: field["type"] for field in writer["fields"]}
    for field in reader["fields"]:
        place = field["name"] if where == "it" else f"{where}.{field['name']}"
        found = [written[name] for name in (field["name"], *field.get("aliases", ())) if name in written]
        if found:
            yield from obstacles(field["type"], found[0], place)
        elif "default" not in field:
            yield f"{place} is not written, and has no default"


def _names(named: dict[str, Any]) -> set[str]:
    return {_short(name) for name in (named["name"], *named.get("aliases", ()))}


def _short(name: str) -> str:
    return name.rpartition(".")[2]
