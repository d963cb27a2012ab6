"""`licensing dead-letters list` and `show`: what could not be read or meant, and why."""
# ruff: noqa: PLC0415 - a command imports what it needs, so that --help is quick

import heapq
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ops.cli.output import as_json, moment, note, table
from ops.settings import Settings
from ops.times import in_digits, instant

if TYPE_CHECKING:
    from ops.dead_letters.letter import Letter, Place
    from ops.dead_letters.marks import Marks
    from ops.dead_letters.wanted import Wanted

_SHOWN = 20  # letters of a table, if nobody asks for more
_DUMPED = 512  # bytes of a value in a table

Id = Annotated[str, typer.Argument(metavar="ID", help="A dead letter's partition:offset, as `list` has it.")]
Stage = Annotated[str | None, typer.Option(metavar="STAGE", help="Only of this stage: decode or validate.")]
Exception_ = Annotated[str | None, typer.Option("--exception", metavar="CLASS", help="Only of this exception.")]
Topic = Annotated[str | None, typer.Option(metavar="TOPIC", help="Only from this topic.")]
Since = Annotated[str | None, typer.Option(metavar="TIME", help="Not before a time such as 2026-05-01T20:15:00Z.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON lines instead of tables.")]


def wanted(stage: str | None, exception: str | None, topic: str | None, since: str | None) -> "Wanted":
    """The filter that options describe."""
    from ops.dead_letters.wanted import Wanted

    return Wanted(stage, exception, topic, time_of(since, "--since"))


def time_of(text: str | None, option: str) -> int | None:
    """The time that an option names, ms."""
    try:
        if text is None:
            return None
        found = in_digits(text)
        return instant(text) if found is None else found
    except ValueError as error:
        raise typer.BadParameter(f"{text} is {error}", param_hint=option) from error


def place_of(text: str) -> "Place":
    """The place that an argument names."""
    from ops.dead_letters.letter import place

    found = place(text)
    if found is None:
        raise typer.BadParameter(f"{text} is not PARTITION:OFFSET, such as 2:17", param_hint="ID")
    return found


def every(settings: Settings) -> "Iterator[Letter]":
    """All letters, with a progress bar where that takes its time."""
    from ops.cli.bars import Bars
    from ops.dead_letters import reading

    with Bars(dead_letters=0) as bars:
        there = reading.spans(settings)
        yield from reading.letters(settings, there, lambda done, total: bars.set("dead_letters", done, total))


def list_(
    stage: Stage = None,
    exception: Exception_ = None,
    topic: Topic = None,
    since: Since = None,
    limit: Annotated[int | None, typer.Option(min=1, metavar="N", help="The newest N; a table has 20 else.")] = None,
    json: Json = False,
) -> None:
    """Print the dead letters, newest last, and how many there are of each kind.

    Their time is that of the message. All of the topic is read for it.
    """
    from ops.dead_letters import marks

    settings, filtered = Settings.read(), wanted(stage, exception, topic, since)
    known = marks.read(settings)
    found = (letter for letter in every(settings) if letter in filtered)
    if json and limit is None:
        for letter in found:
            as_json(_line(letter, known))
        return
    kinds, replayed = Counter[tuple[str, str, str]](), Counter[tuple[str, str, str]]()
    newest = heapq.nlargest(limit or _SHOWN, _counted(found, known, kinds, replayed), key=_age)
    if json:
        for letter in reversed(newest):
            as_json(_line(letter, known))
        return
    total = kinds.total()
    if not total:
        typer.echo("There are no dead letters." if filtered == wanted(None, None, None, None) else "There are none.")
        return
    more = f", the newest {len(newest)} of {total:,}; --limit N has more, --json all" if len(newest) < total else ""
    columns = ("id", "time (UTC)", "from", "stage", "exception", "message", "replayed (UTC)")
    table(f"Dead letters{more}", columns, [_row(letter, known) for letter in reversed(newest)], folded=5)
    rows = [(*kind, count, replayed[kind]) for kind, count in kinds.most_common()]
    table("By kind", ("from", "stage", "exception", "messages", "replayed"), rows, numbers=(3, 4))


