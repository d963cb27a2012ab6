"""The topics: created with equal partitions and history that never goes; checked when they exist."""

import time

from commands.policies import COMMANDS_AHEAD
from commands.policy_file import LARGEST
from ops import kafka
from ops.kafka.led import led
from schemas.topics import Topics

_FOR_EVER = (1 << 63) - 1
_PATIENCE = 60.0  # seconds until new topics must have leaders
_WEEK = 7 * 86_400_000
# The limit is on a producer's whole batch, not on one message: below the usual batch of 1,000,000 bytes every
# well-filled batch of an ordinary producer would be refused.
_BATCH_MAX = 1_048_588
_DEAD_LETTER_MAX = 2 * _BATCH_MAX  # a dead letter is a command and its headers, so it always fits


class TopicsDiffer(Exception):
    """Topics exist, but not as asked for. The text says which and what to do."""


def configuration(topics: Topics) -> dict[str, dict[str, str]]:
    """Topic -> its configuration. Only policies are compacted: events share keys, and each of them counts.

    Replies are stamped with the wall clock, so their week is a week; commands and events carry business time. Whether a
    policy came in time is told by the broker's clock alone; and none goes, not even when somebody writes something else
    under its version, because replays decide under it again.
    """
    common = {
        "cleanup.policy": "delete",
        "retention.ms": "-1",
        "message.timestamp.type": "CreateTime",
        "message.timestamp.after.max.ms": "3600000",
        "max.message.bytes": str(_BATCH_MAX),
    }
    return {
        topics.commands: common | {"message.timestamp.after.max.ms": str(COMMANDS_AHEAD)},
        topics.events: common,
        topics.replies: common | {"retention.ms": str(_WEEK)},
        topics.dead_letters: common | {"max.message.bytes": str(_DEAD_LETTER_MAX)},
        topics.policies: {
            "cleanup.policy": "compact",
            "min.compaction.lag.ms": str(_FOR_EVER),
            "message.timestamp.type": "LogAppendTime",
            "max.message.bytes": str(LARGEST + 10_000),  # the document, its key and what a batch adds
        },
    }


def create(bootstrap: str, topics: Topics, partitions: int) -> list[str]:
    """Create what is missing and return its names. The policies have one partition: they have one order.

    Raises:
        TopicsDiffer: a topic exists with another number of partitions; an account's partition would change.
        KafkaProblem: the brokers do not answer or refuse.
    """
    wanted = dict.fromkeys(topics.all(), partitions) | {topics.policies: 1}
    existing = kafka.partitions(bootstrap, wanted)
    others = {name: count for name, count in existing.items() if count != wanted[name]}
    if others:
        found = ", ".join(f"{name} has {count}" for name, count in others.items())
        raise TopicsDiffer(
            f"{partitions} partitions were asked for, but {found}: the number is fixed once topics exist. "
            f"Use that number, or another LICENSING_NAMESPACE."
        )
    missing = [name for name in wanted if name not in existing]
    if missing:
        kafka.create(bootstrap, {name: wanted[name] for name in missing}, configuration(topics))
        _until_led(bootstrap, wanted)
    return missing


def _until_led(bootstrap: str, wanted: dict[str, int]) -> None:
    """The controller has created them, and brokers list them; wait until they lead the partitions, too."""
    deadline = time.monotonic() + _PATIENCE
    while not led(bootstrap, wanted):
        if time.monotonic() > deadline:
            raise kafka.KafkaProblem(f"Kafka at {bootstrap} created the topics but does not answer for them.")
        time.sleep(0.05)
