"""`licensing rebuild`: a view anew, beside the one that readers see."""
# ruff: noqa: PLC0415 - a command imports what it needs, so that --help is quick

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from ops.cli.failures import Failure
from ops.cli.look import Json, named
from ops.cli.output import as_json, note
from ops.cli.state import time_of
from ops.settings import Settings

if TYPE_CHECKING:
    from ops.rebuild.plan import Asked
    from ops.rebuild.stop import Stop
    from projections.redis_model.generations import Generations
    from projections.views.view import View

_INTERRUPTED = 130


def rebuild(
    name: Annotated[str, typer.Argument(metavar="VIEW", help="device_downloads, licenses or title_downloads.")],
    source: Annotated[
        str | None,
        typer.Option("--from", metavar="SOURCE", help="topic, journal or events; else the first that has all."),
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="TIME", help="Only events up to then, in a generation beside the others.")
    ] = None,
    into: Annotated[str | None, typer.Option(metavar="NAME", help="With --until: what to call it.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan, and stop.")] = False,
    pause: Annotated[bool, typer.Option("--pause", help="Stop the one that runs; it can go on later.")] = False,
    cancel: Annotated[bool, typer.Option("--cancel", help="Stop it, and throw away what it has filled.")] = False,
    rollback: Annotated[bool, typer.Option("--rollback", help="Back to what readers used before.")] = False,
    listed: Annotated[bool, typer.Option("--list", help="Print the generations of the view.")] = False,
    drop: Annotated[str | None, typer.Option(metavar="GENERATION", help="Remove one that is not live.")] = None,
    json: Json = False,
) -> None:
    """Fill a view anew beside the one that readers see, check it, and make it live in one step.

    The plan comes first. Ctrl-C pauses: the same command goes on, also after a crash. Before it goes live, the new
    generation is compared with the live one, or with the fold of all stored events; where they differ, readers stay
    where they are. The sources: the events topic, the handler's journal, the table of all events.

    Exit code 1: it failed, or the new generation is not certified; 130: it was stopped.
    """
    view = named(name)
    verbs = [dry_run, pause, cancel, rollback, listed, drop is not None]
    if sum(verbs) > 1 or (any(verbs[1:]) and (source, until, into) != (None, None, None)):
        raise typer.BadParameter("these options do not go together", param_hint="rebuild")
    asked, settings = _asked(source, until, into), Settings.read()
    with _generations(settings, view) as generations:
        if listed:
            from ops.cli.rebuilt import show_list

            show_list(view.NAME, generations.all(), json)
        elif pause:
            _pause(settings, view)
        elif cancel:
            _cancel(settings, view, generations)
        elif drop is not None:
            _drop(settings, view, generations, drop)
        elif rollback:
            _in_order(view, lambda stop: _rollback(settings, view, generations, stop, json))
        else:
            _in_order(view, lambda stop: _rebuild(settings, view, generations, asked, dry_run, stop, json))


def _asked(source: str | None, until: str | None, into: str | None) -> "Asked":
    from ops.rebuild.plan import Asked
    from ops.rebuild.source import SOURCES

    if source is not None and source not in SOURCES:
        raise typer.BadParameter(f"{source} is none of {', '.join(SOURCES)}", param_hint="--from")
    if into is not None and until is None:
        raise typer.BadParameter("a name is for the generation of --until TIME", param_hint="--into")
    at = time_of(until, "--until")
    if at is not None and into is None:
        into = f"until-{datetime.fromtimestamp(at / 1000, UTC):%Y%m%dT%H%M%S}"
    if into is not None and (re.fullmatch(r"[A-Za-z0-9._-]{1,64}", into) is None or into[0].isdecimal()):
        raise typer.BadParameter("a name is 1 to 64 of A-Z a-z 0-9 . _ - and begins with no digit", param_hint="--into")
    return Asked(source, at, into)


@contextmanager
def _generations(settings: Settings, view: "View") -> "Iterator[Generations]":
    from projections.redis_model.generations import Generations

    generations = Generations(settings.redis, settings.namespace, view.NAME)
    try:
        yield generations
    finally:
        generations.close()


