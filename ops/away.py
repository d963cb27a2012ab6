"""Which server an error says is away, so that waiting helps."""

from ops.history import CassandraAway
from ops.kafka import KafkaAway
from projections.redis_model import writer


def server_away(error: Exception) -> str | None:
    """The name of the server; None: the error is a real one. Of Redis it is the workers' own rule."""
    if isinstance(error, KafkaAway):
        return "Kafka"
    if isinstance(error, CassandraAway):
        return "Cassandra"
    return "Redis" if writer.is_away(error) else None
