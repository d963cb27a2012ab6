"""What no schema may be, whoever wrote it: too large, too deep, able to contain itself, or free to repeat nothing."""

import json
from collections.abc import Iterator
from typing import Any

#: Bytes of a schema, and levels of types inside each other.
SIZE_MAX, DEPTH_MAX = 64 * 1024, 16

_PRIMITIVE = {"null", "boolean", "int", "long", "float", "double", "bytes", "string"}


def lint(text: str) -> list[str]:
    """What is wrong with the text of a schema; nothing: it may be parsed and read with."""
    size = len(text.encode())
    if size > SIZE_MAX:
        return [f"it has {size:,} bytes, and {SIZE_MAX:,} are allowed"]
    try:
        schema = json.loads(text)
    except ValueError as error:
        return [f"it is not JSON: {error}"]
    except RecursionError:
        return [f"it is nested deeper than {DEPTH_MAX}"]
    if not _shallow(schema):
        return [f"it is nested deeper than {DEPTH_MAX}"]
    return list(dict.fromkeys(_problems(schema, "it")))


def _inner(node: Any) -> list[tuple[str, Any]]:
    """The types inside a type, each with the name of its field."""
    match node:
        case list():
            return [("", branch) for branch in node]
        case {"type": "record", "fields": list(fields)}:
            return [(str(one.get("name")), one.get("type")) for one in fields if isinstance(one, dict)]
        case {"type": "array", "items": inner} | {"type": "map", "values": inner}:
            return [("", inner)]
        case {"type": dict() | list() as inner}:
            return [("", inner)]
    return []


def _shallow(schema: Any) -> bool:
    level = [schema]
    for _ in range(DEPTH_MAX):
        level = [inner for node in level for _, inner in _inner(node)]
        if not level:
            return True
    return False


def _problems(node: Any, where: str) -> Iterator[str]:
    match node:
        case str():
            if node not in _PRIMITIVE:
                yield f"{where} is {node}, a type by name: written out, no schema can contain itself"
        case {"type": "array", "items": items}:
            if _least(items) == 0:
                yield f"{where} has items of no bytes: a few bytes could claim any number of them"
        case {"type": "record", "fields": list()} | {"type": "map", "values": _} | list():
            pass
        case {"type": "enum", "symbols": list()} | {"type": "fixed", "size": int()}:
            pass
        case {"type": str() as name}:
            yield from _problems(name, where)
        case {"type": dict() | list()}:
            pass
        case _:
            yield f"{where} is no type of Avro"
    for name, inner in _inner(node):
        yield from _problems(inner, name or where)


def _least(node: Any) -> int:
    """The fewest bytes that a value takes."""
    match node:
        case "null" | {"type": "null"}:
            return 0
        case {"type": "record"}:
            return sum(_least(inner) for _, inner in _inner(node))
        case {"type": "fixed", "size": int(size)}:
            return size
    return 1
