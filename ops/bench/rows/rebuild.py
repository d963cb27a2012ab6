"""The bulk rebuild of a view, beside quixstreams on the same records."""

import json
import os
import subprocess
from itertools import islice

from commands.policy_file import load_policy
from ops.bench.filling import history, load, produce_events
from ops.bench.ground import Ground, Space, licensing
from ops.bench.quixstreams import projected, quixstreams
from ops.bench.row import Line
from ops.bench.steady import VIEW, worker
from ops.bench.watch import follow
from projections.views import VIEWS

NAME = "rebuild"
TITLE = "A view rebuilt beside the live one"

_ACCOUNTS = 5_000


class NotRebuilt(Exception):
    """The rebuild failed. The text is what it said."""


def measure(ground: Ground) -> list[Line]:
    """A worker fills the first generation; then a rebuild and the peer read the whole topic, one after the other."""
    events = ground.size.pick(300_000, 1_000_000)
    pairs: list[tuple[float, float]] = []
    certified: list[float] = []
    with ground.space() as space, quixstreams(ground) as peer:
        ground.tell(f"{events:,} events for the rebuild")
        commands = load(events * 5 // 4, _ACCOUNTS)
        produce_events(space, islice(history(commands, load_policy()), events))
        with worker(ground, space, VIEW, VIEWS[VIEW].VERSION) as watched:
            follow([watched], events)
        for _ in ground.laps(NAME):
            ours, seconds = _rebuilt(space)
            certified.append(seconds)
            pairs.append((ours, projected(peer, space, events)))
    return [
        Line(
            f"{VIEW} rebuilt from the topic, exactly once",
            "quixstreams, at least once",
            "events/s",
            tuple(pairs),
            "higher",
            limit=1.0,
            goal=1.2,
            note=f"From the first record read to the last one applied; then it was certified in {max(certified):.1f} s"
            " at most, against the generation that the worker had filled.",
        )
    ]


def _rebuilt(space: Space) -> tuple[float, float]:
    """Events a second of a rebuild in a process of its own, and the seconds of its certification."""
    done = subprocess.run(  # noqa: S603 - our own command line
        licensing("rebuild", VIEW, "--json"),
        env=os.environ | space.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise NotRebuilt(done.stderr.strip()[-500:])
    result = json.loads(done.stdout.splitlines()[-1])
    return float(result["events"] / result["seconds"]), float(result["certified_seconds"])
