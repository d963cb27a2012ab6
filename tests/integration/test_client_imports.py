"""The client can be imported where nothing of the servers is installed."""

import subprocess
import sys

import pytest

ALONE = """
import sys

ALLOWED = sys.stdlib_module_names | {allowed}
OURS = ("commands", "commands.client")


class Elsewhere:
    def find_spec(self, name, path=None, target=None):
        ours = name in OURS or name.startswith("commands.client.") or not name.startswith("commands.")
        if name.partition(".")[0] not in ALLOWED or not ours:
            raise ImportError(f"{{name}} is not installed here")


sys.meta_path.insert(0, Elsewhere())
from uuid import uuid4

from commands.client import AsyncClient, Client, NoReply
from schemas.commands import SetPlan
from schemas.replies import Reply

with Client("127.0.0.1:1", redis="redis://127.0.0.1:1/0", timeout=0.1) as client:
    assert isinstance(client.send(SetPlan(str(uuid4()), "ann", None, "basic")).exception(), NoReply)
    try:
        client.wait_until_seen("licenses", Reply(str(uuid4()), "ann", None, "accepted", None, None, 1, 1, "e", 0, 0), 0)
    except Exception as error:
        print(type(error).__name__)
try:
    Client("127.0.0.1:1", registry="http://127.0.0.1:1")
except ImportError:
    print("no client of a schema registry")
"""
#: What fastavro and msgspec bring along, or look for.
CLIENT = {"commands", "schemas", "confluent_kafka", "fastavro", "msgspec", "cramjam", "typing_extensions"}
COMPILED = {"_cython_3_3_0", "cython_runtime"}


def alone(allowed: set[str]) -> str:
    script = ALONE.format(allowed=allowed)
    command = [sys.executable, "-c", script]
    seen, registry = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout.splitlines()
    assert registry == "no client of a schema registry"  # its libraries are wanted only where there is one
    return seen


def test_without_cassandra_faust_typer_redis_and_the_rest() -> None:
    assert alone(CLIENT) == "ImportError"  # it is only to wait for a view that redis is wanted


def test_with_redis_to_wait_for_a_view() -> None:
    assert alone(CLIENT | {"redis", "hiredis"}) == "NotSeen"


def test_the_blockade_holds() -> None:
    with pytest.raises(subprocess.CalledProcessError) as failed:
        alone(CLIENT - {"fastavro"})
    assert "fastavro is not installed here" in failed.value.stderr
