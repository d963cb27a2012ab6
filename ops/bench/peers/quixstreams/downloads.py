"""The peer: quixstreams reads the same records and counts the downloads of each device in Redis, at least once.

Runs in an environment of its own (requirements.lock), so it knows nothing of this project. Each line on stdin is JSON:
{kafka, topic, redis, prefix, events, schemas: {fingerprint in hex: schema}}; each answer {events, seconds}, from the
first record taken to the last one in Redis.
"""

# mypy: ignore-errors
# What it imports is not installed where this project is checked.

import io
import json
import sys
import time
import uuid
from typing import Any

import fastavro
import redis
from quixstreams import Application

_AT_ONCE = 2000  # records a call to Redis
_HEADER = 10  # single-object encoding: C3 01 and the fingerprint
_COUNT = "for i = 1, #ARGV do redis.call('HINCRBY', ARGV[i], 'downloads', 1) end return #ARGV"


class Downloads:
    """Counts records until there were as many as were asked for, then stops the application."""

    def __init__(self, ask: dict[str, Any], application: Any) -> None:
        self.first = self.last = 0.0
        self._application = application
        self._schemas = {bytes.fromhex(mark): fastavro.parse_schema(s) for mark, s in ask["schemas"].items()}
        self._count = redis.Redis.from_url(ask["redis"]).register_script(_COUNT)
        self._prefix, self._wanted = ask["prefix"], ask["events"]
        self._devices: list[str] = []
        self._seen = 0

    def take(self, value: bytes) -> None:
        """One record."""
        if not self._seen:
            self.first = time.perf_counter()
        schema = self._schemas[value[2:_HEADER]]
        event = fastavro.schemaless_reader(io.BytesIO(value[_HEADER:]), schema, None)
        if schema["name"] == "LicenseAcquired":
            self._devices.append(f"{self._prefix}{event['account_id']}/{event['device_id']}")
        self._seen += 1
        if self._seen % _AT_ONCE == 0 or self._seen == self._wanted:
            self._count(args=self._devices)
            self._devices.clear()
        if self._seen == self._wanted:
            self.last = time.perf_counter()
            self._application.stop()


def answer(ask: dict[str, Any]) -> dict[str, float]:
    """One run, in a consumer group of its own."""
    application = Application(
        broker_address=ask["kafka"],
        consumer_group=f"{ask['topic']}.{uuid.uuid4().hex}",
        auto_offset_reset="earliest",
        auto_create_topics=False,
        loglevel="ERROR",
    )
    downloads = Downloads(ask, application)
    topic = application.topic(ask["topic"], value_deserializer="bytes", key_deserializer="bytes")
    application.dataframe(topic).update(downloads.take)
    application.run()
    return {"events": ask["events"], "seconds": downloads.last - downloads.first}


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=True)
