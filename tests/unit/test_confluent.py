"""Confluent's wire format: the same body behind another beginning, and nothing is lost where its id is not known."""

import json

import pytest

from commands.framing import Unframed
from commands.intake import Message
from commands.ports import StoreUnavailable
from schemas.codec import UnknownSchema, decode_command, encode_command, encode_event, encode_reply
from schemas.confluent import Frames, frame, framed, heads, subjects
from schemas.registry import NEWEST, SCHEMAS, Schema
from schemas.topics import Topics
from tests.support.examples import COMMAND_EXAMPLES, EVENT_EXAMPLES, REPLY_EXAMPLE, T0

TOPICS = Topics("licensing")
ALL = TOPICS.commands, TOPICS.events, TOPICS.replies
IDS = {f"{one.name}.v{one.version}": number for number, one in enumerate(SCHEMAS, 1000)}
TEXTS = {number: one.text for number, one in enumerate(SCHEMAS, 1000)}


def id_of(subject: str, schema: Schema) -> int:
    return IDS[f"{schema.name}.v{schema.version}"]


HEADS = heads(TOPICS, ALL, id_of)
VALUES = [
    *((TOPICS.commands, type(one).__name__, encode_command(one)) for one in COMMAND_EXAMPLES),
    *((TOPICS.events, one.type, encode_event(one)) for one in EVENT_EXAMPLES),
    (TOPICS.replies, "Reply", encode_reply(REPLY_EXAMPLE)),
]


def learned() -> Frames:
    frames = Frames()
    for number, text in TEXTS.items():
        frames.learn(number, text)
    return frames


@pytest.mark.parametrize(("topic", "name", "value"), VALUES)
def test_a_value_goes_out_behind_its_id_and_comes_back(topic: str, name: str, value: bytes) -> None:
    out = framed(HEADS, topic, value)
    assert out is not None
    assert out[0] == 0
    assert int.from_bytes(out[1:5], "big") == IDS[f"{name}.v{NEWEST[name].version}"]
    assert out[5:] == value[10:]
    assert learned().plain(out) == value
    assert learned().plain(value) == value


def test_what_is_no_message_of_its_topic_goes_out_as_it_is() -> None:
    command = encode_command(COMMAND_EXAMPLES[0])
    assert framed(HEADS, TOPICS.events, command) == command
    assert framed(HEADS, TOPICS.dead_letters, command) == command
    assert framed(HEADS, TOPICS.commands, None) is None
    assert framed(HEADS, TOPICS.commands, b"junk") == b"junk"


def test_every_message_has_a_subject_of_its_topic_and_the_journal_has_none() -> None:
    found = [(topic, subject, f"{schema.name}.v{schema.version}") for topic, subject, schema in subjects(TOPICS)]
    assert (TOPICS.events, "licensing.events-licensing.LicenseAcquired", "LicenseAcquired.v1") in found
    assert (TOPICS.commands, "licensing.commands-licensing.SetPlan", "SetPlan.v1") in found
    assert (TOPICS.replies, "licensing.replies-licensing.Reply", "Reply.v1") in found
    assert (TOPICS.events, "licensing.events-licensing.PlanSet", "PlanSet.v1") in found
    versions = [version for _, _, version in found]
    assert versions.index("LicenseAcquired.v1") < versions.index("LicenseAcquired.v2")
    assert set(versions) == {v for v in IDS if not v.startswith("JournalBatch")}


def test_an_id_is_asked_for_once() -> None:
    frames, out = Frames(), frame(7) + b"body"
    assert frames.unknown(out) == 7
    assert frames.plain(out) == out
    with pytest.raises(UnknownSchema, match="with the id 7 of a schema registry"):
        decode_command(out)
    frames.learn(7, TEXTS[IDS["SetPlan.v1"]])
    assert frames.unknown(out) is None
    assert frames.plain(out) == encode_command(COMMAND_EXAMPLES[0])[:10] + b"body"
    for nothing in (None, b"", b"\x00\x00\x00\x07", encode_command(COMMAND_EXAMPLES[0])):
        assert frames.unknown(nothing) is None


def test_a_schema_of_a_newer_release_is_an_unknown_one_and_so_is_an_unfit_one() -> None:
    frames = Frames()
    newer = json.loads(TEXTS[IDS["SetPlan.v1"]])
    newer["fields"].append({"name": "promotion", "type": "string", "default": ""})
    frames.learn(1, json.dumps(newer))
    assert frames.plain(frame(1))[:2] == b"\xc3\x01"
    frames.learn(2, json.dumps({"type": "array", "items": "null"}))
    assert frames.plain(frame(2)) == frame(2)
    for number in (1, 2):
        assert frames.unknown(frame(number)) is None
        with pytest.raises(UnknownSchema):
            decode_command(frames.plain(frame(number)))


def test_spaces_and_documentation_do_not_count() -> None:
    frames = Frames()
    frames.learn(1, json.dumps(json.loads(TEXTS[IDS["AcquireLicense.v2"]]), indent=7).replace("device", "gadget", 0))
    (value,) = (v for _, name, v in VALUES if name == "AcquireLicense")
    assert frames.plain(frame(1) + value[10:]) == value


def test_a_message_is_taken_in_and_what_the_registry_does_not_have_stays_as_it_came() -> None:
    asked: list[int] = []

    def text(number: int) -> str | None:
        asked.append(number)
        return TEXTS.get(number)

    take = Unframed(text)
    value = encode_command(COMMAND_EXAMPLES[0])
    out = framed(HEADS, TOPICS.commands, value)
    for _ in range(3):
        assert take(Message(3, T0, b"k", out, (("h", None),))) == Message(3, T0, b"k", value, (("h", None),))
    assert asked == [IDS["SetPlan.v1"]]
    for other in (None, b"", b"\x00", value, frame(9) + b"body"):
        assert take(Message(0, T0, None, other)).value == other
    assert asked == [IDS["SetPlan.v1"], 9]


def test_a_registry_that_is_away_is_waited_for() -> None:
    def away(number: int) -> str | None:
        raise StoreUnavailable("away")

    with pytest.raises(StoreUnavailable):
        Unframed(away)(Message(0, T0, None, frame(9) + b"body"))
