"""A change that a deployed reader or writer could not live with is refused, and so is an edit of a released file."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ops.cli import app
from ops.contract import released
from ops.contract.check import Verdict, verdicts
from ops.contract.released import NoRelease, Texts, mark, marks, texts
from ops.contract.resolution import obstacles
from schemas.upcasters import UPCASTERS

V1, V2 = "SetPlan.v1.avsc", "SetPlan.v2.avsc"


def of_set_plan(now: Texts, known: Texts | None = None, steps: set[tuple[str, int]] | None = None) -> Verdict:
    """The verdict on `SetPlan`, against a release that had its version 1."""
    before = {V1: texts()[V1]} if known is None else known
    found = verdicts(now, {name: mark(text) for name, text in before.items()}, {}, steps or set())
    (verdict,) = (one for one in found if one.message == "SetPlan")
    return verdict


def changed(*more: dict[str, Any], without: str = "", **types: Any) -> Texts:
    """The files with a version 2 of `SetPlan`: fields added, left out, or of another type."""
    schema = json.loads(texts()[V1])
    fields = [f | {"type": types.get(f["name"], f["type"])} for f in schema["fields"] if f["name"] != without]
    return {V1: texts()[V1], V2: json.dumps(schema | {"fields": [*fields, *more]})}


PROMOTION = {"name": "promotion", "type": ["null", "string"]}
STEP = {("SetPlan", 1)}


def test_our_own_schemas_get_along_with_every_release_on_record() -> None:
    assert not [verdict for verdict in verdicts(texts(), *marks(None)) if not verdict.ok]


def test_a_field_with_a_default_is_read_both_ways() -> None:
    found = of_set_plan(changed(PROMOTION | {"default": None}), steps=STEP)
    assert (found.backward, found.forward, found.full, found.ok) == ("yes", "yes", "yes", True)
    assert found.to_do == "Handlers before senders."


def test_a_field_without_a_default_needs_a_step() -> None:
    found = of_set_plan(changed(PROMOTION))
    assert (found.backward, found.full, found.ok) == ("no", "no", False)
    assert "no step from version 1: write one in schemas/upcasters.py" in found.to_do
    found = of_set_plan(changed(PROMOTION), steps=STEP)
    assert (found.backward, found.forward, found.full, found.ok) == ("upcaster", "yes", "no", True)


def test_a_field_that_goes_is_not_read_by_the_release() -> None:
    found = of_set_plan(changed(without="plan"), steps=STEP)
    assert (found.backward, found.forward, found.full, found.ok) == ("yes", "no", "no", True)
    assert "plan is not written, and has no default" in found.to_do


def test_a_field_of_another_type_is_read_neither_way() -> None:
    found = of_set_plan(changed(plan="int"), steps=STEP)
    assert (found.backward, found.forward, found.full) == ("upcaster", "no", "no")
    assert "plan is string, not int" in found.to_do


@pytest.mark.parametrize("edit", [lambda text: text.replace("Put the account", "Set the account"), str.strip])
def test_an_edited_file_is_refused(edit: Any) -> None:
    found = of_set_plan({V1: edit(texts()[V1])})
    assert not found.ok
    assert found.to_do == f"{V1}: it was edited: put it back as it was, and the change into {V2}"


def test_a_file_that_is_gone_is_refused() -> None:
    found = of_set_plan({})
    assert not found.ok
    assert "put it back" in found.to_do


def test_an_unfit_file_is_refused() -> None:
    found = of_set_plan(changed({"name": "again", "type": ["null", "SetPlan"]}), steps=STEP)
    assert not found.ok
    assert found.to_do.startswith(f"{V2}: again is SetPlan, a type by name")


def test_every_version_in_between_needs_its_step() -> None:
    now = changed(PROMOTION | {"default": None})
    now["SetPlan.v3.avsc"] = now[V2]
    assert of_set_plan(now, steps={("SetPlan", 1), ("SetPlan", 2)}).ok
    assert not of_set_plan(now, steps=STEP).ok


def test_what_is_retired_and_what_is_new_say_so() -> None:
    found = {verdict.message: verdict for verdict in verdicts(texts(), *marks(None), UPCASTERS)}
    old, new = found["PlanSet"], found["PlanChosen"]
    assert (old.now, old.backward, old.forward) == (None, "upcaster", "no")
    assert (new.released, new.ok, new.to_do) == (None, True, "Workers, then handlers.")


def enum(*symbols: str, **more: Any) -> dict[str, Any]:
    return {"type": "enum", "name": "E", "symbols": list(symbols), **more}


def fixed(size: int) -> dict[str, Any]:
    return {"type": "fixed", "name": "F", "size": size}


@pytest.mark.parametrize(
    ("reader", "writer", "readable"),
    [
        ("long", "int", True),
        ("int", "long", False),
        ("double", "long", True),
        ("bytes", "string", True),
        ("string", {"type": "string", "logicalType": "uuid"}, True),
        (["null", "string"], "string", True),
        ("string", ["null", "string"], False),
        (["null", "string"], "int", False),
        (["null", "long"], ["null", "int"], True),
        (enum("a", "b"), enum("a"), True),
        (enum("a"), enum("a", "b"), False),
        (enum("a", default="a"), enum("a", "b"), True),
        (enum("a"), "string", False),
        ({"type": "array", "items": "long"}, {"type": "array", "items": "int"}, True),
        ({"type": "map", "values": "int"}, {"type": "map", "values": "long"}, False),
        ({"type": "array", "items": "int"}, {"type": "map", "values": "int"}, False),
        (fixed(4), fixed(4), True),
        (fixed(4), fixed(5), False),
    ],
)
def test_resolution_is_that_of_the_specification(reader: Any, writer: Any, readable: bool) -> None:
    assert (not list(obstacles(reader, writer))) is readable


def test_a_name_may_change_where_the_reader_knows_the_old_one() -> None:
    def record(name: str, field: str, **more: Any) -> Any:
        return {"type": "record", "name": name, "fields": [{"name": field, "type": "int", **more}]}

    assert not list(obstacles(record("R", "new", aliases=["old"]), record("R", "old")))
    assert list(obstacles(record("R", "new"), record("R", "old")))
    assert not list(obstacles(record("R", "f") | {"aliases": ["x.Q"]}, record("Q", "f")))
    assert list(obstacles(record("R", "f"), record("Q", "f")))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A release's files."""
    for name, text in texts().items():
        (tmp_path / name).write_text(text, "utf-8")
    return tmp_path


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, ["schema", *arguments])


