"""From bytes to a message."""

from collections.abc import Callable, Mapping
from typing import Any

from schemas.flat.kinds import Kind, kind_of

#: From the first byte of a text to how far it reaches; None, which nothing can be added to, where it takes two bytes.
_REACH = tuple(None if byte & 0x81 else 1 + (byte >> 1) for byte in range(256))

_TEXT = """\
j = i + reach[data[i]]
{v} = data[i + 1 : j].decode()
i = j
"""
#: A length of up to 8,191 has two bytes.
_BYTES = """\
c, d = data[i : i + 2]
if c & 1:
    raise ValueError
if c < 128:
    i += 1
    j = i + (c >> 1)
elif 0 < d < 128:
    i += 2
    j = i + (c & 126 | d << 7) // 2
else:
    c, i = varint_at(data, i)
    j = i + c
{v} = data[i:j]
i = j
"""
_ARRAY = """\
if data[i]:
    {v}, i = items(item_{v}, data, i)
else:
    {v} = ()
    i += 1
"""
_LONG = """\
c = data[i]
if c < 128:
    {v} = c >> 1 ^ -(c & 1)
    i += 1
elif c & 1 == 0 and data[i + 1] > 127 > data[i + 2] > 0:
    {v} = c >> 1 & 63 | (data[i + 1] & 127) << 6 | data[i + 2] << 13
    i += 3
else:
    {v}, i = varint_at(data, i)
"""
#: A time between 1970 and 2039 has six bytes.
_TIME = """\
c, d, e, f, g, h = data[i : i + 6]
if c & d & e & f & g > 127 > h > 0 == c & 1:
    {v} = c >> 1 & 63 | (d & 127) << 6 | (e & 127) << 13 | (f & 127) << 20 | (g & 127) << 27 | h << 34
    i += 6
else:
    {v}, i = varint_at(data, i)
"""
_ENUM = """\
{v} = symbols_{v}[data[i]]
i += 1
"""
_OPTION = """\
c = data[i]
i += 1
if c == 0:
    {v} = None
elif c == 2:
    {some}
else:
    raise ValueError
"""


def _varint_at(data: bytes, i: int) -> tuple[int, int]:
    """The integer at `i` and where it ends; only in its shortest form, and of less than 64 bits."""
    rest = 0
    for shift in range(0, 63, 7):
        byte = data[i]
        i += 1
        rest |= (byte & 127) << shift
        if byte == 0:
            break
        if byte < 128:
            return rest >> 1 ^ -(rest & 1), i
    raise ValueError


def bytes_at(data: bytes, i: int) -> tuple[bytes, int]:
    """The bytes at `i`, with their length before them, and where they end."""
    c, d = data[i : i + 2]
    if not c & 1 and c > 127 > d > 0:
        start = i + 2
        end = start + (c & 126 | d << 7) // 2
    else:
        length, start = _varint_at(data, i)
        if length < 0:
            raise ValueError
        end = start + length
    return data[start:end], end


def _items_at(item: Callable[[bytes, int], tuple[Any, int]], data: bytes, i: int) -> tuple[tuple[Any, ...], int]:
    """The array at `i`, of one block and not empty, and where it ends. `item` reads one of it."""
    count, i = (data[i] >> 1, i + 1) if data[i] & 129 == 0 else _varint_at(data, i)
    found = []
    for _ in range(count):
        value, i = item(data, i)
        found.append(value)
    if count < 0 or data[i]:
        raise ValueError
    return tuple(found), i + 1


#: In a record that is all of its bytes, where speed is what counts, and in one that stands among others.
_WHOLE = {"string": _TEXT, "int": _LONG, "long": _LONG, "time": _TIME}
_PART = _WHOLE | {"string": _BYTES.replace("data[i:j]", "data[i:j].decode()"), "bytes": _BYTES, "array": _ARRAY}


def _code(name: str, kind: Kind, codes: Mapping[str, str], *, nullable: bool) -> str:
    code = _ENUM if isinstance(kind, tuple) else codes[kind]
    if nullable:
        code = _OPTION.replace("{some}", _indented(code))
    return code.format(v=name)


def _indented(code: str) -> str:
    return code.rstrip().replace("\n", "\n    ")


def reader(record: Mapping[str, Any], start: int, build: str, classes: Mapping[str, Any]) -> Callable[[bytes], Any]:
    """A function that reads the record from `start` to the end of its bytes, and makes a message of it.

    `record`: the parsed schema. `build`: an expression such as `SetPlan(command_id, plan)` with the record's fields and
    the names in `classes`.
    """
    last = f"if i != len(data):\n    raise ValueError\nreturn {build}"
    made: Callable[[bytes], Any] = _made(record, "data", (f"i = {start}\n", last), _WHOLE, classes)
    return made


def part_reader(
    record: Mapping[str, Any],
    build: str,
    classes: Mapping[str, Any],
    arrays: Mapping[str, Callable[[bytes, int], tuple[Any, int]]],
) -> Callable[[bytes, int], tuple[Any, int]]:
    """A function that reads a record which begins at an index, and says where it ends.

    `arrays`: what reads an item of each field that is an array. The others are as in `reader`.
    """
    known = {f"item_{name}": item for name, item in arrays.items()} | dict(classes)
    made: Callable[[bytes, int], tuple[Any, int]] = _made(record, "data, i", ("", f"return {build}, i"), _PART, known)
    return made


def _made(
    record: Mapping[str, Any],
    parameters: str,
    around: tuple[str, str],
    codes: Mapping[str, str],
    names: Mapping[str, Any],
) -> Any:
    known: dict[str, Any] = {"reach": _REACH, "varint_at": _varint_at, "items": _items_at, **names}
    parts = [around[0]]
    for field in record["fields"]:
        kind, nullable = kind_of(field["type"])
        if isinstance(kind, tuple):
            known[f"symbols_{field['name']}"] = {index << 1: symbol for index, symbol in enumerate(kind)}
        parts.append(_code(field["name"], kind, codes, nullable=nullable))
    body = _indented("".join([*parts, around[1]]))
    exec(f"def read({parameters}):\n    {body}", known)  # noqa: S102 - as dataclasses are made: from our own schemas
    return known["read"]
