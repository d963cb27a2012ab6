"""The Java that runs Kafka and Cassandra."""

import os
import re
import shutil
import subprocess

from ops.stack.errors import DOCKER, StackError
from ops.stack.versions import VERSIONS

_NEEDED = f"Java {VERSIONS['java']['minimum']}"
_INSTALL = f"install {_NEEDED} (Debian: openjdk-17-jre-headless) or point JAVA_HOME to it, {DOCKER}"


def major(output: str) -> int | None:
    """Return 17 for what `java -version` of 17.0.15 prints, 8 for 1.8; None when it is something else."""
    found = re.search(r'version "(?:1\.)?(\d+)', output)
    return int(found[1]) if found else None


def find() -> str:
    """Return the path of a java on which both servers run: JAVA_HOME's, else the one in PATH."""
    home = os.environ.get("JAVA_HOME")
    java = shutil.which("java", path=f"{home}/bin" if home else None)
    where = f"JAVA_HOME ({home})" if home else "PATH"
    if java is None:
        raise StackError(f"There is no java in {where}: {_INSTALL}.")
    answer = subprocess.run([java, "-version"], capture_output=True, text=True, check=False)  # noqa: S603
    version = major(answer.stderr + answer.stdout)
    if version is None:
        raise StackError(f"{java} does not say its version: {_INSTALL}.")
    if version < VERSIONS["java"]["minimum"]:
        raise StackError(f"{java} is Java {version}, too old for Kafka 4: {_INSTALL}.")
    if version > VERSIONS["java"]["newest"]:
        raise StackError(f"{java} is Java {version}, newer than Cassandra 5.0 can run on: {_INSTALL}.")
    return java