def test_the_command_compares_with_a_folder(folder: Path) -> None:
    result = run("check", "--against", str(folder))
    assert result.exit_code == 0
    assert "REFUSED" not in result.output
    (folder / V1).write_text(texts()[V1].replace("basic", "premium") + "\n", "utf-8")
    (folder / "Gone.v1.avsc").write_text(texts()[V1], "utf-8")
    result = run("check", "--against", str(folder), "--json")
    assert result.exit_code == 1
    refused = [one["to_do"] for one in json.loads(result.output)["messages"] if not one["ok"]]
    assert len(refused) == 2
    assert run("check", "--against", str(folder)).output.count("REFUSED") == 2


@pytest.mark.skipif(shutil.which("git") is None, reason="there is no git")
def test_the_command_compares_with_a_tag(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = tmp_path / "schemas" / "avro"
    files.mkdir(parents=True)
    (files / V1).write_text(texts()[V1].replace("basic", "premium"), "utf-8")
    who = ["-c", "user.name=n", "-c", "user.email=e@example.org"]
    for arguments in (["init", "--quiet"], ["add", "."], [*who, "commit", "--quiet", "-m", "first"], ["tag", "v1"]):
        subprocess.run(["git", "-C", str(tmp_path), *arguments], check=True)
    monkeypatch.setattr(released, "_CHECKOUT", tmp_path)
    result = run("check", "--against", "v1")
    assert result.exit_code == 1
    assert result.output.count("REFUSED") == 1
    assert run("check", "--against", "v2").exit_code == 2


def test_the_command_says_when_there_is_nothing_to_compare_with(tmp_path: Path) -> None:
    assert run("check", "--against", "no-such-tag").exit_code == 2
    assert run("check", "--against", str(tmp_path)).exit_code == 2


def test_a_release_on_record_is_never_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "released.json"
    file.write_text(json.dumps({"0.1.0": {V1: mark(texts()[V1])}}), "utf-8")
    monkeypatch.setattr(released, "RECORD", file)
    assert run("record", "0.1.0").exit_code == 1
    assert run("record", "0.2.0").exit_code == 0
    assert set(marks(None)[0]) == set(texts())
    assert json.loads(file.read_text("utf-8"))["0.1.0"] == {V1: mark(texts()[V1])}
    with pytest.raises(NoRelease, match="no new schema files"):
        released.record("0.3.0")


def test_the_verbs_have_help_with_an_example() -> None:
    for verb in ("check", "record"):
        assert f"Example: licensing schema {verb}" in run(verb, "--help").output
