"""Which versions are stored beside the ones of this release, who waits for a newer release, and what to do."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from commands.account import STATE_VERSION
from commands.handler import NEWER
from ops import processes
from ops.services import HANDLER
from projections.queries import Views
from projections.views import VIEWS


@dataclass(frozen=True, slots=True)
class Version:
    """What is stored in versions: `ours` is what this release writes. `to_do` None: they are the same.

    `generation`: of a view, the one that readers see; None: no worker has ever run.
    """

    what: str
    ours: str
    stored: str
    to_do: str | None
    generation: str | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """A reader that met a version newer than it knows, and leaves the partition alone until it is upgraded."""

    reader: str
    partition: int
    needs: str


def of_snapshots(found: Mapping[int, int]) -> Version:
    """The snapshots; `found`: state version -> how many of those looked at have it."""
    others = sum(count for version, count in found.items() if version != STATE_VERSION)
    text = (
        f"{others:,} of {sum(found.values()):,} that were looked at are ignored: those accounts are replayed from their"
        " events when they are next asked for, and get new ones. There is nothing to do."
    )
    stored = ", ".join(map(str, sorted(found)))
    return Version("snapshots", str(STATE_VERSION), stored or "-", text if others else None)


def of_views(views: Views) -> list[Version]:
    """The generation of each view that readers see."""
    return [_of_view(name, view.VERSION, *views.live(name)) for name, view in VIEWS.items()]


def _of_view(name: str, ours: str, generation: str | None, stored: str | None) -> Version:
    text = None
    if stored is not None and stored != ours:
        text = (
            f"Version {stored} of the view fills generation {generation}; workers of this release have version {ours},"
            f" and wait. Rebuild it beside the live one: `licensing rebuild {name}`."
        )
    return Version(f"view {name}", ours, stored or "-", text, generation)


def waiting(home: Path, views: Views) -> list[Waiting]:
    """Who waits: the workers say so in Redis, the handler of this home in its log."""
    found = [Waiting(view, partition, needs) for view in VIEWS for partition, needs in views.waiting(view).items()]
    said = processes.said(home, HANDLER) if processes.log_of(home, HANDLER).exists() else ""
    return _of_handler(said, time.time()) + found


def _of_handler(said: str, now: float) -> list[Waiting]:
    """What it said lately: it looks again, and says so again, every `NEWER` seconds."""
    needs: dict[int, str] = {}
    for line in said.splitlines():
        if '"event": "shard_needs_newer_release"' in line:
            words = json.loads(line)
            if datetime.fromisoformat(words["timestamp"]).timestamp() > now - 2 * NEWER:
                needs[words["shard"]] = words["needs"]
    return [Waiting(HANDLER, shard, version) for shard, version in sorted(needs.items())]
