"""Sending to the commands topic: flat out or at a rate, while the replies come in."""

import time
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

from ops import framing, kafka
from ops.replies import Replies
from ops.simulate.wire import Message
from schemas.topics import topics_of

_STEP = 0.02  # seconds between two looks at the clock when sending at a rate

#: Called again and again with how many messages were sent so far.
OnProgress = Callable[[int], None]


class Sender:
    """One producer for the commands topic. Delivery is confirmed by `flush`.

    `linger_ms`: how long a message may wait for others that go in the same request.
    """

    def __init__(self, bootstrap: str, topic: str, linger_ms: int = 5) -> None:
        if topic not in kafka.partitions(bootstrap, [topic]):
            raise kafka.KafkaProblem(f"The topic {topic} does not exist: create it with `licensing init`.")
        self._bootstrap, self._topic = bootstrap, topic
        self._producer = kafka.producer(bootstrap, linger_ms)
        self._framed = framing.to_topic(topics_of(topic), topic)
        self._failed: Any = None

    def send(self, message: Message) -> None:
        """Hand a message to the producer; waits while its queue is full.

        Raises:
            KafkaProblem: an earlier message could not be delivered.
        """
        while True:
            try:
                self._producer.produce(
                    self._topic,
                    self._framed(message.value),
                    message.key,
                    on_delivery=self._delivered,
                    timestamp=message.timestamp if message.timestamp is not None else int(time.time() * 1000),
                )
            except BufferError:
                self.poll(0.1)
            else:
                return

    def poll(self, timeout: float = 0.0) -> None:
        """Let delivery reports in."""
        self._producer.poll(timeout)
        if self._failed is not None:
            raise kafka.problem(self._bootstrap, self._failed)

    def flush(self, timeout: float = 0.5) -> bool:
        """Wait for deliveries; True once all are confirmed."""
        left = self._producer.flush(timeout)
        self.poll()
        return bool(left == 0)

    def _delivered(self, error: Any, _: Any) -> None:
        self._failed = self._failed or error


def pump(
    sender: Sender,
    messages: Iterable[Message],
    replies: Replies | None = None,
    rate: float = 0,
    tell: OnProgress = lambda sent: None,
    at_once: int = 500,
) -> int:
    """Send all messages, confirmed by the brokers, and return how many.

    `rate` is messages a second; with 0, flat out, `at_once` are sent between two looks at replies and progress.
    """
    sent = 0
    for batch in _batches(messages, rate, replies, at_once):
        for message in batch:
            if replies is not None and message.command_id is not None:
                replies.expect(message.command_id)
            sender.send(message)
        sent += len(batch)
        sender.poll()
        if replies is not None:
            replies.poll(0.0)
        tell(sent)
    while not sender.flush():
        tell(sent)
    return sent


def _batches(
    messages: Iterable[Message], rate: float, replies: Replies | None, at_once: int
) -> Iterator[list[Message]]:
    source = iter(messages)
    if not rate:
        while batch := list(islice(source, at_once)):
            yield batch
        return
    began, sent = time.monotonic(), 0
    while True:
        due = int((time.monotonic() - began) * rate) + 1 - sent
        batch = list(islice(source, due))
        if due and not batch:
            return
        sent += len(batch)
        yield batch
        _idle(began + max(sent / rate, time.monotonic() - began + 0.001), replies)


def _idle(until: float, replies: Replies | None) -> None:
    """Wait for the next message to be due, in small steps that look for replies, so that latency is measured."""
    while (left := until - time.monotonic()) > 0:
        if replies is None:
            time.sleep(min(left, _STEP))
        else:
            replies.poll(min(left, _STEP))
