"""Java with Apache Avro, and nothing of ours but the folder of schemas: it writes our bytes and reads what we write.

Maven is needed, as for the servers; a compiler comes with it.
"""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from msgspec.structs import asdict, replace

import schemas
from ops import examples
from ops.stack import java, maven
from ops.stack.versions import runtime
from schemas.codec import encode_command, encode_event, encode_reply
from schemas.events import Envelope
from schemas.registry import NEWEST
from schemas.replies import Reply
from tests.support.examples import COMMAND_EXAMPLES, EVENT_EXAMPLES, REJECTION_EXAMPLE, REPLY_EXAMPLE

PROJECT = Path(examples.__file__).with_name("java")
SCHEMAS = Path(schemas.__file__).with_name("avro")


class Java:
    """The program; asked a line, it answers one."""

    def __init__(self, jars: Path) -> None:
        self.process = subprocess.Popen(
            [java.find(), "-cp", f"{jars}/*", "licensing.Messages", str(SCHEMAS)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8",
        )  # fmt: skip

    def ask(self, question: str) -> str:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(question + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().rstrip("\n")


@pytest.fixture(scope="module")
def program() -> Iterator[Java]:
    program = Java(maven.build(PROJECT, runtime() / "lib" / "messages", "build the example in Java", print))
    with program.process as process:
        yield program
        cast(Any, process.stdin).close()


def avro_json(declared: Any, value: Any) -> Any:
    """A value as Avro's JSON has it: a union's value names its branch."""
    if isinstance(declared, list) and value is not None:
        branch = declared[1]
        return {branch if isinstance(branch, str) else branch["type"]: value}
    return value


def record(name: str, message: Any) -> dict[str, Any]:
    values = asdict(message)
    if isinstance(message, Envelope):
        values |= asdict(values.pop("event"))
    return {field["name"]: avro_json(field["type"], values[field["name"]]) for field in NEWEST[name].source["fields"]}


CORRELATED = replace(COMMAND_EXAMPLES[0], correlation_id="call 1: 千と千尋")


@pytest.mark.parametrize("command", [*COMMAND_EXAMPLES, CORRELATED], ids=lambda one: type(one).__name__)
def test_it_writes_a_command_as_we_do(program: Java, command: Any) -> None:
    name = type(command).__name__
    question = f"encode {name}.v{NEWEST[name].version}.avsc {json.dumps(record(name, command))}"
    assert bytes.fromhex(program.ask(question)) == encode_command(command)


WRITTEN: list[tuple[str, Any, bytes]] = [
    *((one.type, one, encode_event(one)) for one in EVENT_EXAMPLES),
    *(("Reply", one, encode_reply(one)) for one in (REPLY_EXAMPLE, REJECTION_EXAMPLE)),
]


@pytest.mark.parametrize(("name", "message", "data"), WRITTEN, ids=lambda one: one if isinstance(one, str) else "")
def test_it_reads_what_we_write(program: Java, name: str, message: Envelope | Reply, data: bytes) -> None:
    found, _, text = program.ask(f"decode {data.hex()}").partition(" ")
    assert (found, json.loads(text)) == (name, record(name, message))
