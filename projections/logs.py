"""Logs of a worker process: structlog for our own, the same form for the libraries, which speak up from WARNING on."""

import logging
import sys
import time

import structlog

# The last two: services of Faust name their logger after the module that they are defined in.
_NOISY = ("faust", "mode", "aiokafka", "cassandra", "httpx2", "kafka", "projections.worker", "projections.transport")
_REPEATING = (
    "aiokafka",
    "aiokafka.cluster",
    "aiokafka.conn",
    "aiokafka.consumer.consumer",
    "aiokafka.consumer.fetcher",
    "aiokafka.consumer.group_coordinator",
    "aiokafka.producer.producer",
    "aiokafka.producer.sender",
    "cassandra.cluster",
    "cassandra.pool",
)
REPEAT_SECONDS = 600.0


class Once(logging.Filter):
    """Lets each kind of message through once in ten minutes: aiokafka says 60 times a second that Kafka is away."""

    def __init__(self) -> None:
        super().__init__()
        self._next: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether this one is to be seen."""
        kind, now = (record.name, str(record.msg)), time.monotonic()
        if now < self._next.get(kind, 0.0):
            return False
        self._next[kind] = now + REPEAT_SECONDS
        return True


def configure(*, json: bool | None = None) -> None:
    """Log to stderr: for people on a terminal, else (or with `json`) one JSON object a line."""
    as_json = not sys.stderr.isatty() if json is None else json
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer()
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                renderer,
            ],
        )
    )
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for name in _NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)
    once = Once()
    for name in _REPEATING:  # a filter holds for its own logger only, not for those below it
        logging.getLogger(name).addFilter(once)
