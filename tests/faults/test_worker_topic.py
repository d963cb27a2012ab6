"""What a topic may hold: copies, gaps, junk, a newer writer, nothing any more."""

import signal
import time

import pytest
import redis

from ops import kafka
from ops.kafka.changes import delete_before
from projections.redis_model.keys import Keys
from schemas.codec import encode_event
from tests.faults.worker_support import Ground, pause, until, wake
from tests.support.space import Space

LOYAL = {"LICENSING_SESSION_TIMEOUT_MS": "60000"}  # the group does not notice when the worker sleeps, or hardly gets on


@pytest.fixture
def ground(space: Space) -> Ground:
    return Ground(space)


def test_the_whole_topic_twice_more_changes_nothing(ground: Ground) -> None:
    history = ground.history()
    ground.write(history)
    with ground.worker():
        ground.check(history)
        ground.write(history)
        ground.write(history)
        ground.check(history)


def test_versions_missing_on_the_topic_are_read_from_the_store(ground: Ground) -> None:
    history = ground.history()
    last = {envelope.account_id: envelope for envelope in history}
    ground.store(history)
    ground.write(e for n, e in enumerate(history) if n % 200 or last[e.account_id] is e)
    with ground.worker() as worker:
        ground.check(history)
        assert worker.said("versions missing on the topic")


def test_versions_missing_everywhere_end_the_worker(ground: Ground) -> None:
    history = ground.history(100, accounts=1)
    ground.write(history[10:])
    with ground.worker() as worker:
        assert worker.exit_code() == 1
        assert worker.said("versions 1 to 10 are not all in the event store")
    assert ground.documents() == {}


@pytest.mark.parametrize("missing", ["keyspace", "table"])
def test_a_store_that_was_never_created_ends_the_worker(ground: Ground, missing: str) -> None:
    session = ground.space.session()
    try:
        session.execute(f"DROP {missing} {ground.space.name}{'.events' if missing == 'table' else ''}")
    finally:
        session.cluster.shutdown()
    ground.write(ground.history(100, accounts=1)[10:])
    with ground.worker() as worker:
        assert worker.exit_code() == 1
        assert worker.said("create the topics and tables with: licensing init")
        assert not worker.said("waiting for a server")


def test_junk_goes_to_the_dead_letters_and_the_rest_goes_on(ground: Ground) -> None:
    history = ground.history()
    ground.write(history[:6000])
    foreign = history[0]
    junk: list[tuple[int, bytes | None, bytes | None]] = [
        (0, b"key", b"no event"), (1, None, None), (2, b"key", encode_event(foreign)[:-1]),
        (3, b"another account", encode_event(foreign)),
    ]  # fmt: skip
    ground.write_raw(ground.settings.topics.events, junk)
    ground.write(history[6000:])
    with ground.worker():
        ground.check(history)
    letters = ground.read_topic(ground.settings.topics.dead_letters, 4)
    # The client refuses a record without key and value, so that one comes with an empty key.
    junk[1] = (1, b"", None)
    assert sorted(((m.partition(), m.key(), m.value()) for m in letters), key=lambda one: one[0] or 0) == junk
    for letter in letters:
        headers = dict(letter.headers() or [])
        assert headers["trace"] == b"t1"
        assert headers["__dlq.errors.topic"] == ground.settings.topics.events.encode()
        assert headers["__dlq.errors.partition"] == str(letter.partition()).encode()
        assert int(headers["__dlq.errors.offset"] or b"-1") >= 0
        assert headers["__dlq.errors.exception"] == b"DecodeError"
        assert headers["__dlq.errors.message"]
        assert headers["__dlq.errors.stage"] == b"decode"


def test_a_newer_version_stops_its_partition_and_no_other(ground: Ground) -> None:
    history = ground.history(2000)
    ground.write(history[:1000])
    newer = ground.ends[0]
    ground.write_raw(ground.settings.topics.events, [(0, b"key", b"\xc3\x01" + bytes(8) + b"newer")])
    with ground.worker(release=LOYAL) as worker:  # each rebalance looks again, and says so
        until("the worker says so", lambda: worker.said("partition waits for a newer release") > 0)
        ground.write(history[1000:])
        until("the others go on", lambda: ground.views.positions(ground.view) == ground.ends | {0: newer})
        assert worker.said("partition waits for a newer release") == 1
        assert ground.views.waiting(ground.view) == {0: f"no schema with the fingerprint {'00' * 8}"}
        worker.send(signal.SIGTERM)
        assert worker.exit_code() == 0
    seen = [e for e in history if ground.partition(e)] + [e for e in history[:1000] if not ground.partition(e)]
    assert ground.documents() == ground.expected(seen)


def test_an_error_that_nobody_expects_ends_the_worker(ground: Ground) -> None:
    keys = Keys(ground.settings.namespace, ground.view, "1")
    with redis.Redis.from_url(ground.settings.redis) as client:
        client.set(f"{keys.prefix}{{p0}}:versions", "not a hash")
    ground.write(ground.history(100))
    with ground.worker() as worker:
        assert worker.exit_code() == 1
        assert worker.said("WRONGTYPE")


def test_a_topic_that_lost_its_beginning_ends_the_worker(ground: Ground) -> None:
    ground.write(ground.history(1000))
    delete_before(ground.settings.kafka, ground.settings.topics.events, {0: 10})
    with ground.worker() as worker:
        assert worker.exit_code() == 1
        assert worker.said("rebuild the view from the event store")


def test_a_topic_that_loses_what_comes_next_while_a_worker_sleeps_ends_the_worker(ground: Ground) -> None:
    """Kafka's client would go on with what is left, and accounts that have no later events would be wrong for ever."""
    history = ground.history(4000)
    ground.write(history[:1000])
    with ground.worker(release=LOYAL) as worker:
        ground.check(history[:1000])
        time.sleep(1.0)  # so that it has asked for more, and
        pause(worker.process.pid)
        time.sleep(3.0)  # the broker has told it that there is none
        seen = ground.ends[0]
        ground.write(history[1000:])
        delete_before(ground.settings.kafka, ground.settings.topics.events, {0: seen + 100})
        wake(worker.process.pid)
        assert worker.exit_code() == 1
        assert worker.said(f"from offset {seen}, and the topic has {seen + 100} to")
    assert ground.positions("1")[0] == seen


def test_the_group_commits_what_the_view_has_seen(ground: Ground) -> None:
    history = ground.history(1000)
    ground.write(history)
    with ground.worker() as worker:
        ground.check(history)
        worker.send(signal.SIGTERM)
        assert worker.exit_code() == 0
    group = f"{ground.settings.namespace}.{ground.view}@1"
    assert kafka.committed(ground.settings.kafka, group, ground.settings.topics.events) == ground.ends
    until("nothing more", lambda: ground.documents() == ground.expected(history))
