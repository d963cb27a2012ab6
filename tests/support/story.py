"""What a run left behind, read from the stores, and the invariants that it has to keep (I1 to I6 of the design)."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from commands.account import fold, initial
from commands.batch import Decided, read_body
from commands.places import active
from commands.policy import Policy
from commands.ports import Row
from schemas.codec import decode_reply
from schemas.events import Envelope


@dataclass(frozen=True, slots=True)
class Story:
    """One shard's story: `commands` are the values on its topic partition, the others what came of them.

    `stored`: the event rows of the shard's accounts. `events`, `replies`, `dead_letters`: values on the topics.
    """

    commands: Sequence[bytes | None]
    rows: Sequence[Row]
    stored: dict[str, list[Envelope]]
    events: Sequence[bytes]
    replies: Sequence[bytes]
    dead_letters: Sequence[bytes | None]


def check(story: Story, policy: Policy) -> None:
    """Assert that the stores tell one story."""
    assert [row.position for row in story.rows] == list(range(len(story.rows)))
    entries = [one for row in story.rows for one in read_body(row.body)[1]]
    # Every message has exactly one outcome, in the order of the topic, with its bytes.
    assert [one.entry.offset for one in entries] == list(range(len(story.commands)))
    assert [one.entry.value for one in entries] == list(story.commands)
    _check_versions(entries, story.stored, policy)
    # On the topic: every event, first copies in order, further copies equal to the byte, nothing uncommitted.
    payloads = [payload for one in entries for payload in one.entry.events]
    assert list(dict.fromkeys(story.events)) == payloads
    _check_answers(entries, story)


def _check_versions(entries: list[Decided], stored: dict[str, list[Envelope]], policy: Policy) -> None:
    """Versions are gapless, event rows are what the journal committed, and limits hold at every moment."""
    committed: dict[str, list[Envelope]] = {}
    for envelope in (envelope for one in entries for envelope in one.envelopes):
        committed.setdefault(envelope.account_id, []).append(envelope)
    assert stored == committed
    for history in committed.values():
        assert [envelope.version for envelope in history] == list(range(1, len(history) + 1))
        assert len({envelope.event_id for envelope in history}) == len(history)
        state = initial()
        for envelope in history:
            state = fold(state, [envelope])
            for held in state.devices.values():
                assert active(held, policy, state.at) <= policy.device_downloads


def _check_answers(entries: list[Decided], story: Story) -> None:
    """Every command is answered, always alike; every other message is a dead letter; retries write nothing."""
    answered = Counter[tuple[str, str]]()
    for reply in map(decode_reply, story.replies):
        answered[reply.command_id, reply.outcome] += 1
    wanted = Counter[tuple[str, str]]()
    accepted: set[str] = set()
    for one in entries:
        if one.command is None:
            continue
        command_id = one.command.command_id
        wanted[command_id, one.entry.outcome] += 1
        if command_id in accepted:
            assert one.entry.outcome == "duplicate"
        elif one.envelopes:
            accepted.add(command_id)
    assert answered.keys() == wanted.keys()
    assert all(answered[key] >= count for key, count in wanted.items())
    assert set(story.dead_letters) == {one.entry.value for one in entries if one.command is None}
