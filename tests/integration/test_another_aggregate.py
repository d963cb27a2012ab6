"""What ops/another-aggregate.md says, added to a copy of the tree: its own tests, the gates, real servers."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.processes import HANDLER, at_work, handler
from tests.support.space import Space

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "ops" / "another-aggregate.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"^`([\w/.]+)`\n\n```\w+\n(.*?)```$", GUIDE, re.MULTILINE | re.DOTALL))


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The copy, with the guide's files in it, none of which was there before."""
    tree = tmp_path_factory.mktemp("another") / "tree"
    for package in ("schemas", "commands", "projections", "ops"):
        shutil.copytree(ROOT / package, tree / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tree)
    for name, text in FILES.items():
        assert not (tree / name).exists(), name
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(text, encoding="utf-8")
    return tree


def run(tree: Path, *arguments: str, environment: dict[str, str] | None = None) -> str:
    """What a Python in the copy says."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=tree, env={**os.environ, **(environment or {}), "PYTHONPATH": str(tree)},
        check=False, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_guide_has_a_file_for_each_thing() -> None:
    assert sorted(FILES) == [
        "commands/aggregates/household.py",
        "household.jsonl",
        "projections/views/households.py",
        "schemas/aggregates/household.py",
        "schemas/avro/AddMember.v1.avsc",
        "schemas/avro/MemberAdded.v1.avsc",
        "tests/unit/test_household.py",
    ]


def test_its_own_tests_pass(tree: Path) -> None:
    assert "5 passed" in run(tree, "-m", "pytest", "-q", "tests/unit/test_household.py")


def test_the_gates_let_it_through(tree: Path) -> None:
    python = [name for name in FILES if name.endswith(".py")]
    run(tree, "-m", "ruff", "check", *python)
    run(tree, "-m", "ruff", "format", "--check", *python)
    run(tree, "-m", "mypy", *python)
    run(tree, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()")


def test_half_of_it_stops_at_once(tree: Path, tmp_path: Path) -> None:
    half = tmp_path / "half"
    shutil.copytree(tree, half)
    (half / "commands" / "aggregates" / "household.py").unlink()
    with pytest.raises(AssertionError, match=r"schemas/aggregates has \['household'\] and commands/aggregates \[\]"):
        run(half, "-c", "import commands.batch")


@contextmanager
def system(tree: Path, space: Space) -> Iterator[None]:
    """A handler and the worker of the new view, from the copy."""
    environment = {"PYTHONPATH": str(tree)}
    with (
        handler(space, "handler", ["-P", "-c", HANDLER], environment) as handling,
        handler(space, "households", ["-P", "-m", "projections", "worker", "households"], environment) as worker,
    ):
        at_work(handling, worker)
        yield


CALLER = """
import os, sys
from uuid import uuid4
from commands.client import Client
from schemas.aggregates.household import AddMember

kafka, redis, namespace = (os.environ[f"LICENSING_{name}"] for name in ("KAFKA", "REDIS", "NAMESPACE"))
with Client(kafka, redis=redis, namespace=namespace) as client:
    for member_id in sys.argv[1:]:
        reply = client.send(AddMember(str(uuid4()), "household:smith", None, member_id)).result()
        print(reply.outcome, reply.reason, reply.last_version)
        client.wait_until_seen("households", reply)
"""

SNAPSHOTS = """
import sys
from commands.cassandra.session import connect
from commands.cassandra.snapshots import CassandraSnapshots
from commands.account import Account
from commands.aggregates.household import State
from commands.settings import Settings

settings = Settings()
session = connect(settings.cassandra_points(), settings.keyspace)
snapshots = CassandraSnapshots(session)
states = {"household:jones": State(100, 5, {}, {"ann": 1}), "ann": Account(100, 5)}
for account_id, state in states.items():
    snapshots.save(account_id, state).result()
assert snapshots.latest(["household:jones", "ann", "household:nobody"]) == states
session.cluster.shutdown()
"""


def test_it_runs_beside_the_account(tree: Path, space: Space) -> None:
    environment = space.environment()

    def licensing(*arguments: str) -> str:
        return run(tree, "-m", "ops.cli", *arguments, environment=environment)

    with system(tree, space):
        replies = [json.loads(line) for line in licensing("send", "household.jsonl", "--wait", "--json").splitlines()]
        smith = [(one["outcome"], one["last_version"]) for one in replies if one["account_id"] == "household:smith"]
        assert smith == [("accepted", 1), ("accepted", 2), ("accepted", None)]  # ann shares it already
        assert [one["last_version"] for one in replies if one["account_id"] == "ann"] == [1]
        said = run(tree, "-c", CALLER, "carl", "dora", "emil", environment=environment)
        assert said.splitlines() == [f"accepted None {version}" for version in (3, 4, 5)]
    run(tree, "-c", SNAPSHOTS, environment=environment)
    with system(tree, space):  # from the stores
        assert run(tree, "-c", CALLER, "fred", environment=environment) == "rejected household_full None\n"
    document = json.loads(licensing("view", "households", "household:smith", "--json"))
    assert [one["member_id"] for one in document["members"]] == ["ann", "ben", "carl", "dora", "emil"]
    assert licensing("timeline", "household:smith").count("MemberAdded") == 5
