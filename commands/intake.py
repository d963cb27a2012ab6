"""From a Kafka message to a command, or to the reason why it is none. Pure."""

from msgspec import Struct

from schemas.codec import DecodeError, decode_command
from schemas.commands import AnyCommand
from schemas.topics import partition_of
from schemas.validation import COMMAND_MAX, InvalidCommand, validate, validate_timestamp


class Message(Struct, frozen=True, gc=False):
    """One record of the commands topic; `timestamp` in milliseconds since the epoch, -1 if it has none."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...] = ()

    @property
    def size(self) -> int:
        """Bytes of key, value and headers."""
        size = len(self.key or b"") + len(self.value or b"")
        return size + sum(len(name) + len(value or b"") for name, value in self.headers) if self.headers else size


class Poison(Struct, frozen=True, gc=False):
    """Why a message is no command: the stage that found out, the exception's class and its text."""

    stage: str
    exception: str
    message: str


class Received(Struct, frozen=True, gc=False):
    """A message and what it says. Tens of thousands wait in a backlog: not a tuple, which the collector would visit."""

    message: Message
    command: AnyCommand | Poison

    @property
    def weight(self) -> int:
        """What it takes to keep it, in commands: junk may be hundreds of times as large as one, or all headers."""
        return 1 + self.message.size // COMMAND_MAX + len(self.message.headers) // 16


def read_command(message: Message, shard: int, shards: int) -> AnyCommand | Poison:
    """The command in a message of partition `shard` of `shards`, well-formed and where it belongs.

    An account on another account's partition would have two owners, so where a message came in is part of its form.
    """
    try:
        if message.value is not None and len(message.value) > COMMAND_MAX:
            raise DecodeError(f"{len(message.value)} bytes; a command has at most {COMMAND_MAX}")
        command = decode_command(message.value or b"")
    except DecodeError as error:
        return Poison("decode", type(error).__name__, str(error))
    try:
        validate(command)
        validate_timestamp(message.timestamp)
        if message.key != command.account_id.encode():
            raise InvalidCommand(f"the key {message.key!r} is not the account {command.account_id}"[:300])
        home = partition_of(command.account_id, shards)
        if home != shard:
            raise InvalidCommand(
                f"account {command.account_id} belongs on partition {home}, not {shard}: murmur2 of its id"
            )
    except InvalidCommand as error:
        return Poison("validate", type(error).__name__, str(error))
    return command
