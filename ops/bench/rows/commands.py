"""Commands a second from end to end, beside what Pekko Persistence Cassandra persists; and two handlers beside one.

Ours: handler processes take a backlog of real commands off the topic, decide them by the real rules, commit them to the
journal, write event rows, events, replies and the watermark. The clock runs from when the first fifth is through, so
that processes and caches are warm, until the watermark says that the last command is: a command counts when all that
follows from it is durable. Pekko: one plain write an event, no fence and no Kafka, after a round to warm up.
"""

from ops.bench import pekko
from ops.bench.cpu import told
from ops.bench.ground import Ground
from ops.bench.handled import ACCOUNTS, Drained, at_work, stream
from ops.bench.row import Line

NAME = "commands"
TITLE = "Commands a second, from topic to durable watermark"

_PEER = "Pekko Persistence Cassandra, persists"


def measure(ground: Ground) -> list[Line]:
    """One handler and two, each beside the peer, and beside each other."""
    count = ground.size.pick(120_000, 400_000)
    warm_up = count // 4
    backlog = list(stream(count + warm_up))
    theirs: list[float] = []
    ours: dict[int, list[Drained]] = {1: [], 2: []}
    jars = pekko.build(ground.tell)
    ground.tell(f"{NAME}: warming Pekko up")
    with ground.peer(pekko.argv(ground.address, jars, ACCOUNTS), "pekko") as peer:
        peer.ask(str(max(warm_up, 4 * ACCOUNTS)))
        for run in ground.laps(NAME):
            for handlers in (1, 2) if run % 2 else (2, 1):
                with ground.space() as space, at_work(ground, space, handlers) as handled:
                    ours[handlers].append(handled.drain(ground, backlog, warm_up))
            answer = peer.ask(str(count // 2))
            theirs.append(answer["persisted"] / answer["seconds"])
    one, two = ([drained.rate for drained in ours[handlers]] for handlers in (1, 2))
    used = {handlers: f"cores used, of the last run: {told(ours[handlers][-1].shares)}" for handlers in (1, 2)}
    return [
        _line("commands end to end, one handler", _PEER, one, theirs, 1.5, 2.0, used[1]),
        _line("commands end to end, two handlers", _PEER, two, theirs, 1.5, 2.0, used[2]),
        _line("commands, two handlers", "one handler", two, one, 1.3, None, ""),
    ]


def _line(
    what: str, beside: str, ours: list[float], theirs: list[float], limit: float, goal: float | None, note: str
) -> Line:
    pairs = tuple(zip(ours, theirs, strict=True))
    return Line(what, beside, "commands/s", pairs, "higher", limit=limit, goal=goal, note=note)