def _in_order(view: "View", work: "Callable[[Stop], None]") -> None:
    """Ctrl-C and its like end the work after the chunk under way."""
    from ops.rebuild.stop import Stop, Stopped, by_signal

    stop = Stop()
    try:
        with by_signal(stop):
            work(stop)
    except Stopped as stopped:
        again = f"`licensing rebuild {view.NAME}`"
        said = {
            "interrupted": f"Paused: {again} goes on from here, with --cancel it is thrown away.",
            "pause": f"Paused by another terminal: {again} goes on from here.",
            "cancel": "Cancelled by another terminal.",
            "lost": f"Stopped: another process rebuilds {view.NAME} by now.",
        }
        note(said[stopped.why])
        raise typer.Exit(_INTERRUPTED) from stopped


def _rebuild(
    settings: Settings,
    view: "View",
    generations: "Generations",
    asked: "Asked",
    dry_run: bool,
    stop: "Stop",
    json: bool,
) -> None:
    from ops.cli.bars import Bars
    from ops.cli.rebuilt import plan_document, result_document, show_plan, show_result
    from ops.rebuild.cutover import drop_retired, retired_days
    from ops.rebuild.owner import Owner
    from ops.rebuild.plan import make_plan
    from ops.rebuild.run import Rebuild
    from ops.rebuild.stop import Stopped
    from ops.rebuild.waiting import Waiting

    days = retired_days()

    def planned() -> None:
        if json:
            as_json(plan_document(plan))
        else:
            show_plan(plan)

    if dry_run:
        plan = make_plan(settings, view, asked, generations)
        planned()
        return
    with Owner(settings, view.NAME, stop) as owner:
        plan = make_plan(settings, view, asked, generations)
        planned()
        with Bars(events=plan.events) as bars:
            bars.begin("events", plan.done)
            waiting = Waiting(settings, owner, stop, note)
            result = Rebuild(settings, view, generations, plan, stop, waiting, bars.show).run()
        dropped: list[str] = []
        if result.end == "live":
            with suppress(Stopped):  # readers have the new one; the next rebuild drops what is left
                dropped = waiting.through(lambda: drop_retired(generations, days))
    if json:
        as_json(result_document(result, dropped))
    else:
        show_result(view.NAME, result, dropped, days)
    if result.end in ("refused", "moved"):
        raise typer.Exit(1)


def _rollback(settings: Settings, view: "View", generations: "Generations", stop: "Stop", json: bool) -> None:
    from dataclasses import asdict

    from ops.cli.bars import Bars
    from ops.cli.rebuilt import show_rollback
    from ops.rebuild.owner import Owner
    from ops.rebuild.rollback import roll_back
    from ops.rebuild.waiting import Waiting

    with Owner(settings, view.NAME, stop) as owner, Bars(events=0) as bars:
        waiting = Waiting(settings, owner, stop, note)
        found = roll_back(settings, view, generations, stop, waiting, bars.set)
    if json:
        as_json(asdict(found))
    else:
        show_rollback(view.NAME, view.VERSION, found)


def _pause(settings: Settings, view: "View") -> None:
    from ops.rebuild.owner import ask_the_owner

    if not ask_the_owner(settings, view.NAME, "pause"):
        raise Failure(f"Nobody is rebuilding {view.NAME}.")
    note(f"Paused. `licensing rebuild {view.NAME}` goes on.")


def _cancel(settings: Settings, view: "View", generations: "Generations") -> None:
    from ops.rebuild.owner import Owner, ask_the_owner
    from ops.rebuild.stop import Stop

    ask_the_owner(settings, view.NAME, "cancel")
    with Owner(settings, view.NAME, Stop()):
        name = generations.filling()
        if name is None:
            raise Failure(f"No rebuild of {view.NAME} is unfinished.")
        generations.drop(name)
    note(f"Cancelled: generation {name} of {view.NAME} is gone.")


def _drop(settings: Settings, view: "View", generations: "Generations", name: str) -> None:
    from ops.rebuild.owner import Owner
    from ops.rebuild.stop import Stop

    if re.fullmatch(r"[A-Za-z0-9._-]{1,64}", name) is None or generations.version(name) is None:
        raise Failure(f"There is no generation {name} of {view.NAME}; see --list.")
    with Owner(settings, view.NAME, Stop()):
        dropped = generations.drop(name)
    note(f"Dropped generation {name} of {view.NAME}: {dropped:,} keys.")
