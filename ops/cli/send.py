"""`licensing send`: commands from JSON lines."""
# ruff: noqa: PLC0415 - a command imports what it needs, so that --help is quick

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from ops.cli.failures import Failure
from ops.cli.output import note
from ops.settings import Settings

if TYPE_CHECKING:
    from ops.jsonl import LineError
    from ops.simulate import Message

_REPORTED = 20  # bad lines that are shown
_LONG = 20_000  # lines that take a second or two


def send(
    file: Annotated[Path, typer.Argument(help="JSON lines; - for stdin.", allow_dash=True)],
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the replies and print the outcomes.")] = False,
    json: Annotated[bool, typer.Option("--json", help="With --wait: print each outcome as a line of JSON.")] = False,
    keep_going: Annotated[bool, typer.Option("--keep-going", help="Leave bad lines out and send the rest.")] = False,
    patience: Annotated[float, typer.Option(min=1, help="With --wait: give up after so many silent seconds.")] = 30,
) -> None:
    """Send commands, one JSON object a line.

    Each line is like {"type": "AcquireLicense", "account_id": "a", "device_id": "d", "title_id": "casablanca-1942"};
    command_id (a uuid), correlation_id and at (ISO 8601, or milliseconds since 1970) may be given.

    A file is checked as a whole first: when a line is bad, nothing is sent. Stdin is sent as it comes, up to the first
    bad line. With --keep-going bad lines are reported and left out. Bad lines always give exit code 1.
    """
    from ops.cli.outcomes import Outcomes
    from ops.replies import following
    from ops.send import Sender, pump

    if json and not wait:
        raise typer.BadParameter("it prints outcomes, so it needs --wait", param_hint="--json")
    with ExitStack() as stack:
        lines: BinaryIO = sys.stdin.buffer if str(file) == "-" else stack.enter_context(file.open("rb"))
        whole = str(file) != "-" and file.is_file()  # a pipe cannot be read twice
        if whole and not keep_going:
            _check(lines)
        settings = Settings.read()
        sender = Sender(settings.kafka, settings.topics.commands)
        bad: list[LineError] = []
        good = _good(lines, bad, keep_going)
        tell = _bar(stack, lines) if whole else _silent
        at_once = 500 if whole else 1
        if not wait:
            sent = pump(sender, good, None, tell=tell, at_once=at_once)
        else:
            replies = stack.enter_context(following(settings.kafka, settings.topics.replies))
            outcomes = Outcomes(json)
            replies.on_reply = outcomes.take
            stack.callback(outcomes.show)  # what has come is shown, even when more does not come
            sent = pump(sender, good, replies, tell=tell, at_once=at_once)
            replies.wait(patience)
    note(f"Sent {sent:,} command{'' if sent == 1 else 's'}.")
    if bad and not keep_going:
        raise Failure(f"{bad[0]}. Nothing from there on was sent.")
    if bad:
        raise Failure(f"{len(bad):,} bad line{'' if len(bad) == 1 else 's'} left out.")


def _silent(sent: int) -> None:
    """Say nothing of progress: there is no end to compare with, or it comes at once."""


def _bar(stack: ExitStack, lines: BinaryIO) -> Callable[[int], None]:
    """What shows progress: a bar where the file takes more than a moment."""
    from ops.cli.bars import Bars

    total = sum(1 for _ in lines)
    lines.seek(0)
    if total < _LONG:
        return _silent
    bars = stack.enter_context(Bars(sent=total))
    return lambda sent: bars.set("sent", sent)


def _check(lines: BinaryIO) -> None:
    """Refuse a file with a bad line, before anything is sent."""
    from ops.jsonl import LineError, messages

    bad = [one for one in messages(lines) if isinstance(one, LineError)]
    lines.seek(0)
    if bad:
        shown = [str(error) for error in bad[:_REPORTED]]
        more = [f"... and {len(bad) - _REPORTED:,} more"] if len(bad) > _REPORTED else []
        raise Failure("\n".join([*shown, *more, "Nothing was sent: mend these lines, or use --keep-going."]))


def _good(lines: Iterable[bytes], bad: list["LineError"], keep_going: bool) -> Iterator["Message"]:
    """The messages of the good lines; the bad ones go to `bad`, and end it unless `keep_going`."""
    from ops.jsonl import LineError, messages

    for one in messages(lines):
        if not isinstance(one, LineError):
            yield one
            continue
        bad.append(one)
        if not keep_going:
            return
        if len(bad) <= _REPORTED:
            note(str(one))
