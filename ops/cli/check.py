"""`licensing check`: whether the stores say the same."""
# ruff: noqa: PLC0415 - a command imports what it needs, so that --help is quick

import random
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ops.cli.look import Json, named
from ops.cli.output import note
from ops.settings import Settings

if TYPE_CHECKING:
    from ops.cli.bars import Bars
    from ops.truth.check import Checked, Sources
    from ops.truth.fix import Fixed

_SEEDS = 1 << 32


def check(
    sample: Annotated[int | None, typer.Option(min=1, metavar="N", help="N accounts; else all of them.")] = None,
    seed: Annotated[int | None, typer.Option(metavar="S", help="Which accounts: as printed by a check.")] = None,
    view: Annotated[list[str] | None, typer.Option(metavar="VIEW", help="Of the views only this; repeatable.")] = None,
    fix: Annotated[bool, typer.Option("--fix", help="Publish missing events again, make documents anew.")] = False,
    textfile: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write metrics for node exporter's textfile collector.")
    ] = None,
    json: Json = False,
) -> None:
    """Compare Cassandra, Kafka and Redis, while everything may go on.

    The versions of each account have no gaps and snapshots are what the events come to; every event is on the events
    topic with its bytes, headers and time and in order, and nothing else is; the live generation of each view is the
    fold of the events that it has seen. What is still on its way is said, and is no finding. Exit code 1: something
    was found.

    Without --fix nothing is written. With it, what was found is mended where that can be; the event store is never
    written to. Events are published again from the first that is missing: so they are in order for who reads on.
    """
    from ops.cli.bars import Bars
    from ops.cli.check_report import as_lines, as_tables
    from ops.truth import stores
    from ops.truth.textfile import write
    from projections.views import VIEWS

    if seed is not None and sample is None:
        raise typer.BadParameter("a seed chooses the accounts of a --sample", param_hint="--seed")
    names = [named(one).NAME for one in dict.fromkeys(view or VIEWS)]
    settings, started = Settings.read(), time.monotonic()
    with stores.sources(settings, names) as sources, Bars(events_topic=0, accounts=0) as bars:
        found = _checked(settings, sources, names, sample, seed, bars)
        seconds = time.monotonic() - started
        fixed = _fixed(settings, sources, found, bars) if fix and found.findings else []
    if textfile is not None:
        write(textfile, found, seconds)
    (as_lines if json else as_tables)(found, fixed, seconds)
    if found.findings:
        raise typer.Exit(1)


def _checked(
    settings: Settings, sources: "Sources", names: list[str], sample: int | None, seed: int | None, bars: "Bars"
) -> "Checked":
    from ops import history
    from ops.truth import stores
    from ops.truth.check import Progress, check

    only = None
    if sample is not None:
        seed = random.SystemRandom().randrange(_SEEDS) if seed is None else seed
        only = history.some_accounts(settings, sample, seed)
        note(f"A sample of {len(only):,} accounts: --seed {seed}")
    progress = Progress(
        lambda done, total: bars.set("events_topic", done, total), lambda done, total: bars.set("accounts", done, total)
    )
    found = check(sources, only, progress)
    found.notes += [why for name in names if name not in sources.live and (why := stores.unlike(settings, name))]
    _leave_out_flipped(settings, sources, found)
    return found


def _leave_out_flipped(settings: Settings, sources: "Sources", found: "Checked") -> None:
    """A generation that is not live any more may have been removed meanwhile."""
    from ops.truth import stores

    for name, (_, whole) in sources.live.items():
        if stores.live_of(settings, name) != stores.name_of(whole):
            found.findings = [one for one in found.findings if one.view != name]
            found.views = [one for one in found.views if one != name]
            found.notes.append(f"Another generation of {name} went live meanwhile: it was not looked at.")


def _fixed(settings: Settings, sources: "Sources", found: "Checked", bars: "Bars") -> "list[Fixed]":
    from ops.truth import fix, stores

    bars.add("repair", 0)
    with stores.publish(settings) as publish:
        return list(
            fix.fix(
                sources,
                found.findings,
                settings.topics.events,
                publish,
                lambda done, total: bars.set("repair", done, total),
            )
        )
