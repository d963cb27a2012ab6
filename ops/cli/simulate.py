"""`licensing simulate`: a believable load."""
# ruff: noqa: PLC0415 - a command imports what it needs, so that --help is quick

import re
import secrets
import time
from contextlib import ExitStack
from typing import Annotated

import typer

from ops.cli.output import note
from ops.settings import Settings

_DAY = 86_400_000
_UNITS = {"m": 60_000, "h": 3_600_000, "d": _DAY}


def simulate(
    accounts: Annotated[int, typer.Option(min=1, help="Members.")] = 1500,
    commands: Annotated[int, typer.Option(min=1, help="Commands to send, broken ones among them.")] = 20_000,
    seed: Annotated[int | None, typer.Option(min=0, help="The same seed gives the same load; else a new one.")] = None,
    rate: Annotated[float, typer.Option(min=0, help="Commands a second; 0: flat out.")] = 0,
    over: Annotated[str | None, typer.Option(help="Spread over this past period, such as 90d.")] = None,
    bad: Annotated[float, typer.Option(min=0, max=1, help="Share of broken messages.")] = 0.0005,
    wait: Annotated[bool, typer.Option("--wait", help="Follow the replies until all is answered.")] = False,
    patience: Annotated[float, typer.Option(min=1, help="With --wait: give up after so many silent seconds.")] = 30,
    json: Annotated[bool, typer.Option("--json", help="Print the sums as JSON.")] = False,
) -> None:
    """Send a load of members with their plans, devices, evenings and mistakes.

    Members download and watch films of ops/catalog.yaml in the evenings of their time zones, renew in a hurry, repeat
    a command that takes too long, try a device more than their plan allows, and now and then something nobody holds.
    """
    from ops.cli.bars import Bars
    from ops.cli.outcomes import show_load
    from ops.replies import following
    from ops.send import Sender, pump
    from ops.simulate import Load, encode, films, generate

    period = _DAY if over is None else _period(over)
    seed = secrets.randbelow(1_000_000) if seed is None else seed
    now = int(time.time() * 1000)
    settings = Settings.read()
    sender = Sender(settings.kafka, settings.topics.commands)
    timed = generate(Load(accounts, commands, seed, now - period, now), tuple(film.id for film in films()))
    messages = encode(timed if over else ((None, command) for _, command in timed), bad, seed)
    note(f"Seed {seed}: {commands:,} commands of up to {accounts:,} members m{seed}-00000 ...")
    began = time.monotonic()
    with ExitStack() as stack:
        bars = stack.enter_context(Bars(sent=commands))
        replies = stack.enter_context(following(settings.kafka, settings.topics.replies)) if wait else None

        def tell(sent: int) -> None:
            bars.set("sent", sent)
            if replies is not None:
                bars.set("answered", replies.answered, replies.answered + replies.outstanding)

        if replies is not None:
            bars.add("answered", commands)
        sent = pump(sender, messages, replies, rate, tell)
        sending = time.monotonic() - began
        if replies is not None:
            replies.wait(patience, lambda: tell(sent))
    show_load(sent, sending, time.monotonic() - began, replies, json)


def _period(text: str) -> int:
    """A period such as 90d, 12h or 30m, in ms."""
    match = re.fullmatch(r"(\d{1,5})([mhd])", text)
    if match is None or int(match[1]) == 0:
        raise typer.BadParameter(f"{text!r} is not a period such as 90d, 12h or 30m", param_hint="--over")
    period = int(match[1]) * _UNITS[match[2]]
    if period > 20 * 365 * _DAY:
        raise typer.BadParameter("more than 20 years are too long ago", param_hint="--over")
    return period
