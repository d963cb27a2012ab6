"""The servers that tests run on: started once a run, on their own ports, in a folder of their own."""

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

import pytest
from hypothesis import settings

from ops import stack
from tests.support.clock import Clock
from tests.support.space import Servers, Space, new_space

# A shell that runs us in the background has Ctrl-C ignored, by our children too; but some tests are about Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)
# Nor is what somebody's own system is told of the tests' business.
for name in [name for name in os.environ if name.startswith("LICENSING_") or name == "SCHEMA_REGISTRY_URL"]:
    del os.environ[name]
settings.register_profile("ours", deadline=None)  # how long an example takes says nothing on a busy machine
settings.load_profile("ours")

RUNTIME = Path(__file__).resolve().parent.parent / ".runtime" / "tests"


@pytest.fixture(scope="session")
def servers(request: pytest.FixtureRequest) -> Iterator[Servers]:
    """Kafka, Cassandra and Redis of this run. Their data and the logs of all processes stay when a test failed."""
    RUNTIME.mkdir(parents=True, exist_ok=True)
    home = Path(mkdtemp(prefix="run-", dir=RUNTIME))
    try:
        yield Servers(home, stack.start(home))
    finally:
        stack.stop(home)
    if request.session.testsfailed:
        print(f"\nThe data and logs of this run are kept in {home}")
    else:
        shutil.rmtree(home)


@pytest.fixture
def space(servers: Servers) -> Space:
    """Topics, tables and names that no other test uses."""
    return new_space(servers)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of all clients of a test."""
    clock = Clock()
    monkeypatch.setattr("commands.client.sync.time", clock)
    return clock
