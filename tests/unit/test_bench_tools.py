"""What the rows measure with: a peer that is asked, sending by the clock, percentiles, a handler's partitions."""

import sys
import time
from math import isnan
from pathlib import Path

import pytest

from ops.bench import pekko
from ops.bench.handled import owned
from ops.bench.open_loop import percentile, send
from ops.bench.peer import Peer, PeerEnded

ECHO = 'import sys\nfor line in sys.stdin: print(\'{"said": "%s"}\' % line.strip(), flush=True)'


def a_peer(tmp_path: Path, code: str) -> Peer:
    return Peer([sys.executable, "-c", code], tmp_path / "logs" / "peer.log", {})


def test_a_peer_answers_each_line_and_ends_with_its_stdin(tmp_path: Path) -> None:
    peer = a_peer(tmp_path, ECHO)
    try:
        assert peer.ask("one") == {"said": "one"}
        assert peer.ask("two") == {"said": "two"}
    finally:
        peer.close()


@pytest.mark.parametrize("code", ["raise SystemExit('no luck')", "import sys; input(); sys.exit('no luck')"])
def test_a_peer_that_ends_is_said_with_the_end_of_its_log(tmp_path: Path, code: str) -> None:
    peer = a_peer(tmp_path, code)
    try:
        with pytest.raises(PeerEnded, match="no luck"):
            peer.ask("one")
    finally:
        peer.close()


def test_a_peer_that_does_not_answer_is_ended(tmp_path: Path) -> None:
    peer = a_peer(tmp_path, "import time; time.sleep(60)")
    try:
        with pytest.raises(PeerEnded):
            peer.ask("one", patience=0.1)
    finally:
        peer.close()


def test_messages_are_due_by_the_clock_also_after_a_slow_one() -> None:
    late: dict[int, float] = {}

    def one(number: int, due: float) -> None:
        late[number] = time.monotonic() - due
        if number == 2:
            time.sleep(0.1)

    began = time.monotonic()
    send(30, 200, one, time.sleep)
    took = time.monotonic() - began
    assert list(late) == list(range(30))
    assert took >= 29 / 200
    assert late[3] > 0.08, "the one after the slow one is late, and its wait counts from when it was due"


def test_percentiles_are_waits_that_were_seen() -> None:
    assert percentile([3, 1, 2, 4], 0.5) == 2
    assert percentile(range(1, 101), 0.99) == 99
    assert percentile([7], 0.99) == 7
    assert isnan(percentile([], 0.5))


def test_the_partitions_of_a_handler_by_its_log() -> None:
    said = [
        'Python said something {"event": 1}',
        '{"event": "shard_taken_over", "shard": 0}',
        '{"event": "shard_taken_over", "shard": 1}',
        '{"event": "partitions_revoked", "partitions": [1]}',
        '{"event": "shard_taken_over", "shard": 2}',
        '{"event": "shard_taken_ov',
    ]
    assert owned("\n".join(said)) == {0, 2}


def test_the_version_of_pekko_is_that_of_its_pom() -> None:
    assert pekko.version().startswith("1.")
