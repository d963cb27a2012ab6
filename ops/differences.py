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
