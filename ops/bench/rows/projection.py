"""The live projection of one worker, beside quixstreams on the same records."""

from itertools import islice

from commands.policy_file import load_policy
from ops.bench.filling import history, load, produce_events
from ops.bench.ground import Ground
from ops.bench.quixstreams import projected, quixstreams
from ops.bench.row import Line
from ops.bench.steady import VIEW, worker
from ops.bench.watch import follow, rate

NAME = "projection"
TITLE = "A worker's live projection"


_ACCOUNTS = 5_000


def measure(ground: Ground) -> list[Line]:
    """Both read the whole topic from its beginning, one after the other."""
    events = ground.size.pick(150_000, 500_000)
    pairs = []
    with ground.space() as space, quixstreams(ground) as peer:
        ground.tell(f"{events:,} events for the projection")
        commands = load(events * 5 // 4, _ACCOUNTS)
        produce_events(space, islice(history(commands, load_policy()), events))
        for run in ground.laps(NAME):
            with worker(ground, space, VIEW, f"r{run}") as watched:
                (trace,) = follow([watched], events)
            pairs.append((rate(trace), projected(peer, space, events)))
    return [
        Line(
            f"{VIEW}, exactly once",
            "quixstreams, at least once",
            "events/s",
            tuple(pairs),
            "higher",
            limit=1.0,
            goal=1.5,
            note="The peer counts downloads only; the view keeps completions, last activity and what is held, too.",
        )
    ]
