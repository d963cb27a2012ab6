"""Policies as operations use them: what the topic says, publishing, and what differs between two documents."""

import time
from pathlib import Path
from typing import Any, NamedTuple

from commands.kafka.policies import PolicyTopic
from commands.policies import LEAD
from commands.policy import Policy
from commands.policy_file import Document, load_policy, read_document, read_file
from commands.policy_log import PolicyLog, Refusal, too_soon
from commands.ports import StoreUnavailable
from commands.settings import Settings as HandlerSettings
from ops import kafka
from ops.differences import Change, differences
from ops.settings import Settings

_ON_ITS_WAY = 2_000  # ms that a message may take to the broker


class NotPublished(Exception):
    """The policy does not count. The text says why, and whether anything was sent."""


def read(settings: Settings) -> PolicyLog:
    """The policies topic to its end, with the policy of the setting as the one before all others.

    Raises:
        KafkaProblem: Kafka does not answer.
        NotPrepared: there is no such topic.
        PolicyError: the file of the setting is no policy.
    """
    found = PolicyLog(load_policy(HandlerSettings().policy))
    topic = PolicyTopic(settings.kafka, settings.topics.policies, kafka.TIMEOUT)
    try:
        for record in topic.read():
            found.add(record)
    except StoreUnavailable as error:
        raise kafka.KafkaProblem(f"{error}. Is Kafka running at {settings.kafka}? `licensing status` tells.") from error
    finally:
        topic.close()
    return found


def publish(settings: Settings, file: Path) -> tuple[Policy, bool]:
    """Publish a policy; it, and whether it was sent: this very document may be there already.

    Raises:
        PolicyError: the file is not a policy; nothing was sent.
        NotPublished: it would change what may have been decided already.
        KafkaProblem, NotPrepared: as in `read`.
    """
    content = read_file(file)
    policy = read_document(content, str(file)).policy()
    before = read(settings)
    if before.has(policy.version, content):
        return policy, False
    now = time.time_ns() // 1_000_000 + _ON_ITS_WAY
    why = before.why_not(policy, now) or _too_late_for_a_first_one(settings, policy, now)
    if why:
        raise NotPublished(f"{why}. Nothing was sent.")
    _send(settings, policy.version, content)
    after = read(settings)
    if not after.has(policy.version, content):
        refusal = after.refused.get(policy.version)
        raise NotPublished(f"It was sent, but does not count: {refusal.why if refusal else 'another came first'}.")
    return policy, True


def _too_late_for_a_first_one(settings: Settings, policy: Policy, now: int) -> str | None:
    """The first policy may take effect at any time, unless there are commands, which the file may have decided."""
    if policy.effective_from >= now + LEAD or not any(kafka.ends(settings.kafka, settings.topics.commands).values()):
        return None
    return f"{too_soon(policy, now + LEAD)}, because commands were sent already"


def _send(settings: Settings, key: str, value: bytes) -> None:
    failed: list[Any] = []
    producer = kafka.producer(settings.kafka)
    producer.produce(settings.topics.policies, value, key, 0, on_delivery=lambda error, _: failed.append(error))
    if producer.flush(kafka.TIMEOUT):
        raise kafka.KafkaProblem(
            f"Kafka at {settings.kafka} does not confirm the message; look with `licensing status`."
        )
    if failed and failed[0] is not None:
        raise kafka.problem(settings.kafka, failed[0])


class Listed(NamedTuple):
    """A policy on its way through time, ms since the epoch; `since` None: from the beginning."""

    version: str
    since: int | None
    state: str  # past, in force or to come


def listed(found: PolicyLog, now: int) -> list[Listed]:
    """The policies by time: what was, is and will be in force."""
    timeline = found.timeline()
    held = timeline.at(now)
    starts = [None, *timeline.starts]
    return [
        Listed(
            policy.version,
            since,
            "to come"
            if since is not None and since > now
            else "in force"
            if held and held.policy is policy
            else "past",
        )
        for policy, since in zip(timeline.policies, starts, strict=True)
    ]


def refused(found: PolicyLog) -> list[Refusal]:
    """What is on the topic and does not count."""
    return sorted(found.refused.values())


def changes(a: Document, b: Document) -> list[Change]:
    """What is different in `b`, in the order of a document."""
    return list(differences(a.model_dump(exclude_none=True), b.model_dump(exclude_none=True)))
