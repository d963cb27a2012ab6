"""The client and a schema registry: both forms of replies, the wanted form of commands, and who waits for what."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from commands.client.framing import Framing
from schemas.codec import encode_command, encode_reply
from schemas.confluent import frame
from schemas.registry import NEWEST
from schemas.topics import Topics
from tests.support.examples import COMMAND_EXAMPLES, REPLY_EXAMPLE
from tests.support.memory_registry import IDS, TEXTS, Registry
from tests.support.processes import eventually

TOPICS = Topics("licensing")
REPLY_ID = IDS["Reply.v1"]
PLAIN = encode_reply(REPLY_EXAMPLE)
FRAMED = frame(REPLY_ID) + PLAIN[10:]


@contextmanager
def framing(registry: Registry | None, framed: bool = True) -> Iterator[Framing]:
    framing = Framing(TOPICS, registry, framed=framed)
    yield framing
    framing.close()


def read(framing: Framing, *values: bytes) -> list[bytes]:
    """What is given for these values, all waits over."""
    found = framing.replies(list(values))

    def done() -> bool:
        found.extend(framing.replies([]))
        return not framing.waits

    eventually(done, what="no reply waits")
    return found


def test_without_a_registry_all_stays_as_it_is_and_what_is_missing_is_named() -> None:
    with framing(None) as without:
        assert without.ready
        assert without.command(encode_command(COMMAND_EXAMPLES[0])) == encode_command(COMMAND_EXAMPLES[0])
        assert without.replies([PLAIN, FRAMED]) == [PLAIN, FRAMED]
        assert "Client(..., registry=" in str(without.unread(FRAMED))
        assert without.unread(b"junk") is None


@pytest.mark.parametrize("command", COMMAND_EXAMPLES, ids=lambda one: type(one).__name__)
def test_a_command_goes_out_behind_its_id(command: Any) -> None:
    registry = Registry()
    with framing(registry) as both:
        eventually(lambda: both.ready, what="the ids of the commands are known")
        name = f"{type(command).__name__}.v{NEWEST[type(command).__name__].version}"
        assert both.command(encode_command(command)) == frame(IDS[name]) + encode_command(command)[10:]
    assert {subject.partition("-")[0] for subject in registry.subjects} == {TOPICS.commands}


def test_replies_are_read_in_both_forms_and_an_id_is_asked_for_once() -> None:
    registry = Registry()
    with framing(registry) as both:
        assert sorted(read(both, FRAMED, PLAIN, FRAMED)) == [PLAIN] * 3
        assert both.replies([FRAMED, PLAIN]) == [PLAIN] * 2
    assert registry.asked == [REPLY_ID]


def test_they_are_read_where_commands_are_not_framed_yet() -> None:
    registry = Registry()
    with framing(registry, framed=False) as half:
        assert half.ready
        assert half.command(encode_command(COMMAND_EXAMPLES[0])) == encode_command(COMMAND_EXAMPLES[0])
        assert read(half, FRAMED) == [PLAIN]
    assert registry.subjects == []


def test_a_registry_that_is_away_holds_up_what_it_has_to_be_asked_for_and_nothing_else() -> None:
    registry = Registry(away=True)
    others = [PLAIN[:-1] + bytes([last]) for last in range(3)]
    with framing(registry) as both:
        eventually(lambda: "TimeoutError: it does not answer" in str(both.trouble), what="it says what is wrong")
        assert not both.ready
        assert both.replies([frame(REPLY_ID) + others[0][10:], PLAIN, frame(REPLY_ID) + others[1][10:]]) == [PLAIN]
        assert both.replies([frame(REPLY_ID) + others[2][10:]]) == []
        assert both.waits
        registry.away = False
        assert read(both) == others  # in the order in which they came
        assert both.ready
        eventually(lambda: both.trouble is None, what="all is well")


def test_an_id_that_it_does_not_answer_about_does_not_hold_up_another() -> None:
    registry = Registry()
    registry.slow = {7}
    with framing(registry) as both:
        assert both.replies([frame(7) + b"x", FRAMED]) == []
        eventually(lambda: both.replies([]) == [PLAIN], what="the other one is read")
        assert both.waits


@pytest.mark.parametrize("text", [None, '{"type": "record", "fields": []}', "no JSON"])
def test_what_the_registry_does_not_have_or_is_no_schema_is_passed_over(
    text: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = Registry()
    if text is not None:
        monkeypatch.setitem(TEXTS, 9, text)
    with framing(registry) as both:
        assert read(both, frame(9) + b"x", FRAMED) in ([frame(9) + b"x", PLAIN], [PLAIN, frame(9) + b"x"])
        assert both.replies([frame(9) + b"y"]) == [frame(9) + b"y"]
        assert "no schema with the id 9" in str(both.unread(frame(9) + b"y"))
    assert registry.asked.count(9) == 1


def test_what_waits_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("commands.client.framing._HELD", 2)
    registry = Registry(away=True)
    with framing(registry, framed=False) as both:
        both.replies([FRAMED])
        assert both.room
        both.replies([FRAMED])
        assert not both.room
        registry.away = False
        assert len(read(both)) == 2
        assert both.room


def test_it_lets_go_of_the_registry() -> None:
    registry = Registry(away=True)
    with framing(registry):
        pass
    eventually(lambda: registry.closed, what="it is closed")
