"""What the policies topic comes to, message by message."""

from datetime import UTC, datetime

import pytest

from commands.account import DAY
from commands.policies import LEAD
from commands.policy import Policy
from commands.policy_log import PolicyLog, Record, Refusal
from tests.support.examples import POLICY, T0
from tests.unit.test_policy_file import GOOD


def document(version: str, effective_from: int, devices: int = 1) -> bytes:
    moment = datetime.fromtimestamp(effective_from / 1000, UTC).isoformat()
    text = GOOD.replace("v1", version).replace("2026-06-30T00:00:00Z", moment)
    return text.replace("basic: {devices: 1}", f"basic: {{devices: {devices}}}").encode()


class Topic:
    """A log that is fed; `says` is what came of the last message."""

    def __init__(self) -> None:
        self.log = PolicyLog(POLICY)
        self.says: Policy | Refusal | None = None
        self._offset = 0

    def put(self, key: str | None, value: bytes | None, at: int = T0) -> "Topic":
        self.says = self.log.add(Record(self._offset, at, None if key is None else key.encode(), value))
        self._offset += 1
        return self

    def versions(self) -> list[str]:
        return [policy.version for policy in self.log.timeline().policies]

    def refused(self) -> str:
        assert isinstance(self.says, Refusal)
        return self.says.why


@pytest.fixture
def topic() -> Topic:
    return Topic().put("first", document("first", T0 - DAY))


def test_the_first_may_take_effect_at_any_time(topic: Topic) -> None:
    assert topic.versions() == ["test", "first"]
    assert not topic.log.refused


def test_a_later_one_needs_its_time(topic: Topic) -> None:
    topic.put("late", document("late", T0 + DAY - 1), at=T0 + DAY - LEAD)
    assert "is the soonest: 30 seconds after publishing" in topic.refused()
    topic.put("in-time", document("in-time", T0 + DAY), at=T0 + DAY - LEAD)
    assert topic.versions() == ["test", "first", "in-time"]


def test_a_version_is_one_document_for_ever(topic: Topic) -> None:
    good = document("next", T0 + DAY)
    topic.put("next", good).put("next", document("next", T0 + 2 * DAY))
    assert "is another document" in topic.refused()
    assert topic.versions() == ["test", "first", "next"]
    topic.put("next", good, at=T0 + 9 * DAY)  # sent again, long after: nothing new, and put right
    assert topic.says is None
    assert not topic.log.refused
    assert topic.versions() == ["test", "first", "next"]


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        ("bad", b"plans: [", "is not YAML"),
        ("bad", b"", "is no mapping"),
        ("bad", document("good", T0 + DAY), "the key is 'bad', not the version good"),
        (None, document("good", T0 + DAY), "the key is '', not the version good"),
        ("first", None, "cannot be taken back"),
        ("first", b"version: first", "Field required"),
    ],
)
def test_a_bad_message_changes_nothing_and_is_named(
    topic: Topic, key: str | None, value: bytes | None, why: str
) -> None:
    before = topic.versions()
    topic.put(key, value)
    assert why in topic.refused()
    assert list(topic.log.refused.values()) == [topic.says]
    assert topic.versions() == before


def test_a_refusal_is_forgotten_with_its_message_or_when_the_version_is_put_right(topic: Topic) -> None:
    topic.put("oops", b"?").put("late", document("late", T0))
    assert set(topic.log.refused) == {"oops", "late"}
    topic.put("oops", None).put("late", document("late", T0 + DAY)).put("never-there", None)
    assert topic.log.refused == {}
    assert topic.versions() == ["test", "first", "late"]


def test_a_message_that_no_check_foresees_is_refused_too(topic: Topic, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RecursionError("too deep")

    monkeypatch.setattr("commands.policy_log.read_document", broken)
    topic.put("deep", b"x")
    assert topic.refused() == "too deep"
