"""Pekko Persistence Cassandra, the peer of the command handler: built by Maven once, run as a process that is asked."""

import hashlib
import re
import shutil
import tempfile
from pathlib import Path

from ops.stack import StackAddress, java, maven
from ops.stack.files import Progress, locked
from ops.stack.versions import runtime

PROJECT = Path(__file__).parent / "peers" / "pekko"
#: Commands under way at once: of 64, 256 and 1024 the one at which it was fastest, by about a tenth.
IN_FLIGHT = 1024


def version() -> str:
    """The version of its Cassandra plugin."""
    found = re.search(r"<pekko\.cassandra\.version>(.+)</", (PROJECT / "pom.xml").read_text("utf-8"))
    return found[1] if found else "?"


def build(tell: Progress) -> Path:
    """The folder with the peer's jar and all that it needs; other sources are another folder.

    Raises:
        StackError: there is no Maven or no Java compiler, or something cannot be fetched.
    """
    sources = sorted(file for file in PROJECT.rglob("*") if file.is_file())
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in sources)).hexdigest()[:12]
    library = runtime() / "bench" / "pekko"
    ready = library / digest
    with locked(library / "lock", tell):
        if not ready.exists():
            tell("Building the peer on Pekko with Maven")
            with tempfile.TemporaryDirectory(dir=library, prefix="building-") as folder:
                project = Path(folder) / "project"
                shutil.copytree(PROJECT, project)
                maven.run(project, ["package"], "build the peer on Pekko (which takes a JDK, Debian: openjdk-17-jdk)")
                for rest in ("classes", "maven-archiver", "maven-status", "generated-sources"):
                    shutil.rmtree(project / "target" / rest, ignore_errors=True)
                (project / "target").rename(ready)
    return ready


def argv(address: StackAddress, jars: Path, accounts: int) -> list[str]:
    """How to start it: it is asked for numbers of commands, and answers `persisted` and `seconds`."""
    point = f"-Ddatastax-java-driver.basic.contact-points.0={address.cassandra}"
    return [java.find(), point, "-cp", f"{jars}/*", "peer.PersistRounds", str(accounts), str(IN_FLIGHT)]
