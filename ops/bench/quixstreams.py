"""The peer quixstreams: its environment, made on first use, and its process."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ops.bench.ground import Ground, Space
from ops.bench.peer import Peer
from ops.settings import runtime
from schemas.registry import SCHEMAS

_HERE = Path(__file__).parent / "peers" / "quixstreams"
_PREFIX = "peer:"


class NoPeer(Exception):
    """The peer's environment cannot be made. The text says why."""


@contextmanager
def quixstreams(ground: Ground) -> Iterator[Peer]:
    """The peer, for the length of the block."""
    python = _environment(runtime() / "bench" / "quixstreams", ground.tell)
    with ground.peer([str(python), str(_HERE / "downloads.py")], "quixstreams") as peer:
        yield peer


def projected(peer: Peer, space: Space, events: int) -> float:
    """Events a second of one run over the events topic."""
    settings = space.settings
    ask = {
        "kafka": settings.kafka,
        "topic": settings.topics.events,
        "redis": settings.redis,
        "prefix": f"{settings.namespace}:{_PREFIX}",
        "events": events,
        "schemas": {schema.fingerprint.hex(): schema.source for schema in SCHEMAS},
    }
    answer = peer.ask(json.dumps(ask))
    return float(answer["events"] / answer["seconds"])


def _environment(place: Path, tell: Callable[[str], None]) -> Path:
    """The Python of a virtual environment with what the lock file says; its own, for it wants older clients.

    Raises:
        NoPeer: the packages cannot be installed.
    """
    lock = _HERE / "requirements.lock"
    stamp, wanted = place / "installed", hashlib.sha256(lock.read_bytes()).hexdigest()
    python = place / "bin" / "python"
    if stamp.exists() and stamp.read_text("utf-8") == wanted:
        return python
    tell("Installing the peer quixstreams")
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
    for command in ([sys.executable, "-m", "venv", "--clear", str(place)], [*pip, "-r", str(lock)]):
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode:
            raise NoPeer(f"The peer quixstreams cannot be installed: {done.stderr.strip()[-500:]}")
    stamp.write_text(wanted, "utf-8")  # last: an installation that was interrupted is done again
    return python
