"""Pekko Persistence Cassandra, the peer of the command handler: built by Maven once, run as a process that is asked."""

import re
from pathlib import Path

from ops.stack import StackAddress, java, maven
from ops.stack.files import Progress
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
    purpose = "build the peer on Pekko (which takes a JDK, Debian: openjdk-17-jdk)"
    return maven.build(PROJECT, runtime() / "bench" / "pekko", purpose, tell)


def argv(address: StackAddress, jars: Path, accounts: int) -> list[str]:
    """How to start it: it is asked for numbers of commands, and answers `persisted` and `seconds`."""
    point = f"-Ddatastax-java-driver.basic.contact-points.0={address.cassandra}"
    return [java.find(), point, "-cp", f"{jars}/*", "peer.PersistRounds", str(accounts), str(IN_FLIGHT)]
