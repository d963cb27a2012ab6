"""What the figures were taken on: the machine, and the versions of all that took part."""

import os
import platform
import re
import shutil
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from ops import redis
from ops.bench import pekko
from ops.stack import VERSIONS, StackAddress, java
from ops.stack.versions import CHECKOUT

_LIBRARIES = (
    "aiokafka", "cassandra-driver", "confluent-kafka", "fastavro", "faust-streaming", "hiredis", "msgspec", "redis",
)  # fmt: skip
_QUIXSTREAMS = Path(__file__).parent / "peers" / "quixstreams" / "requirements.lock"


def machine() -> dict[str, str]:
    """Processor, cores, memory and kernel."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "memory": f"{memory:.0f} GB",
        "kernel": f"{platform.system()} {platform.release()}",
    }


def versions(address: StackAddress) -> dict[str, str]:
    """Ours, the servers', the main libraries' and the peers'."""
    ours = f"{_installed('download-licensing') or '?'} {_commit()}".strip()
    found = {
        "download-licensing": ours,
        "Python": platform.python_version(),
        "Java": _java(),
        "Kafka": VERSIONS["kafka"]["version"],
        "Cassandra": VERSIONS["cassandra"]["version"],
        "Redis": redis.version(address.redis),
    }
    found |= {name: installed for name in _LIBRARIES if (installed := _installed(name))}
    return found | {"pekko-persistence-cassandra": pekko.version(), "quixstreams": _quixstreams()}


def _processor() -> str:
    try:
        names = re.findall(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text("utf-8"), re.MULTILINE)
    except OSError:
        names = []
    return names[0] if names else platform.processor() or platform.machine()


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _commit() -> str:
    """The commit of the checkout that runs, with `-dirty` behind it where files were changed; else nothing."""
    git = shutil.which("git")
    if git is None or not (CHECKOUT / ".git").exists():
        return ""
    told = [git, "-C", str(CHECKOUT), "describe", "--always", "--dirty", "--exclude", "*"]
    return subprocess.run(told, capture_output=True, text=True, check=False).stdout.strip()  # noqa: S603


def _java() -> str:
    answer = subprocess.run([java.find(), "-version"], capture_output=True, text=True, check=False)  # noqa: S603
    found = re.search(r'version "([^"]+)"', answer.stderr + answer.stdout)
    return found[1] if found else "?"


def _quixstreams() -> str:
    found = re.search(r"^quixstreams==(\S+)", _QUIXSTREAMS.read_text("utf-8"), re.MULTILINE)
    return found[1] if found else "?"
