"""aiokafka's coordination of a group, beside brokers whose answers it has no rule for. A client without a network."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiokafka import AIOKafkaClient
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.cluster import ClusterMetadata
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.consumer.subscription_state import SubscriptionState
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    GroupLoadInProgressError,
    KafkaError,
    RecordTooLargeError,
    RequestTimedOutError,
    UnknownError,
)
from aiokafka.structs import PartitionMetadata, TopicPartition

from projections import transport
from projections.transport.thread import ConsumerThread

TOPIC, MEMBER = "events", "m1"


class Listener(ConsumerRebalanceListener):  # type: ignore[misc]
    def on_partitions_revoked(self, revoked: Any) -> None: ...

    def on_partitions_assigned(self, assigned: Any) -> None: ...


class Broker:
    """A coordinator and a client of it in one. `refuse`: request -> what it answers to that, once each."""

    def __init__(self, **refuse: type[Exception]) -> None:
        self.cluster = ClusterMetadata()
        self.cluster._partitions = {TOPIC: {0: PartitionMetadata(TOPIC, 0, 1, [1], [1], 0)}}
        self.refuse = refuse

    async def send(self, node: int, request: Any, group: Any = None) -> Any:
        kind = type(request).__name__.removesuffix("Request")
        error = cast(Any, self.refuse.pop(kind, None))
        answer = SimpleNamespace(API_VERSION=2, error_code=error.errno if error else 0)
        if kind == "JoinGroup":
            answer.member_id = answer.leader_id = MEMBER
            answer.generation_id, answer.group_protocol = 1, "roundrobin"
            answer.members = [(MEMBER, RoundRobinPartitionAssignor.metadata({TOPIC}).encode())]
        elif kind == "SyncGroup":
            answer.member_assignment = dict(request._group_assignment)[MEMBER]
        return answer

    async def coordinator_lookup(self, kind: Any, group: str) -> int:
        if error := self.refuse.pop("FindCoordinator", None):
            raise error
        return 1

    async def ready(self, node: int, group: Any = None) -> bool:
        return True

    async def force_metadata_update(self) -> None: ...

    async def _maybe_wait_metadata(self) -> None: ...

    def set_topics(self, topics: Any) -> None: ...


class Thread(ConsumerThread):
    def __init__(self, coordinator: Any) -> None:  # Faust's own starts a thread
        fetcher = SimpleNamespace(error_future=asyncio.get_running_loop().create_future())
        self._consumer = cast(Any, SimpleNamespace(_coordinator=coordinator, _fetcher=fetcher))
        self.log = cast(Any, SimpleNamespace(warning=lambda *_: None))


async def _until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not true():
            await asyncio.sleep(0)


def beside(broker: Broker, story: Callable[[GroupCoordinator, SubscriptionState, Thread], Any]) -> None:
    async def run() -> None:
        subscription = SubscriptionState()
        subscription.register_fetch_waiters(set())
        coordinator = GroupCoordinator(broker, subscription, enable_auto_commit=False, heartbeat_interval_ms=1)
        subscription.subscribe({TOPIC}, listener=Listener())
        try:
            await story(coordinator, subscription, Thread(coordinator))
        finally:
            coordinator.generation = -1  # it does not leave
            await coordinator.close()

    asyncio.run(run())


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("SyncGroup", GroupLoadInProgressError),  # of a broker that was started again in between
        ("SyncGroup", RequestTimedOutError),
        ("SyncGroup", UnknownError),
        ("JoinGroup", RequestTimedOutError),
        ("JoinGroup", UnknownError),
        ("FindCoordinator", UnknownError),
    ],
)
def test_a_group_that_does_not_take_us_now_is_asked_again(kind: str, error: type[Exception]) -> None:
    async def story(coordinator: GroupCoordinator, subscription: SubscriptionState, thread: Thread) -> None:
        def assigned() -> bool:
            thread.go_on()
            return bool(subscription.assigned_partitions() == {TopicPartition(TOPIC, 0)})

        await _until(assigned)
        assert not broker.refuse

    broker = Broker(**{kind: error})
    beside(broker, story)


def test_a_member_whose_heartbeat_failed_joins_again() -> None:
    async def story(coordinator: GroupCoordinator, subscription: SubscriptionState, thread: Thread) -> None:
        await _until(lambda: coordinator._pending_exception is not None)
        before = subscription.subscription.assignment
        thread.go_on()
        await _until(lambda: subscription.subscription.assignment is not before)
        await _until(lambda: coordinator._heartbeat_task is not None and not coordinator._heartbeat_task.done())

    beside(Broker(Heartbeat=UnknownError), story)


def test_an_answer_that_is_for_good_ends_the_worker() -> None:
    async def story(coordinator: GroupCoordinator, subscription: SubscriptionState, thread: Thread) -> None:
        await _until(lambda: coordinator._pending_exception is not None)
        with pytest.raises(GroupAuthorizationFailedError):
            thread.go_on()

    beside(Broker(JoinGroup=GroupAuthorizationFailedError), story)


@pytest.mark.parametrize("which", ["_coordination_task", "error_future"])
def test_a_client_that_has_given_up_ends_the_worker(which: str) -> None:
    async def story(coordinator: GroupCoordinator, subscription: SubscriptionState, thread: Thread) -> None:
        await _until(lambda: bool(subscription.assigned_partitions()))
        given_up = asyncio.get_running_loop().create_future()
        given_up.set_exception(KafkaError("Unexpected error"))
        holder = coordinator if which == "_coordination_task" else thread._ensure_consumer()._fetcher
        before = getattr(holder, which)
        setattr(holder, which, given_up)
        with pytest.raises(KafkaError, match="Unexpected"):
            thread.go_on()
        setattr(holder, which, before)

    beside(Broker(), story)


def test_who_waits_for_records_is_told_of_no_failure_that_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    errors: list[Exception] = [KafkaError("Unexpected error"), RecordTooLargeError()]

    async def refuse(*_: Any, **__: Any) -> None:
        raise errors.pop(0)

    monkeypatch.setattr("faust.transport.drivers.aiokafka.AIOKafkaConsumerThread._fetch_records", refuse)

    async def story() -> None:
        thread = Thread(None)
        thread.app = cast(Any, SimpleNamespace(consumer_generation_id=1))
        consumer = SimpleNamespace(_subscription=SubscriptionState())
        assert await thread._fetch_records(consumer, None) == {}
        with pytest.raises(RecordTooLargeError):
            await thread._fetch_records(consumer, None)

    asyncio.run(story())


class NoBrokers(AIOKafkaClient):  # type: ignore[misc]
    """Beside a broker that has just begun, and lists none."""

    async def bootstrap(self) -> None: ...

    async def _metadata_update(self, cluster: ClusterMetadata, topics: Any) -> bool:
        return False


def test_brokers_that_have_just_begun_are_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("projections.transport.kafka.AIOKafkaClient", NoBrokers)
    with pytest.raises(KafkaError) as said:
        asyncio.run(transport.partitions_of("127.0.0.1:1", TOPIC))
    assert transport.is_away(said.value)


def test_no_consumer_begins_beside_brokers_that_have_just_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    async def begin(self: Any) -> None:
        self._consumer._client = NoBrokers()

    monkeypatch.setattr("faust.transport.drivers.aiokafka.AIOKafkaConsumerThread.on_start", begin)

    async def story() -> None:
        with pytest.raises(KafkaError) as said:
            await Thread(None).on_start()
        assert transport.is_away(said.value)

    asyncio.run(story())
