"""Replies: what became of a command, for the caller who waits."""

from typing import Literal, TypeAlias

from msgspec import Struct

Outcome: TypeAlias = Literal["accepted", "rejected", "duplicate"]


class Reply(Struct, frozen=True, gc=False):
    """The outcome of one command.

    `first_version`..`last_version` are the account's versions that the command wrote (None: it changed
    nothing). A view which has read the events topic up to the position given here has seen its effect.
    """

    command_id: str
    account_id: str
    correlation_id: str | None
    outcome: Outcome
    reason: str | None = None
    message: str | None = None
    first_version: int | None = None
    last_version: int | None = None
    events_topic: str | None = None
    events_partition: int | None = None
    events_offset: int | None = None
