"""The events topic as a source: whole, or from where another source has ended."""

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ops import framing, kafka
from ops.kafka.bulk import Bulk, Piece
from ops.rebuild.batch import EVENTS, Batch, NewerEvent
from ops.rebuild.stop import Stop
from ops.settings import Settings
from projections.pipeline import version_of
from schemas.codec import DecodeError, UnknownSchema, decode_event
from schemas.events import Envelope

#: Messages read at once, of all partitions together: the more of a partition, the more of their changes add up.
AT_ONCE = 20_000
_WAIT = 0.1  # seconds for which they may take to come
_PATIENCE = 15.0  # seconds without a message that has to be there


class TopicReader:
    """Reads on from given offsets. `unreadable`: places of messages that are no events, which the worker has put
    aside."""

    def __init__(self, settings: Settings, start: Mapping[int, int], stop: Stop) -> None:
        self._topic, self._kafka = settings.topics.events, settings.kafka
        self._bulk = Bulk(settings.kafka, self._topic, start)
        self._plain = framing.from_topic()
        self._stop = stop
        self.reached = dict(start)
        self.unreadable: set[tuple[int, int]] = set()

    def until(self, ends: Mapping[int, int]) -> Iterator[Batch]:
        """Batches until each partition is read up to its end, and maybe further; fewer if it is asked to stop.

        Raises:
            KafkaAway: the brokers do not answer.
            KafkaProblem: they no longer have what comes next.
            NewerEvent: one of the messages.
        """
        heard = time.monotonic()
        while not self._stop.asked and any(self.reached[one] < end for one, end in ends.items()):
            pieces = self._bulk.take(AT_ONCE, _WAIT)
            if pieces:
                heard = time.monotonic()
            elif time.monotonic() > heard + _PATIENCE:
                raise kafka.KafkaAway(f"Kafka at {self._kafka} sends no more of {self._topic}.")
            for piece in pieces:
                for begin, end, messages in _parts(piece):
                    yield Batch(piece.partition, begin, end, self._events(messages))
                    self.reached[piece.partition] = end

    def _events(self, messages: Sequence[Any]) -> list[Envelope]:
        plain, found = self._plain, list[Envelope]()
        for message in messages:
            try:
                envelope = decode_event(plain(message.value() or b""))
                if message.key() != envelope.account_id.encode():
                    raise DecodeError("the key is not the account")
            except UnknownSchema as error:
                raise self._newer(message, error) from error
            except DecodeError:
                self.unreadable.add((message.partition(), message.offset()))
            else:
                found.append(envelope)
        return found

    def _newer(self, message: Any, error: UnknownSchema) -> NewerEvent:
        version = version_of(kafka.headers_of(message), error)
        return NewerEvent(
            f"{self._topic}-{message.partition()} has at offset {message.offset()} what a newer release wrote, as"
            f" {version}: rebuild with that release. What is filled so far stays."
        )

    def close(self) -> None:
        """Close the connections."""
        self._bulk.close()


def _parts(piece: Piece) -> Iterator[tuple[int, int, Sequence[Any]]]:
    """Begin, end and messages of parts that are not too much for one chunk."""
    begin, messages = piece.begin, piece.messages
    for start in range(0, max(len(messages), 1), EVENTS):
        later = messages[start + EVENTS : start + EVENTS + 1]
        end = later[0].offset() if later else piece.end
        yield begin, end, messages[start : start + EVENTS]
        begin = end
