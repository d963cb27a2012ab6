"""Tables for people and JSON for programs."""
# ruff: noqa: PLC0415 - rich is imported when something is printed

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

_WIDTH = 140  # columns where there is no terminal to ask


def console() -> "Console":
    """Where tables go."""
    from rich.console import Console

    return Console(highlight=False, width=None if sys.stdout.isatty() else _WIDTH)


def note(text: str) -> None:
    """Say what goes on, on stderr, where it is in no program's way."""
    typer.echo(text, err=True)


def as_json(value: Any) -> None:
    """Print one JSON document on a line."""
    typer.echo(json.dumps(value, ensure_ascii=False))


def table(
    title: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    numbers: Sequence[int] = (),
    folded: int = -1,
) -> None:
    """Print a table. `numbers` are the columns (from 0) set to the right; only the column `folded` is broken."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for position, name in enumerate(columns):
        whole = position != folded % len(columns)
        grid.add_column(
            name,
            justify="right" if position in numbers else "left",
            no_wrap=whole,
            overflow="ellipsis" if whole else "fold",
        )
    for row in rows:
        grid.add_row(*(Text(cell(value)) for value in row))
    out = console()
    out.print(Text(title, style="bold"))
    out.print(grid)


def short(path: str) -> str:
    """A path as one types it here."""
    return str(Path(path).relative_to(Path.cwd())) if Path(path).is_relative_to(Path.cwd()) else path


def cell(value: object) -> str:
    """A value as it reads in a table."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return str(value)


def moment(at: int) -> str:
    """A time, ms since the epoch, for people."""
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
