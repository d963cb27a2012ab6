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
_LONG = """\
c = data[i]
if c < 128:
    {v} = c >> 1 ^ -(c & 1)
    i += 1
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


def _code(name: str, kind: Kind, *, nullable: bool) -> str:
    code = _ENUM if isinstance(kind, tuple) else {"string": _TEXT, "int": _LONG, "long": _LONG, "time": _TIME}[kind]
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
    known: dict[str, Any] = {"reach": _REACH, "varint_at": _varint_at, **classes}
    parts = [f"i = {start}\n"]
    for field in record["fields"]:
        kind, nullable = kind_of(field["type"])
        if isinstance(kind, tuple):
            known[f"symbols_{field['name']}"] = {index << 1: symbol for index, symbol in enumerate(kind)}
        parts.append(_code(field["name"], kind, nullable=nullable))
    parts.append(f"if i != len(data):\n    raise ValueError\nreturn {build}")
    body = _indented("".join(parts))
    exec(f"def read(data):\n    {body}", known)  # noqa: S102 - as dataclasses are made: from our own schemas alone
    made: Callable[[bytes], Any] = known["read"]
    return made
