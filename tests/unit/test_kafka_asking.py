"""Questions to brokers that do not know yet who leads what, as after a restart."""

import time
from collections.abc import Callable

import pytest
from confluent_kafka import KafkaError, KafkaException

from ops.kafka import problem
from ops.kafka.asking import SETTLING, once_settled
from ops.kafka.errors import KafkaAway


class Brokers:
    """They refuse so many times, then answer; and count how often they are asked who leads what."""

    def __init__(self, code: int, refusals: int) -> None:
        self._code, self._left, self.looked = code, refusals, 0

    def ask(self) -> str:
        if self._left:
            self._left -= 1
            raise KafkaException(KafkaError(self._code))
        return "an answer"

    def list_topics(self, timeout: float) -> None:
        self.looked += 1
        if self.looked == 1:  # they may be away for that one
            raise KafkaException(KafkaError(KafkaError._TRANSPORT))


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[], float]:
    """Seconds that were slept."""
    now = 0.0

    def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds

    monkeypatch.setattr(time, "sleep", sleep)
    monkeypatch.setattr(time, "monotonic", lambda: now)
    return lambda: now


@pytest.mark.parametrize("code", sorted(SETTLING))
def test_they_are_asked_again_and_where_the_leader_is(code: int) -> None:
    brokers = Brokers(code, refusals=3)
    assert once_settled(brokers, brokers.ask, timeout=15.0) == "an answer"
    assert brokers.looked == 3


def test_not_for_ever(clock: Callable[[], float]) -> None:
    brokers = Brokers(KafkaError.NOT_LEADER_FOR_PARTITION, refusals=1_000)
    with pytest.raises(KafkaException) as raised:
        once_settled(brokers, brokers.ask, timeout=15.0)
    assert 15.0 < clock() < 15.5
    assert isinstance(problem("there:9092", raised.value), KafkaAway)


@pytest.mark.parametrize("code", [KafkaError._ALL_BROKERS_DOWN, KafkaError.TOPIC_AUTHORIZATION_FAILED])
def test_what_does_not_pass_soon_is_said_at_once(code: int, clock: Callable[[], float]) -> None:
    brokers = Brokers(code, refusals=1)
    with pytest.raises(KafkaException):
        once_settled(brokers, brokers.ask, timeout=15.0)
    assert (brokers.looked, clock()) == (0, 0.0)
