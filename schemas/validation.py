"""What a well-formed command looks like beyond its Avro types. Invalid input is a dead letter, not a rejection."""

import re
from operator import attrgetter

from schemas.aggregates import MODULES
from schemas.commands import COMMANDS, AnyCommand

#: Ids go into Redis keys, URLs, logs and terminals as they are: nothing that is special in any of them.
ID = re.compile(r"[A-Za-z0-9._:@~+=-]{1,128}")
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
#: Fields that end as ids do and are none.
_NOT_IDS = {"command_id", "correlation_id"}
_IDS_OF = {
    cls: tuple(
        name for name in cls.__struct_fields__ if name == "plan" or (name.endswith("_id") and name not in _NOT_IDS)
    )
    for cls in COMMANDS.values()
}
#: What ids of accounts must not begin with: with these begin those of other aggregates.
_OTHERS = "".join(f"(?!{name}:)" for name in MODULES)
_ACCOUNT_ID = dict.fromkeys(COMMANDS.values(), _OTHERS) | {
    cls: f"(?={name}:[^ ])" for name, module in MODULES.items() for cls in module.COMMANDS
}
#: For each command its ids, and what they look like with spaces between them: all in order, in one look.
_IN_ORDER = {
    cls: (
        attrgetter("command_id", *names),
        re.compile(f"{_UUID.pattern} {_ACCOUNT_ID[cls]}{ID.pattern}(?: {ID.pattern}){{{len(names) - 1}}}"),
    )
    for cls, names in _IDS_OF.items()
}
CORRELATION_MAX = 256
EARLIEST = 946_684_800_000  # 2000-01-01; anything before is a broken clock
LATEST = 4_102_444_800_000  # 2100-01-01


#: Bytes of one encoded command; the longest that the other limits allow is well below.
COMMAND_MAX = 4096


class InvalidCommand(Exception):
    """The command can be read, but not be meant. The text names the field."""


def validate(command: AnyCommand) -> None:
    """Check the fields of a command.

    Raises:
        InvalidCommand: a field is empty, too long or holds characters that an id must not have.
    """
    ids, form = _IN_ORDER[type(command)]
    if form.fullmatch(" ".join(ids(command))) is None:
        _name_the_wrong(command)
    if command.correlation_id is not None and len(command.correlation_id) > CORRELATION_MAX:
        raise InvalidCommand(f"correlation_id is longer than {CORRELATION_MAX} characters")


def _name_the_wrong(command: AnyCommand) -> None:
    if _UUID.fullmatch(command.command_id) is None:
        raise InvalidCommand(f"command_id is not a lower-case uuid: {_shown(command.command_id)}")
    for name in _IDS_OF[type(command)]:
        value = getattr(command, name)
        if ID.fullmatch(value) is None:
            raise InvalidCommand(f"{name} is not 1 to 128 of A-Z a-z 0-9 . _ : @ ~ + = -: {_shown(value)}")
    raise InvalidCommand(
        f"account_id is that of another aggregate than {type(command).__name__}: {_shown(command.account_id)}"
    )


def validate_timestamp(at: int) -> None:
    """Check a command's Kafka timestamp, milliseconds since the epoch.

    Raises:
        InvalidCommand: the message has no timestamp, or one that no clock of ours shows.
    """
    if not EARLIEST <= at < LATEST:
        raise InvalidCommand(f"the timestamp {at} is not between the years 2000 and 2100")


def _shown(value: str) -> str:
    return repr(value[:40]) + (" ..." if len(value) > 40 else "")
