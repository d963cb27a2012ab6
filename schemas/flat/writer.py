"""From a message to its bytes."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from schemas.flat.kinds import kind_of

T = TypeVar("T")

_EARLIEST, _LATEST = 1 << 34, (1 << 41) - 1  # 1970 to 2039 in milliseconds: six bytes

#: What is written for a value that is named, by kind.
_PARTS = {
    "string": "sized({0}.encode())",
    "bytes": "sized({0})",
    "int": "whole({0})",
    "long": "(small[{0}] if 0 <= {0} < 1024 else varint({0}))",
    "time": "time({0})",
}


def varint(value: int) -> bytes:
    """An integer of 64 bits as Avro writes it: zigzag, then seven bits a byte, the lowest first.

    Raises:
        OverflowError: it has more than 64 bits.
    """
    if not -(1 << 63) <= value < 1 << 63:
        raise OverflowError(value)
    rest = value << 1 ^ value >> 63
    out = bytearray()
    while rest > 127:
        out.append(rest & 127 | 128)
        rest >>= 7
    out.append(rest)
    return bytes(out)


_SMALL = tuple(map(varint, range(1024)))


def _long(value: int) -> bytes:
    return _SMALL[value] if 0 <= value < 1024 else varint(value)


def _whole(value: int) -> bytes:
    if not -(1 << 31) <= value < 1 << 31:
        raise OverflowError(value)
    return _long(value)


def _time(value: int) -> bytes:
    if not _EARLIEST <= value <= _LATEST:
        return varint(value)
    return bytes(  # the same without a loop
        (
            value << 1 & 127 | 128,
            value >> 6 & 127 | 128,
            value >> 13 & 127 | 128,
            value >> 20 & 127 | 128,
            value >> 27 & 127 | 128,
            value >> 34,
        )
    )


def sized(value: bytes) -> bytes:
    """Bytes with their length before them."""
    length = len(value)
    return (_SMALL[length] if length < 1024 else varint(length)) + value


def array(write: Callable[[T], bytes], items: Sequence[T]) -> bytes:
    """An array, in one block, of what `write` writes."""
    return b"".join((_long(len(items)), *map(write, items), b"\0")) if items else b"\0"


def writer(
    record: Mapping[str, Any], head: bytes, path: Callable[[str], str], arrays: Mapping[str, Callable[[Any], bytes]]
) -> Callable[[Any], bytes]:
    """A function that writes `head` and the record of a message.

    `record`: the parsed schema. `path`: where in the message, such as `m.event.plan`, a field is. `arrays`: what writes
    the fields that are arrays.
    """
    known: dict[str, Any] = {
        "head": head,
        "small": _SMALL,
        "sized": sized,
        "whole": _whole,
        "varint": varint,
        "time": _time,
    }
    lines, parts = [], ["head"]
    for name, (kind, nullable) in ((field["name"], kind_of(field["type"])) for field in record["fields"]):
        if kind == "string" and not nullable:
            lines.append(f"v_{name} = {path(name)}.encode()")
            parts += [f"small[len(v_{name})]", f"v_{name}"]
        elif kind == "array":
            known[f"array_{name}"] = arrays[name]
            parts.append(f"array_{name}({path(name)})")
        elif isinstance(kind, tuple):
            known[f"symbols_{name}"] = {symbol: varint(index) for index, symbol in enumerate(kind)}
            parts.append(f"symbols_{name}[{path(name)}]")
        else:
            lines.append(f"v_{name} = {path(name)}")
            some = _PARTS[kind].format(f"v_{name}")
            parts.append(f"b'\\0' if v_{name} is None else b'\\2' + {some}" if nullable else some)
    body = "\n    ".join([*lines, f"return b''.join(({', '.join(parts)},))"])
    exec(f"def write(m):\n    {body}", known)  # noqa: S102 - as dataclasses are made: from our own schemas alone
    made: Callable[[Any], bytes] = known["write"]
    return made
