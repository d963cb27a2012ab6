"""What goes wrong with Kafka, as a sentence, and whether waiting helps."""

from confluent_kafka import KafkaError, KafkaException

from ops.kafka.asking import SETTLING

#: As Java's clients and the workers': errors that pass by themselves, or once an operator has seen to the brokers.
_AWAY = SETTLING | {
    KafkaError._ALL_BROKERS_DOWN,
    KafkaError._RESOLVE,
    KafkaError._TIMED_OUT,
    KafkaError._TRANSPORT,
    KafkaError.BROKER_NOT_AVAILABLE,
    KafkaError.NETWORK_EXCEPTION,
    KafkaError.REQUEST_TIMED_OUT,
    KafkaError.UNKNOWN_TOPIC_OR_PART,  # of a broker that has just begun, too
}


class KafkaProblem(Exception):
    """Kafka does not answer or refuses. The text is a sentence for a person."""


class KafkaAway(KafkaProblem):
    """It does not answer now: waiting helps."""


def problem(bootstrap: str, error: BaseException) -> KafkaProblem:
    """The sentence for a client's error."""
    cause = error.args[0] if isinstance(error, KafkaException) and error.args else error
    text = cause.str() if hasattr(cause, "str") else str(cause)
    kind = KafkaAway if isinstance(cause, KafkaError) and cause.code() in _AWAY else KafkaProblem
    return kind(f"Kafka at {bootstrap} says: {text}. Is it running? `licensing status` tells.")
