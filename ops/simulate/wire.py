"""From commands to Kafka messages, a few of them broken in the ways that the handler has to survive."""

from collections.abc import Callable, Iterable, Iterator
from random import Random
from typing import NamedTuple, TypeAlias

from msgspec.structs import replace

from schemas.codec import encode_command
from schemas.commands import Command

_FIRST_OF_1970 = 86_400_000


class Message(NamedTuple):
    """One message for the commands topic. `timestamp` None: the time of sending; `command_id` None: no reply comes."""

    key: bytes
    value: bytes | None
    timestamp: int | None
    command_id: str | None


def encode(commands: Iterable[tuple[int | None, Command]], bad: float, seed: int) -> Iterator[Message]:
    """Encode timed commands; a share `bad` of them arrives broken and ends as a dead letter."""
    rng = Random(seed)  # noqa: S311 - a load, no secret
    for at, command in commands:
        message = Message(command.account_id.encode(), encode_command(command), at, command.command_id)
        if bad and rng.random() < bad:
            breakage = _BREAKAGES[int(rng.random() * len(_BREAKAGES))]
            yield breakage(message, command)._replace(command_id=None)
        else:
            yield message


def _cut(message: Message, command: Command) -> Message:
    return message._replace(value=(message.value or b"")[:-7])


def _no_avro(message: Message, command: Command) -> Message:
    return message._replace(value=b'{"type": "' + type(command).__name__.encode() + b'"}')


def _nothing(message: Message, command: Command) -> Message:
    return message._replace(value=None)


def _unknown_schema(message: Message, command: Command) -> Message:
    return message._replace(value=b"\xc3\x01notyetus" + (message.value or b"")[10:])


def _other_key(message: Message, command: Command) -> Message:
    return message._replace(key=b"somebody-else")


def _oversized_account(message: Message, command: Command) -> Message:
    account = command.account_id * 40
    return message._replace(key=account.encode(), value=encode_command(replace(command, account_id=account)))


def _empty_id(message: Message, command: Command) -> Message:
    return message._replace(value=encode_command(replace(command, command_id="")))


def _broken_clock(message: Message, command: Command) -> Message:
    return message._replace(timestamp=_FIRST_OF_1970)


_Breakage: TypeAlias = Callable[[Message, Command], Message]
_BREAKAGES: tuple[_Breakage, ...] = (
    _cut,
    _no_avro,
    _nothing,
    _unknown_schema,
    _other_key,
    _oversized_account,
    _empty_id,
    _broken_clock,
)
