"""The schema files of a release: those on record, those of a folder, or those of a git tag.

On record is `ops/released.json`: for each release the files that it brought and the SHA-256 of each. A fresh clone has
it without any history; the text of a file that nobody has edited is the file itself.
"""

import json
import subprocess
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

#: File name -> its text.
Texts = dict[str, str]
#: File name -> the SHA-256 of its text, in hexadecimal.
Marks = dict[str, str]

RECORD = Path(__file__).parents[1] / "released.json"
_CHECKOUT = Path(__file__).parents[2]
_FOLDER = "schemas/avro"


class NoRelease(Exception):
    """There is no such release to compare with. The text says what was looked for."""


def texts() -> Texts:
    """The schema files of this very code."""
    folder = files("schemas").joinpath("avro")
    return {path.name: path.read_text("utf-8") for path in folder.iterdir() if path.name.endswith(".avsc")}


def mark(text: str) -> str:
    """What a file is recognised by."""
    return sha256(text.encode()).hexdigest()


def marks(against: str | None) -> tuple[Marks, Texts]:
    """The files of a folder or of a git reference; of all releases on record where `against` is None.

    Their texts too, where these are known.

    Raises:
        NoRelease: nothing is found there.
    """
    if against is None:
        recorded: dict[str, Marks] = json.loads(RECORD.read_text("utf-8"))
        return {name: one for brought in recorded.values() for name, one in brought.items()}, {}
    found = _of_folder(Path(against)) if Path(against).is_dir() else _of_reference(against)
    if not found:
        raise NoRelease(f"{against} has no schema files, neither in it nor in its {_FOLDER}")
    return {name: mark(text) for name, text in found.items()}, found


def record(release: str) -> list[str]:
    """Put the files that no release has brought yet on record as those of `release`; their names.

    Raises:
        NoRelease: there is nothing new to record, or the release is on record already.
    """
    recorded: dict[str, Marks] = json.loads(RECORD.read_text("utf-8"))
    known = {name for brought in recorded.values() for name in brought}
    fresh = {name: mark(text) for name, text in sorted(texts().items()) if name not in known}
    if release in recorded or not fresh:
        raise NoRelease(f"{release} is on record already" if release in recorded else "there are no new schema files")
    RECORD.write_text(json.dumps(recorded | {release: fresh}, indent=2) + "\n", "utf-8")
    return list(fresh)


def _of_folder(folder: Path) -> Texts:
    inner = folder / _FOLDER
    return {file.name: file.read_text("utf-8") for file in (inner if inner.is_dir() else folder).glob("*.avsc")}


def _of_reference(reference: str) -> Texts:
    names = _git("ls-tree", "--name-only", reference, f"{_FOLDER}/").splitlines()
    return {Path(name).name: _git("show", f"{reference}:{name}") for name in names if name.endswith(".avsc")}


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(_CHECKOUT), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
    except FileNotFoundError as error:
        raise NoRelease("it is no folder, and there is no git to ask for a tag") from error
    except subprocess.CalledProcessError as error:
        raise NoRelease(f"it is neither a folder nor a git reference: {error.stderr.strip()}") from error
    return done.stdout
