"""Commands a second from end to end, beside what Pekko Persistence Cassandra persists.

Ours: one handler process takes a backlog of real commands off the topic, decides them by the real rules, commits them
to the journal, writes event rows, events, replies and the watermark. The clock runs from when the first fifth is
through, so that processes and caches are warm, until the watermark says that the last command is: a command counts when
all that follows from it is durable. Pekko: one plain write an event, no fence and no Kafka, after a round to warm up.
"""

from ops.bench import pekko
from ops.bench.cpu import told
from ops.bench.ground import Ground
from ops.bench.handled import ACCOUNTS, at_work, stream
from ops.bench.row import Line

NAME = "commands"
TITLE = "Commands a second, from topic to durable watermark"


def measure(ground: Ground) -> list[Line]:
    """One line."""
    count = ground.size.pick(40_000, 100_000)
    warm_up = count // 4
    backlog = list(stream(count + warm_up))
    pairs, note = [], ""
    jars = pekko.build(ground.tell)
    ground.tell(f"{NAME}: warming Pekko up")
    with ground.peer(pekko.argv(ground.address, jars, ACCOUNTS), "pekko") as peer:
        peer.ask(str(max(warm_up, 4 * ACCOUNTS)))
        for _ in ground.laps(NAME):
            with ground.space() as space, at_work(ground, space) as handled:
                ours = handled.drain(ground, backlog, warm_up)
            theirs = peer.ask(str(count))
            pairs.append((ours.rate, theirs["persisted"] / theirs["seconds"]))
            note = f"cores used, of the last run: {told(ours.shares)}"
    return [
        Line(
            "commands end to end, one handler",
            "Pekko Persistence Cassandra, persists",
            "commands/s",
            tuple(pairs),
            "higher",
            limit=1.5,
            goal=2.0,
            note=note,
        )
    ]
