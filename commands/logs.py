"""Logs on stderr, our own and the libraries' alike: lines for a person at a terminal, else one JSON object a line."""

import logging
import re
import sys
import time
from typing import Any

import structlog

#: Seconds in which a client library says the same thing once. librdkafka reports a lost broker many times a second.
REPEAT = 30.0
#: How many different messages a filter remembers.
KINDS = 1000


def _numberless(text: str) -> str:
    return re.sub(r"\d+", "", text)


class Once(logging.Filter):
    """Lets each message, whatever its numbers, through once in `REPEAT` seconds."""

    def __init__(self) -> None:
        super().__init__()
        self._next: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether this one is to be seen."""
        kind, now = _numberless(record.getMessage()), time.monotonic()
        if now < self._next.get(kind, 0.0):
            return False
        if len(self._next) > KINDS:
            self._next.clear()
        self._next[kind] = now + REPEAT
        return True


def _not_about_use(record: logging.LogRecord) -> bool:
    """Cassandra warns of `USE` with prepared statements; a session of ours never leaves its keyspace."""
    return "USE <keyspace>" not in record.getMessage()


def configure_logging() -> None:
    """Set up this process's logs."""
    shared: list[Any] = [structlog.stdlib.add_log_level, structlog.processors.TimeStamper(fmt="iso", utc=True)]
    person = sys.stderr.isatty()
    renderer: Any = structlog.dev.ConsoleRenderer() if person else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                renderer,
            ],
        )
    )
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("commands").setLevel(logging.INFO)
    logging.getLogger("librdkafka").addFilter(Once())
    for name in ("cassandra.protocol", "cassandra.connection", "cassandra.cluster", "cassandra.pool"):
        logging.getLogger(name).addFilter(_not_about_use)
        logging.getLogger(name).addFilter(Once())
