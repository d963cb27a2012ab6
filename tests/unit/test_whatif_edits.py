"""Changed events: the fold of the history that they make, with what could not have happened left out."""

import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from commands.account import Account, apply, initial
from commands.intake import Message
from ops.cli.timeline import document
from ops.whatif.edits import EditError, Edits, changed, find, inserted
from ops.whatif.parted import Parted
from ops.whatif.run import Found, Refolded, change_events
from schemas.events import Envelope
from tests.support import examples as x
from tests.unit.test_batch_properties import histories, messages, often, run
from tests.unit.test_whatif import NOW, compared, documents

streams = st.builds(messages, st.integers(0, 10**9), st.integers(10, 200))


def outcome(history: list[Envelope], edits: Edits) -> tuple[list[Found], Refolded]:
    *found, sums = change_events(x.ACCOUNT, history, edits, NOW)
    assert isinstance(sums, Refolded)
    return found, sums


def parted(found: Sequence[Found]) -> Parted:
    (one,) = [one for one in found if isinstance(one, Parted)]
    return one


def folded(history: Sequence[Envelope]) -> tuple[Account, list[Envelope]]:
    """The plain fold, without events that have nothing to be about; versions anew."""
    state, kept = initial(), list[Envelope]()
    for one in history:
        again = replace(one, version=state.version + 1)
        draft = state.copy()
        try:
            apply(draft, again)
        except KeyError:
            continue
        state = draft
        kept.append(again)
    return state, kept


def of_member(stream: list[Message]) -> list[Envelope]:
    decided, _ = run(stream)
    return histories(decided)[x.ACCOUNT]


@often
@given(streams, st.data())
def test_to_drop_an_event_is_the_fold_without_it(stream: list[Message], data: st.DataObject) -> None:
    history = of_member(stream)
    version = data.draw(st.integers(1, len(history)))
    found, sums = outcome(history, Edits(dropped={version}))
    without = history[: version - 1] + history[version:]
    state, kept = folded(without)
    assert (sums.before, sums.after) == (len(history), len(kept))
    assert [one.event_id for one in sums.impossible] == [
        one.event_id for one in without if one.event_id not in {k.event_id for k in kept}
    ]
    one = parted(found)
    assert (one.was, one.becomes) == (folded(history)[0], state)
    assert history[: one.version] + one.after == kept
    assert documents(found) == compared({x.ACCOUNT: history}, {x.ACCOUNT: kept})


@often
@given(streams, st.data())
def test_to_drop_an_event_and_insert_it_again_makes_no_difference(stream: list[Message], data: st.DataObject) -> None:
    history = of_member(stream)
    version = data.draw(st.integers(1, len(history)))
    line = json.dumps(document(history[version - 1])).encode()
    edits = Edits(dropped={version}, inserted=inserted([line], x.ACCOUNT, history))
    assert outcome(history, edits) == ([], Refolded(len(history), len(history), []))
    assert outcome(history, Edits())[0] == []


def test_what_depends_on_a_dropped_event_is_left_out_and_named() -> None:
    found, sums = outcome(list(x.EVENT_EXAMPLES), Edits(dropped={2}))
    kinds = ["DownloadCompleted", "PlaybackStarted", "LicenseRenewed", "LicenseReleased"]
    assert [one.type for one in sums.impossible] == kinds
    assert [one.type for one in parted(found).after] == ["DeviceDeactivated", "PlanChanged"]
    assert parted(found).becomes.plan == "basic"


def test_another_value_is_folded() -> None:
    history = list(x.EVENT_EXAMPLES[:3])
    for assignment in ("expires_at=2026-03-02T00:00:00Z", f"expires_at={x.day(1)}"):
        found, _ = outcome(history, Edits(changed={2: changed(history[1], assignment)}))
        held = parted(found).becomes.license(x.DEVICE, x.TITLE)
        assert held is not None
        assert held.expires_at == x.day(1)
        assert ("devices.tablet.alien-1979.expires_at", x.day(30), x.day(1)) in parted(found).changes()
    earlier = changed(history[2], f"at={x.T0 - 5}")
    found, _ = outcome(history, Edits(changed={3: earlier}))
    assert parted(found).after[-1].at == x.T0  # never before what has happened already


def test_an_inserted_event_comes_after_all_that_happened_until_its_time() -> None:
    history = list(x.EVENT_EXAMPLES[:5])
    event = {"license_id": "l", "device_id": "tablet", "title_id": "alien-1979"}
    line = json.dumps({"type": "LicenseReleased", "at": "2026-03-02T00:00:00Z", "event": event}).encode()
    ((version, envelope),) = inserted([line, b"\n"], x.ACCOUNT, history)
    assert (version, envelope.at, envelope.event.policy_version) == (5, x.day(1), "what-if")
    found, sums = outcome(history, Edits(inserted=[(version, envelope)]))
    assert [one.type for one in parted(found).after] == ["LicenseReleased"]
    assert [one.type for one in sums.impossible] == ["LicenseRenewed"]
    at_the_end = inserted([line.replace(b"2026-03-02", b"2027-03-02")], x.ACCOUNT, history)
    assert at_the_end[0][0] == 6


def test_events_are_named_by_version_or_id() -> None:
    second = x.EVENT_EXAMPLES[1]
    assert find(x.EVENT_EXAMPLES, "2") is find(x.EVENT_EXAMPLES, second.event_id) is second
    with pytest.raises(EditError, match=r"there is no event 9: .* 1 to 8"):
        find(x.EVENT_EXAMPLES, "9")


@pytest.mark.parametrize(
    ("assignment", "why"),
    [
        ("expires_at", "not FIELD=VALUE with a field of LicenseAcquired: license_id, device_id"),
        ("plan=x", "not FIELD=VALUE"),
        ("expires_at=soon", "expires_at cannot be soon: not a time such as"),
        ("download_quality=best", "download_quality cannot be best: invalid enum value"),
    ],
)
def test_a_value_that_cannot_be_is_said(assignment: str, why: str) -> None:
    with pytest.raises(EditError, match=why):
        changed(x.EVENT_EXAMPLES[1], assignment)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"{", "line 1: "),
        (b"[]", "line 1: not an object such as"),
        (b'{"type": "Fly", "at": 1, "event": {}}', "line 1: type is Fly, which is no event of member-1"),
        (b'{"type": "PlanChosen", "event": {"plan": "x"}}', "line 1: .*int"),
        (b'{"type": "PlanChosen", "at": 1, "event": {}}', "line 1: .*`plan`"),
    ],
)
def test_a_line_that_is_no_event_is_said(line: bytes, why: str) -> None:
    with pytest.raises(EditError, match=why):
        inserted([line], x.ACCOUNT, x.EVENT_EXAMPLES)
