"""The bytes that ops/messages.md spells out are the ones that the codec writes."""

import re
from pathlib import Path

from schemas.codec import decode_command, encode_command
from schemas.commands import COMMANDS, AcquireLicense
from schemas.events import EVENTS
from schemas.registry import NEWEST

PAGE = (Path(__file__).parents[2] / "ops" / "messages.md").read_text(encoding="utf-8")


def test_the_command_on_the_page_has_these_bytes() -> None:
    (block,) = re.findall(r"```\n(.*?)```", PAGE, re.DOTALL)
    spelled = "".join(re.match(r"\s*((?:[0-9a-f]{2} ?)+)(?:\s{2,}|$)", line)[1] for line in block.splitlines())  # type: ignore[index]
    command = AcquireLicense("5b1cf3a0-6c1e-4f0e-9b1d-0c8a3a5d7e11", "ann", None, "tablet", "spirited-away-2001")
    assert bytes.fromhex(spelled) == encode_command(command)
    assert decode_command(bytes.fromhex(spelled)) == command


def test_the_fingerprints_on_the_page_are_those_of_every_command_and_the_reply() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\d+) \| `([0-9a-f ]+)` \|$", PAGE, re.MULTILINE)
    newest = [NEWEST[name] for name in (*COMMANDS, "Reply")]
    assert rows == [(schema.name, str(schema.version), schema.fingerprint.hex(" ")) for schema in newest]


def test_every_message_is_on_the_page() -> None:
    assert [name for name in (*COMMANDS, *EVENTS, "Reply") if f"`{name}" not in PAGE] == []