def _counted(
    found: "Iterator[Letter]",
    known: "Marks",
    kinds: Counter[tuple[str, str, str]],
    replayed: Counter[tuple[str, str, str]],
) -> "Iterator[Letter]":
    for letter in found:
        kind = letter.topic or "-", letter.stage or "-", letter.exception or "-"
        kinds[kind] += 1
        replayed[kind] += known.of(letter) is not None
        yield letter


def _age(letter: "Letter") -> tuple[int, "Place"]:
    return letter.at, letter.place


def _row(letter: "Letter", known: "Marks") -> tuple[object, ...]:
    mark = known.of(letter)
    again = f" (replay of {letter.replay_of})" if letter.replay_of else ""
    when = moment(mark.at) if mark is not None else None
    what = letter.stage or None, letter.exception or None, letter.message + again
    return str(letter.place), moment(letter.at), letter.origin, *what, when


def _line(letter: "Letter", known: "Marks") -> dict[str, Any]:
    """What a program is told of a letter; `show` has its bytes."""
    mark = known.of(letter)
    return {
        "id": str(letter.place),
        "at": letter.at,
        "topic": letter.topic or None,
        "partition": letter.source and letter.source.partition,
        "offset": letter.source and letter.source.offset,
        "stage": letter.stage or None,
        "exception": letter.exception or None,
        "message": letter.message or None,
        "replay_of": letter.replay_of or None,
        "replayed_at": mark and mark.at,
    }


def show(id_: Id, json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Print all about one dead letter: its bytes, what they say as far as that can be read, and what there is to do."""
    from ops.dead_letters import marks, reading
    from ops.dead_letters.anatomy import anatomy, dump, text_of
    from ops.dead_letters.judge import advice
    from ops.framing import from_topic

    settings, place = Settings.read(), place_of(id_)
    (letter,) = reading.named(settings, [place])
    judged, found = reading.judge(settings)(letter), anatomy(letter.value, from_topic())
    known = marks.read(settings)
    mark, to_do = known.of(letter), advice(letter, judged)
    if mark is not None:
        to_do = f"It was sent again at {moment(mark.at)}: look at the account's timeline, or for a letter that says so."
    headers = [(name, text_of(value)) for name, value in letter.headers]
    if json:
        value = letter.value
        about: dict[str, Any] = {
            "headers": headers,
            "key": text_of(letter.key),
            "key_hex": letter.key and letter.key.hex(),
        }
        about |= {"record": found.record, "unreadable": found.wrong}
        about |= {"value_hex": value and value.hex(), "value": text_of(value), "frame": found.frame}
        about |= {"schema": found.schema}
        as_json(_line(letter, known) | about | {"now": judged.verdict, "why": judged.why, "to_do": to_do})
        return
    size = "-" if letter.value is None else f"{len(letter.value):,} bytes: {found.frame}"
    rows: list[tuple[str, object]] = [("time (UTC)", moment(letter.at)), ("from", letter.origin)]
    rows += [("stage", letter.stage or None), ("exception", letter.exception or None), ("message", letter.message)]
    rows += [("replay of", letter.replay_of or None), ("replayed (UTC)", mark and moment(mark.at))]
    rows += [("key", text_of(letter.key)), ("value", size), ("schema", found.schema)]
    rows += [("this release", f"{'can read it' if judged.verdict == 'ready' else judged.verdict}: {judged.why}")]
    table(f"Dead letter {letter.place}", ("what", ""), [*rows, ("what to do", to_do)], folded=1)
    if headers:
        table("Headers", ("name", "value"), headers, folded=1)
    if found.record is not None:
        table(f"The {found.schema}", ("field", "value"), list(found.record.items()), folded=1)
    if letter.value:
        table("Bytes", ("offset", "hexadecimal", "text"), dump(letter.value[:_DUMPED]))
        if len(letter.value) > _DUMPED:
            note(f"{len(letter.value) - _DUMPED:,} more bytes; --json has all.")
