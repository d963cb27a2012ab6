"""JSON lines become commands, and each bad line is named with what is wrong in it."""

import json
import re
from typing import Any
from uuid import UUID

import pytest

from ops.jsonl import LineError, messages, parse
from schemas.codec import decode_command
from schemas.commands import AcquireLicense, SetPlan

ACQUIRE = {"type": "AcquireLicense", "account_id": "a", "device_id": "d", "title_id": "casablanca-1942"}
ID = "0f4c2a52-6f0a-4c4e-9f0e-3f6f6a3b2c1d"


def line(**changes: Any) -> bytes:
    row = {**ACQUIRE, **changes}
    return json.dumps({name: value for name, value in row.items() if value is not ...}).encode()


def test_a_line_becomes_a_message_with_the_account_as_its_key() -> None:
    message = parse(line(command_id=ID, correlation_id="c", at="2026-05-01T20:15:00Z"))
    assert message.value is not None
    assert decode_command(message.value) == AcquireLicense(ID, "a", "c", "d", "casablanca-1942")
    assert (message.key, message.timestamp, message.command_id) == (b"a", 1_777_666_500_000, ID)


def test_a_field_with_a_default_may_be_given() -> None:
    message = parse(line(download_quality="high"))
    assert decode_command(message.value or b"").download_quality == "high"  # type: ignore[union-attr]


def test_a_command_without_an_id_gets_one_and_without_a_time_is_sent_as_of_now() -> None:
    message = parse(line())
    assert message.timestamp is None
    assert UUID(message.command_id).version == 4


def test_a_time_may_be_milliseconds_or_carry_an_offset() -> None:
    assert parse(line(at=1_777_666_500_000)).timestamp == parse(line(at="2026-05-01T22:15:00+02:00")).timestamp


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"{", "not JSON at column"),
        (b'{"type": "\xff"}', "not UTF-8 at byte"),
        (b"[" * 100_000, "nested too deeply"),
        (b"[1]", "not a JSON object"),
        (line(type="Buy"), 'type is "Buy", not one of SetPlan'),
        (line(type=["SetPlan"]), "type is"),
        (line(type="SetPlan", device_id=..., title_id=...), "SetPlan needs plan"),
        (line(title_id=...), "AcquireLicense needs title_id"),
        (line(titel_id="x"), "has no titel_id; it has command_id"),
        (line(device_id=7), "device_id is 7, not a text"),
        (line(download_quality="4k"), 'download_quality is "4k", not one of standard, high'),
        (line(command_id=None), "command_id is null"),
        (line(account_id=""), "account_id is not 1 to 128"),
        (line(account_id="a" * 129), "account_id is not 1 to 128"),
        (line(device_id="a b"), "device_id is not 1 to 128"),
        (line(command_id="1"), "command_id is not a lower-case uuid"),
        (line(command_id=ID.upper()), "command_id is not a lower-case uuid"),
        (line(correlation_id="\ud800"), "surrogate"),
        (line(at="yesterday"), "not a time such as"),
        (line(at="2026-05-01T20:15:00"), "names no time zone"),
        (line(at=True), "at is true"),
        (line(at=1.5), "at is 1.5"),
        (line(at=0), "not between the years"),
        (line(at="2099-01-01T00:00:00Z"), "ahead of the clock"),
    ],
)
def test_a_bad_line_says_what_is_wrong(text: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=re.escape(why)):
        parse(text)


def test_errors_carry_the_number_of_their_line_and_blank_lines_count() -> None:
    plan = b'{"type": "SetPlan", "account_id": "a", "plan": "basic"}\n'
    first, second, third = messages([plan, b"\n", b"oops\n", plan])
    assert isinstance(second, LineError)
    assert str(second).startswith("line 3: not JSON")
    for good in (first, third):
        assert not isinstance(good, LineError)
        assert good.value is not None
        assert isinstance(decode_command(good.value), SetPlan)
