"""No schema that could be used against its readers is taken, whoever wrote it."""

import json
from typing import Any

import pytest

from ops.contract.released import texts
from schemas.lint import DEPTH_MAX, SIZE_MAX, lint


def record(*fields: Any, name: str = "Thing", **more: Any) -> dict[str, Any]:
    named = [{"name": f"f{number}", "type": declared} for number, declared in enumerate(fields)]
    return {"type": "record", "name": name, "fields": named, **more}


def nested(levels: int) -> Any:
    declared: Any = "string"
    for _ in range(levels):
        declared = {"type": "array", "items": declared}
    return declared


def array(items: Any) -> dict[str, Any]:
    return {"type": "array", "items": items}


@pytest.mark.parametrize("name", texts())
def test_ours_are_fit(name: str) -> None:
    assert lint(texts()[name]) == []


@pytest.mark.parametrize(
    "schema",
    [
        record("string", ["null", "bytes"], array(record("int", name="Inner"))),
        record({"type": "enum", "name": "E", "symbols": ["a"], "default": "a"}),
        record({"type": {"type": "string", "logicalType": "uuid"}}),
        record({"type": "map", "values": "long"}, {"type": "fixed", "name": "F", "size": 4}),
        record(array(["null", "int"])),
        nested(DEPTH_MAX - 1),
    ],
)
def test_what_is_harmless_is_taken(schema: Any) -> None:
    assert lint(json.dumps(schema)) == []


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        pytest.param(record("string", ["null", "Thing"]), "f1 is Thing, a type by name", id="contains itself"),
        pytest.param(record(array("licensing.Thing")), "f0 is licensing.Thing", id="contains itself in an array"),
        pytest.param(record({"type": "Thing"}), "f0 is Thing", id="contains itself as a type"),
        pytest.param(record(array("null")), "f0 has items of no bytes", id="nulls"),
        pytest.param(record(array({"type": "null"})), "items of no bytes", id="nulls written out"),
        pytest.param(record(array(record(name="Empty"))), "items of no bytes", id="empty records"),
        pytest.param(record(array(record("null", record(name="E"), name="N"))), "items of no bytes", id="nothing"),
        pytest.param(record(array({"type": "fixed", "name": "F", "size": 0})), "items of no bytes", id="fixed of 0"),
        pytest.param(record(record(array("null"), name="Inner")), "items of no bytes", id="deep in it"),
        pytest.param(nested(DEPTH_MAX), f"deeper than {DEPTH_MAX}", id="too deep"),
        pytest.param(nested(300), f"deeper than {DEPTH_MAX}", id="very deep"),
        pytest.param(record("string", doc="x" * SIZE_MAX), "bytes, and", id="too large"),
        pytest.param(record({"type": "record", "name": "R"}), "f0 is record, a type by name", id="no fields"),
        pytest.param(record(7), "f0 is no type", id="a number"),
        pytest.param({}, "no type", id="an empty object"),
        pytest.param(None, "no type", id="null"),
    ],
)
def test_what_could_do_harm_is_refused(schema: Any, why: str) -> None:
    assert any(why in problem for problem in lint(json.dumps(schema)))


@pytest.mark.parametrize("text", ["", "{", "[" * 50_000, '{"type":' * 3000 + '"string"' + "}" * 3000])
def test_what_is_no_schema_at_all_is_refused(text: str) -> None:
    assert len(lint(text)) == 1
