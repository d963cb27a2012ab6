"""What the policies topic says, message by message: which documents count, which are refused and why.

It follows from the topic alone, so every handler, at every start, comes to the same. Times are int milliseconds since
the epoch, UTC.
"""

from datetime import UTC, datetime
from typing import NamedTuple

from commands.policies import FOR_EVER, LEAD, Timeline
from commands.policy import Policy
from commands.policy_file import read_document


class Record(NamedTuple):
    """One message of the topic; `appended` is when the broker took it."""

    offset: int
    appended: int
    key: bytes | None
    value: bytes | None


class Refusal(NamedTuple):
    """A message that no policy came of."""

    offset: int
    key: str
    why: str


class PolicyLog:
    """The topic as read so far. `published`: the policies that count, in order; `refused`: by key, what does not."""

    def __init__(self, first: Policy) -> None:
        self.first = first
        self.published: list[Policy] = []
        self.refused: dict[str, Refusal] = {}
        self._contents: dict[str, bytes] = {}

    def add(self, record: Record) -> Policy | Refusal | None:
        """Take the next message; None if it changes nothing."""
        key = (record.key or b"").decode("utf-8", "replace")
        if record.value == self._contents.get(key):  # as it is already; for a key without a policy: a tombstone
            self.refused.pop(key, None)
            return None
        try:
            policy = self._read(key, record)
        except Exception as error:  # also what no check foresees: one message must not stop the handlers
            self.refused[key] = refusal = Refusal(record.offset, key, str(error))
            return refusal
        self.refused.pop(key, None)
        self.published.append(policy)
        self._contents[policy.version] = record.value or b""
        return policy

    def has(self, version: str, content: bytes) -> bool:
        """Whether this very document counts already."""
        return self._contents.get(version) == content

    def timeline(self, known_until: int = FOR_EVER) -> Timeline:
        """What was read, by time."""
        return Timeline(self.first, self.published, known_until)

    def why_not(self, policy: Policy, appended: int) -> str | None:
        """Why a policy does not count that the broker takes at that time; None if it does."""
        if policy.version in self._contents:
            return (
                f"version {policy.version} is published already, and is another document: give this one its own version"
            )
        soonest = appended + LEAD
        if self.published and policy.effective_from < soonest:
            return too_soon(policy, soonest)
        return None

    def _read(self, key: str, record: Record) -> Policy:
        if record.value is None:
            raise ValueError(f"version {key} may have been decided under and cannot be taken back")
        policy = read_document(record.value, f"message {record.offset}").policy()
        if policy.version != key:
            raise ValueError(f"the key is {key!r}, not the version {policy.version}")
        if why := self.why_not(policy, record.appended):
            raise ValueError(why)
        return policy


def too_soon(policy: Policy, soonest: int) -> str:
    """What to say of a policy that would take effect before the soonest time for it."""
    return (
        f"effective_from is {_said(policy.effective_from)}, and {_said(soonest)} is the soonest:"
        f" {LEAD // 1000} seconds after publishing"
    )


def _said(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="seconds")
