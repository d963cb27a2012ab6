"""What `licensing status` says of versions: what is stored in others, what to do, who waits for a newer release."""

import json
from datetime import UTC, datetime

from commands.account import STATE_VERSION
from commands.handler import NEWER
from ops import versions
from ops.versions import Version, Waiting, of_snapshots
from projections.views import VIEWS


def test_snapshots_of_this_state_version_need_nothing() -> None:
    assert of_snapshots({STATE_VERSION: 7}) == Version("snapshots", str(STATE_VERSION), str(STATE_VERSION), None)
    assert of_snapshots({}) == Version("snapshots", str(STATE_VERSION), "-", None)


def test_snapshots_of_another_state_version_are_replayed_over() -> None:
    found = of_snapshots({STATE_VERSION: 7, STATE_VERSION + 1: 3})
    assert found.stored == f"{STATE_VERSION}, {STATE_VERSION + 1}"
    assert found.to_do is not None
    assert found.to_do.startswith("3 of 10 that were looked at are ignored")


def test_a_view_that_another_version_filled_is_to_be_rebuilt() -> None:
    ours = VIEWS["licenses"].VERSION
    assert versions._of_view("licenses", ours, "1", ours).to_do is None
    assert versions._of_view("licenses", ours, f"{ours}.7", ours) == Version(
        "view licenses", ours, ours, None, f"{ours}.7"
    )
    assert versions._of_view("licenses", ours, None, None) == Version("view licenses", ours, "-", None)
    found = versions._of_view("licenses", "2", "1.3", "1")
    assert (found.ours, found.stored, found.generation) == ("2", "1", "1.3")
    assert found.to_do is not None
    assert "`licensing rebuild licenses`" in found.to_do


def test_a_handler_waits_for_as_long_as_it_says_so() -> None:
    now = datetime(2026, 11, 24, 12, tzinfo=UTC).timestamp()

    def line(shard: int, needs: str, ago: float) -> str:
        at = datetime.fromtimestamp(now - ago, UTC).isoformat().replace("+00:00", "Z")
        return json.dumps({"shard": shard, "needs": needs, "event": "shard_needs_newer_release", "timestamp": at})

    said = [
        line(2, "long ago", 2 * NEWER + 1),
        line(3, "earlier", NEWER),
        "not JSON at all",
        '{"event": "shard_taken_over", "shard": 1}',
        line(3, "LicenseAcquired.v3", 1),
        line(0, "JournalBatch", 2),
    ]
    assert versions._of_handler("\n".join(said), now) == [
        Waiting("handler", 0, "JournalBatch"),
        Waiting("handler", 3, "LicenseAcquired.v3"),
    ]
    assert versions._of_handler("", now) == []
