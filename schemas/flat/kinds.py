"""The kinds of field that a flat record is made of."""

from typing import Any, TypeAlias

#: `string`, `bytes`, `int`, `long`, `time`, `array`, or the symbols of an enum.
Kind: TypeAlias = str | tuple[str, ...]


def kind_of(declared: Any) -> tuple[Kind, bool]:
    """The kind of a field as its schema declares it, and whether it may be null."""
    if isinstance(declared, list):
        null, other = declared
        if null != "null":
            raise ValueError(f"a flat record has no such field: {declared}")
        return kind_of(other)[0], True
    if not isinstance(declared, dict):
        return declared, False
    if declared["type"] == "enum":
        return tuple(declared["symbols"]), False
    return "time" if declared.get("logicalType") == "timestamp-millis" else declared["type"], False
