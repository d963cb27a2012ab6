"""What is said about a record of the events topic that cannot be read."""

from typing import Any

MESSAGE_MAX = 1000  # characters


def headers_of(record: Any, error: Exception) -> list[tuple[str, bytes]]:
    """The record's own headers and why it is here. `record` has topic, partition, offset and headers."""
    about = {
        "topic": record.topic,
        "partition": str(record.partition),
        "offset": str(record.offset),
        "exception": type(error).__name__,
        "message": str(error)[:MESSAGE_MAX],
        "stage": "decode",
    }
    return [*record.headers, *((f"__dlq.errors.{name}", value.encode()) for name, value in about.items())]
