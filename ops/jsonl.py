"""JSON lines of commands: read, checked and encoded, with errors that name the line."""

import json
import time
from collections.abc import Iterable, Iterator
from typing import Any, get_args
from uuid import uuid4

from msgspec.structs import fields

from commands.policies import COMMANDS_AHEAD
from ops.simulate.wire import Message
from ops.times import instant
from schemas.codec import encode_command
from schemas.commands import COMMANDS, AnyCommand, DownloadQuality
from schemas.validation import InvalidCommand, validate, validate_timestamp

_OF_THE_LINE = {"type", "at"}
_QUALITIES = get_args(DownloadQuality)


class LineError(Exception):
    """A line is not a command. `str()` says which line and why."""

    def __init__(self, number: int, why: str) -> None:
        super().__init__(f"line {number}: {why}")


def messages(lines: Iterable[bytes]) -> Iterator[Message | LineError]:
    """A message, or what is wrong, for each line that is not blank."""
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            yield parse(line)
        except ValueError as error:
            yield LineError(number, str(error))


def parse(line: bytes) -> Message:
    """One command, such as `{"type": "ReleaseLicense", "account_id": "a", "device_id": "d", "title_id": "t"}`.

    Raises:
        ValueError: not JSON, not a command, or one that the handler would refuse to read. The text says why.
    """
    try:
        row = json.loads(line)
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8 at byte {error.start + 1}") from error
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON at column {error.colno}: {error.msg}") from error
    except RecursionError as error:
        raise ValueError("not a command: nested too deeply") from error
    if not isinstance(row, dict):
        raise ValueError("not a JSON object, such as {...}")
    at = _time(row.get("at"))
    command = _command(row)
    try:
        validate(command)
        if at is not None:
            validate_timestamp(at)
        value = encode_command(command)
    except InvalidCommand as error:
        raise ValueError(str(error)) from error
    except UnicodeEncodeError as error:
        raise ValueError(f"half a surrogate pair is no text: {error.object[:40]!r}") from error
    return Message(command.account_id.encode(), value, at, command.command_id)


def _command(row: dict[str, Any]) -> AnyCommand:
    name = row.get("type")
    cls = COMMANDS.get(name) if isinstance(name, str) else None
    if cls is None:
        raise ValueError(f"type is {_shown(name)}, not one of {', '.join(COMMANDS)}")
    values: dict[str, Any] = {"command_id": str(uuid4()), "correlation_id": None}
    values |= {key: value for key, value in row.items() if key not in _OF_THE_LINE}
    names = [field.name for field in fields(cls)]
    if missing := [field.name for field in fields(cls) if field.required and field.name not in values]:
        raise ValueError(f"{cls.__name__} needs {', '.join(missing)}")
    if unknown := [name for name in values if name not in names]:
        raise ValueError(f"{cls.__name__} has no {', '.join(unknown)}; it has {', '.join(names)}, at")
    for key, value in values.items():
        if not isinstance(value, str) and not (key == "correlation_id" and value is None):
            raise ValueError(f"{key} is {_shown(value)}, not a text in quotes")
    if values.get("download_quality", _QUALITIES[0]) not in _QUALITIES:
        raise ValueError(
            f"download_quality is {_shown(values['download_quality'])}, not one of {', '.join(_QUALITIES)}"
        )
    return cls(**values)


def _time(at: object) -> int | None:
    if at is None:
        return None
    if isinstance(at, int) and not isinstance(at, bool):
        moment = at
    elif isinstance(at, str):
        try:
            moment = instant(at)
        except ValueError as error:
            raise ValueError(f"at is {_shown(at)}, {error}") from error
    else:
        raise ValueError(f"at is {_shown(at)}, not a time such as 2026-05-01T20:15:00Z or milliseconds since 1970")
    if moment > time.time() * 1000 + COMMANDS_AHEAD:
        raise ValueError(f"at is {_shown(at)}, ahead of the clock; Kafka refuses times of the future")
    return moment


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else text[:40] + " ..."
