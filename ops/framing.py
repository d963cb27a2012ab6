"""Values as the other side expects them: Confluent's wire format where SCHEMA_REGISTRY_URL is set, else as they are."""

import os
from collections.abc import Callable
from functools import partial

from schemas.confluent import Frames, Heads, framed, heads
from schemas.topics import Topics


def to_topic(topics: Topics, topic: str) -> Callable[[bytes | None], bytes | None]:
    """What turns a value in single-object encoding into one for the topic.

    Raises:
        StoreUnavailable: the registry does not answer.
        NotPrepared: it refuses a schema.
    """
    known = heads_of(topics, topic)
    return (lambda value: value) if known is None else (lambda value: framed(known, topic, value))


def heads_of(topics: Topics, topic: str) -> Heads | None:
    """How values for the topic begin, None: as they are; it raises as `to_topic` does."""
    url = os.environ.get("SCHEMA_REGISTRY_URL")
    if not url:
        return None
    from commands.kafka.registry import Registry  # noqa: PLC0415 - its client is there only where it is installed

    return heads(topics, (topic,), Registry(url).id_of)


def from_topic() -> Callable[[bytes], bytes]:
    """What turns a value of any topic into single-object encoding; it raises StoreUnavailable as `to_topic` does."""
    url = os.environ.get("SCHEMA_REGISTRY_URL")
    if not url:
        return lambda value: value
    from commands.kafka.registry import Registry  # noqa: PLC0415 - as above

    return partial(Frames().asking, text=Registry(url).text)
