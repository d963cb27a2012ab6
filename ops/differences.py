"""What differs between two documents, field by field. Pure."""

from collections.abc import Iterator
from typing import Any, NamedTuple


class Change(NamedTuple):
    """A difference between two documents; None: it is not there."""

    what: str
    was: Any
    becomes: Any


def differences(was: Any, becomes: Any, path: str = "") -> Iterator[Change]:
    """Each field with another value, by its path, in the order of the first document."""
    if isinstance(was, dict) and isinstance(becomes, dict):
        for key in was | becomes:
            yield from differences(was.get(key), becomes.get(key), f"{path}.{key}" if path else key)
    elif was != becomes:
        yield Change(path, was, becomes)


def by_name(value: Any) -> Any:
    """The document with its lists of documents as documents too: each by its ids, so that it is compared with itself.

    An id of a licence says nothing to a person: device and title name it, and a number where they have had several.
    """
    if isinstance(value, dict):
        return {name: by_name(one) for name, one in value.items()}
    if not isinstance(value, list):
        return value
    named: dict[str, Any] = {}
    for number, one in enumerate(value, 1):
        name = "/".join(str(given) for field, given in one.items() if field.endswith("_id") and field != "license_id")
        named[f"{name}#{number}" if name in named else name] = one
    return named
