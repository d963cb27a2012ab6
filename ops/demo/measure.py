"""The two measurements: throughput flat out, latency at a gentle rate."""

import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice

from ops import kafka, services
from ops.demo.stage import Stage
from ops.replies import Replies, following
from ops.send import Sender, pump
from ops.simulate import Load, encode, films, generate
from projections.queries import Views
from projections.views import VIEWS
from schemas.replies import Reply

BAD = 0.001
_DAY = 86_400_000
_LOOK = 0.25  # seconds between two looks at the views
_PATIENCE = 60.0
WARM_UP = 3  # seconds of the gentle load that are not counted: the servers have just begun


@dataclass(slots=True)
class Progress:
    """How far a load is; `projected` is view -> events read."""

    sent: int = 0
    answered: int = 0
    expected: int = 0  # replies to come and come, so far
    events: int = 0
    projected: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Figures:
    """What the flat-out load came to; seconds count from the first command sent."""

    commands: int = 0
    answered: int = 0
    events: int = 0
    sending_seconds: float = 0.0
    answered_seconds: float = 0.0
    projected_seconds: dict[str, float] = field(default_factory=dict)  # by view
    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    accounts: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))  # by reason or outcome


class Behind(Exception):
    """A view does not catch up. The text says which."""


def flat_out(stage: Stage, views: Views, load: Load, tell: Callable[[Progress], None]) -> Figures:
    """Send the load as fast as it goes; return when all is answered and every view has seen it."""
    settings, figures, progress = stage.settings, Figures(commands=load.commands), Progress()
    began = last = time.monotonic()

    def look(sent: int, replies: Replies) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last < _LOOK:
            return
        last = now
        services.check(stage.home)
        progress.sent, progress.answered = sent, replies.answered
        progress.expected = replies.answered + replies.outstanding
        progress.events = sum(kafka.ends(settings.kafka, settings.topics.events).values())
        progress.projected = {view: sum(views.positions(view).values()) for view in VIEWS}
        tell(progress)

    def take(reply: Reply) -> None:
        figures.accounts[reply.account_id][reply.reason or reply.outcome] += 1

    messages = encode(generate(load, tuple(film.id for film in films())), BAD, load.seed)
    sender = Sender(settings.kafka, settings.topics.commands)
    with following(settings.kafka, settings.topics.replies) as replies:
        replies.on_reply = take
        sent = pump(sender, messages, replies, tell=lambda sent: look(sent, replies))
        figures.sending_seconds = time.monotonic() - began
        replies.wait(_PATIENCE, lambda: look(sent, replies))
        figures.answered_seconds = time.monotonic() - began
        figures.answered, figures.outcomes = replies.answered, replies.outcomes
        ends = kafka.ends(settings.kafka, settings.topics.events)
        figures.events = sum(ends.values())
        while late := [view for view in VIEWS if view not in figures.projected_seconds]:
            for view in late:
                positions = views.positions(view)
                if all(positions.get(partition, 0) >= end for partition, end in ends.items()):
                    figures.projected_seconds[view] = time.monotonic() - began
            if time.monotonic() - began > figures.answered_seconds + _PATIENCE:
                raise Behind(f"Not caught up {_PATIENCE:.0f} s after the last reply: {', '.join(late)}.")
            look(sent, replies)
            time.sleep(0.01)
        last = 0.0  # the bars end full
        look(sent, replies)
    return figures


def latency(stage: Stage, seed: int, commands: int, rate: float, tell: Callable[[int], None]) -> list[float]:
    """Seconds from sending to reply, sorted, of commands that come one by one, at a rate far below what is possible."""
    settings, now = stage.settings, int(time.time() * 1000)
    load = Load(accounts=max(1, commands // 5), commands=commands, seed=seed, start=now - _DAY, end=now)
    timed = generate(load, tuple(film.id for film in films()))
    messages = encode(((None, command) for _, command in timed), 0.0, seed)
    sender = Sender(settings.kafka, settings.topics.commands)
    with following(settings.kafka, settings.topics.replies) as replies:
        pump(sender, islice(messages, int(WARM_UP * rate)), replies, rate)
        replies.wait(_PATIENCE)
        replies.latencies.clear()
        pump(sender, messages, replies, rate, tell)
        replies.wait(_PATIENCE)
        return sorted(replies.latencies)
