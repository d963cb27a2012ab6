"""What the command line sends and reads where SCHEMA_REGISTRY_URL is set, and where it is not."""

import pytest

from commands.ports import StoreUnavailable
from ops.framing import from_topic, to_topic
from schemas.codec import UnknownSchema, decode_reply, encode_command, encode_reply
from schemas.confluent import frame
from schemas.registry import SCHEMAS, Schema
from schemas.topics import Topics
from tests.support.examples import COMMAND_EXAMPLES, REPLY_EXAMPLE

TOPICS = Topics("licensing")
NUMBERS = {one.text: number for number, one in enumerate(SCHEMAS, 1000)}
COMMAND, REPLY = encode_command(COMMAND_EXAMPLES[0]), encode_reply(REPLY_EXAMPLE)
REPLY_ID = next(NUMBERS[one.text] for one in SCHEMAS if one.name == "Reply")


class Registry:
    """A registry that has every schema, and answers until it is `away`."""

    away = False

    def __init__(self, url: str) -> None:
        assert url == "http://registry"

    def text(self, number: int) -> str | None:
        if Registry.away:
            raise StoreUnavailable("schema registry: away")
        return next((text for text, found in NUMBERS.items() if found == number), None)

    def id_of(self, subject: str, schema: Schema) -> int:
        return NUMBERS[schema.text]


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> type[Registry]:
    monkeypatch.setenv("SCHEMA_REGISTRY_URL", "http://registry")
    monkeypatch.setattr("commands.kafka.registry.Registry", Registry)
    monkeypatch.setattr(Registry, "away", False)
    return Registry


@pytest.mark.usefixtures("registry")
def test_replies_are_read_in_both_forms_and_commands_sent_in_one() -> None:
    plain = from_topic()
    assert decode_reply(plain(frame(REPLY_ID) + REPLY[10:])) == decode_reply(plain(REPLY)) == REPLY_EXAMPLE
    out = to_topic(TOPICS, TOPICS.commands)(COMMAND)
    assert out is not None
    assert (out[:1], out[5:]) == (b"\0", COMMAND[10:])
    assert plain(out) == COMMAND


def test_a_registry_that_is_away_is_said_to_be(registry: type[Registry]) -> None:
    plain, registry.away = from_topic(), True
    assert plain(REPLY) == REPLY
    with pytest.raises(StoreUnavailable):
        plain(frame(REPLY_ID) + REPLY[10:])


def test_without_it_all_stays_as_it_is_and_the_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SCHEMA_REGISTRY_URL", raising=False)
    assert to_topic(TOPICS, TOPICS.commands)(COMMAND) == COMMAND
    with pytest.raises(UnknownSchema, match="SCHEMA_REGISTRY_URL is not set"):
        decode_reply(from_topic()(frame(REPLY_ID) + REPLY[10:]))
