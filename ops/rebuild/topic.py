"""The events topic as a source: whole, or from where another source has ended."""

import time
from collections.abc import Iterator, Mapping
from typing import Any

from ops import framing, kafka
from ops.kafka.bulk import Bulk, Piece
from ops.rebuild.batch import Batch, NewerEvent
from ops.rebuild.stop import Stop
from ops.settings import Settings
from projections.pipeline import version_of
from schemas.codec import DecodeError, UnknownSchema, decode_event
from schemas.events import Envelope

#: Messages read at once, of all partitions together: chunks of a few thousand each.
AT_ONCE = 12_000
_WAIT = 0.5  # seconds between two looks at whether to stop
_PATIENCE = 60.0  # seconds without a message that has to be there


class TopicReader:
    """Reads on from given offsets. `unreadable`: messages that are no events, which the worker has put aside."""

    def __init__(self, settings: Settings, start: Mapping[int, int], stop: Stop) -> None:
        self._topic, self._kafka = settings.topics.events, settings.kafka
        self._bulk = Bulk(settings.kafka, self._topic, start)
        self._plain = framing.from_topic()
        self._stop = stop
        self.reached = dict(start)
        self.unreadable = 0

    def until(self, ends: Mapping[int, int]) -> Iterator[Batch]:
        """Batches until each partition is read up to its end, and maybe further; fewer if it is asked to stop.

        Raises:
            KafkaProblem: the brokers do not answer, or no longer have what comes next.
            NewerEvent: one of the messages.
        """
        heard = time.monotonic()
        while not self._stop.asked and any(self.reached[one] < end for one, end in ends.items()):
            pieces = self._bulk.take(AT_ONCE, _WAIT)
            if pieces:
                heard = time.monotonic()
            elif time.monotonic() > heard + _PATIENCE:
                raise kafka.KafkaProblem(f"Kafka at {self._kafka} sends no more of {self._topic}.")
            for piece in pieces:
                yield Batch(piece.partition, piece.begin, piece.end, self._events(piece))
                self.reached[piece.partition] = piece.end

    def _events(self, piece: Piece) -> list[Envelope]:
        plain, found = self._plain, list[Envelope]()
        for message in piece.messages:
            try:
                envelope = decode_event(plain(message.value() or b""))
                if message.key() != envelope.account_id.encode():
                    raise DecodeError("the key is not the account")
            except UnknownSchema as error:
                raise self._newer(message, error) from error
            except DecodeError:
                self.unreadable += 1
            else:
                found.append(envelope)
        return found

    def _newer(self, message: Any, error: UnknownSchema) -> NewerEvent:
        version = version_of(message.headers() or (), error)
        return NewerEvent(
            f"{self._topic}-{message.partition()} has at offset {message.offset()} what a newer release wrote, as"
            f" {version}: rebuild with that release. What is filled so far stays."
        )

    def close(self) -> None:
        """Close the connections."""
        self._bulk.close()
