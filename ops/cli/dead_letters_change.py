"""`licensing dead-letters replay` and `purge`: send them again, or drop them. Dry runs until --yes."""
# ruff: noqa: PLC0415 - a command imports what it needs, so that --help is quick

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ops.cli.dead_letters import Exception_, Json, Since, Stage, Topic, every, place_of, time_of, wanted
from ops.cli.output import as_json, note, table
from ops.settings import Settings

if TYPE_CHECKING:
    from ops.dead_letters.letter import Letter
    from ops.dead_letters.purge import Doomed
    from ops.dead_letters.replay import Fate, Replay

_SHOWN = 20  # letters of a table

Ids = Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Dead letters, as partition:offset.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do it. Without this only say what would be done.")]


def replay(
    ids: Ids = None,
    all_: Annotated[bool, typer.Option("--all", help="All of them, or all that the filters let through.")] = False,
    stage: Stage = None,
    exception: Exception_ = None,
    topic: Topic = None,
    since: Since = None,
    again: Annotated[bool, typer.Option("--again", help="Also those that were replayed before.")] = False,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Send dead letters to the commands topic again, after what kept them out was set right. A dry run until --yes.

    A message goes with its bytes, key and headers, one more that says so, and its own time, at which it is decided.
    --all leaves out what this release cannot read: that would come back. By ID it is sent nevertheless. What came from
    the events topic is refused: `show` says what to do about it. Exit code 1: something that was named is refused.
    """
    filters = wanted(stage, exception, topic, since)
    if bool(ids) == all_ or (ids and filters != wanted(None, None, None, None)):
        raise typer.BadParameter("name dead letters by ID, or give --all, with filters or without", param_hint="ID")
    from ops.dead_letters import marks, reading
    from ops.dead_letters.replay import Replay

    settings, places = Settings.read(), [place_of(one) for one in ids or ()]
    work = Replay(settings, reading.judge(settings), marks.read(settings), again, named=bool(places))
    if places:
        found: Iterator[Letter] = reading.named(settings, places)
    else:
        found = (letter for letter in every(settings) if letter in filters)
    fates = work.send(found) if yes else map(work.fate, found)
    counts = _tell(fates, work, yes, json)
    if not yes and counts["goes"]:
        note("Nothing was sent: this was a dry run. --yes sends them.")
    if places and counts["refused"]:
        raise typer.Exit(1)


def _tell(fates: "Iterable[Fate]", work: "Replay", sent: bool, json: bool) -> Counter[str]:
    """Print what becomes of them; a table has the first."""
    words = {"goes": "sent" if sent else "would be sent"}
    counts, rows = Counter[str](), list[tuple[object, ...]]()
    for letter, what, why in fates:
        counts[what] += 1
        word = words.get(what, what)
        to = f"{work.message(letter).topic} {work.message(letter).partition}" if what == "goes" else None
        if json:
            as_json({"id": str(letter.place), "what": word, "to": to, "why": why})
        elif len(rows) < _SHOWN:
            rows.append((str(letter.place), word, to, why))
    if json:
        return counts
    if not counts:
        typer.echo("There are none.")
        return counts
    total = counts.total()
    more = f", the first {_SHOWN} of {total:,}; --json has all" if total > _SHOWN else ""
    table(f"Dead letters{more}", ("id", "what", "to", "why"), rows, folded=3)
    if total > _SHOWN:
        table("In all", ("what", "dead letters"), [(words.get(w, w), n) for w, n in counts.items()], numbers=(1,))
    return counts


def purge(
    up_to: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]...", help="Up to and with these, each on its partition.")
    ] = None,
    before: Annotated[
        str | None, typer.Option(metavar="TIME", help="Of each partition those before the first that is not before it.")
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="All that are there now.")] = False,
    yes: Yes = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Drop dead letters for good. A dry run until --yes, which says how many were never replayed.

    Kafka deletes from the front of a partition, so one in the middle cannot go alone: all before it on its partition go
    with it.
    """
    if bool(up_to) + (before is not None) + all_ != 1:
        raise typer.BadParameter("say which: ID..., --before TIME or --all", param_hint="ID")
    from ops.cli.bars import Bars
    from ops.dead_letters import purge as work
    from ops.dead_letters import reading

    settings, places, at = Settings.read(), [place_of(one) for one in up_to or ()], time_of(before, "--before")
    there = {partition: span for partition, span in reading.spans(settings).items() if span}
    with Bars(looked_at=0) as bars:

        def tell(done: int, total: int) -> None:
            bars.set("looked_at", done, total)

        offsets = work.up_to(there, places) if places else there
        if at is not None:
            offsets = work.before(settings, there, at, tell)
        doomed = work.look(settings, offsets, tell)
    if yes and doomed.total:
        work.purge(settings, doomed)
    if json:
        as_json(_summary(doomed) | {"purged": yes})
    elif not doomed.total:
        typer.echo("There are none.")
    else:
        _show(doomed, "Purged" if yes else "Would be purged")
    if not yes and doomed.total:
        note("Nothing was dropped: this was a dry run. --yes drops them for good.")


def _summary(doomed: "Doomed") -> dict[str, Any]:
    offsets = {str(partition): [span.start, span.stop] for partition, span in doomed.offsets.items()}
    replayed, unread = len(doomed.replayed), doomed.unread
    return {"offsets": offsets, "replayed": replayed, "readable": doomed.ready, "others": unread}


def _show(doomed: "Doomed", title: str) -> None:
    rows: list[tuple[object, object]] = [
        (f"partition {partition}, {span.start} to {span.stop - 1}", len(span))
        for partition, span in sorted(doomed.offsets.items())
    ]
    rows += [
        ("of these replayed", len(doomed.replayed)),
        ("never replayed, and no commands that can be read", doomed.unread),
    ]
    rows += [("never replayed, and could be", doomed.ready)]
    table(title, ("dead letters", ""), rows, numbers=(1,))
