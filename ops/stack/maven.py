"""Jars: those of a server, fetched, or of a project of ours, built by Maven once for all runs of this checkout."""

import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from ops.stack.errors import DOCKER, StackError
from ops.stack.files import Progress, locked
from ops.stack.versions import HERE, VERSIONS, runtime

_GOAL = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"


def jars(server: str, progress: Progress) -> Path:
    """Return the folder with the jars of `<server>-pom.xml`; another pom is another folder."""
    pom = HERE / f"{server}-pom.xml"
    library = runtime() / "lib" / server
    ready = library / hashlib.sha256(pom.read_bytes()).hexdigest()[:12]
    if ready.exists():
        return ready
    with locked(library / "lock", progress):
        if not ready.exists():  # else another process fetched it while we waited
            progress(f"Fetching {server.capitalize()} {VERSIONS[server]['version']} with Maven")
            _fetch(pom, ready)
    return ready


def build(project: Path, library: Path, purpose: str, progress: Progress) -> Path:
    """Return the folder in `library` with the project's jar and all that it needs; other sources are another folder.

    Raises:
        StackError: there is no Maven, or it could not `purpose`.
    """
    sources = sorted(file for file in project.rglob("*") if file.is_file())
    ready = library / hashlib.sha256(b"".join(file.read_bytes() for file in sources)).hexdigest()[:12]
    with locked(library / "lock", progress):
        if not ready.exists():
            progress(f"Building {project.name} with Maven")
            with tempfile.TemporaryDirectory(dir=library, prefix="building-") as folder:
                draft = Path(folder) / "project"
                shutil.copytree(project, draft)
                run(draft, ["package"], purpose)
                for rest in ("classes", "maven-archiver", "maven-status", "generated-sources"):
                    shutil.rmtree(draft / "target" / rest, ignore_errors=True)
                (draft / "target").rename(ready)
    return ready


def run(folder: Path, arguments: Sequence[str], purpose: str) -> None:
    """Run Maven in a folder with a pom.xml; raise StackError, which says that it could not `purpose`, when it fails."""
    maven = shutil.which("mvn")
    if maven is None:
        raise StackError(f"There is no mvn in PATH: install Maven (Debian: maven), {DOCKER}.")
    options = ["-q", "-B", "-Dstyle.color=never", "--strict-checksums"]
    result = subprocess.run(  # noqa: S603
        [maven, *options, *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    if result.returncode:
        errors = [line for line in result.stdout.splitlines() if "[ERROR]" in line]
        reason = "\n".join(errors[:2]) if errors else result.stderr.strip() or f"exit code {result.returncode}"
        raise StackError(f"Maven could not {purpose}: {reason}")


def _fetch(pom: Path, ready: Path) -> None:
    with tempfile.TemporaryDirectory(dir=ready.parent, prefix="fetching-") as folder:
        draft = Path(folder) / "jars"
        shutil.copy(pom, f"{folder}/pom.xml")
        target = [f"-DoutputDirectory={draft}", "-DincludeScope=runtime"]
        run(Path(folder), [*target, _GOAL], f"fetch the jars of {pom.name}")
        draft.rename(ready)
