"""The release after this one, made from its files: `LicenseAcquired` has a third version, and whatever goes with it."""

import json
import os
import shutil
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("schemas", "commands", "projections", "ops")
#: What the release after this one writes, and this one does not know.
NEWEST = "LicenseAcquired.v3"


def make(folder: Path) -> Path:
    """Copy the packages to a folder and evolve them, as a release would: a schema, a field, a step."""
    for package in PACKAGES:
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    schema = json.loads((folder / "schemas/avro/LicenseAcquired.v2.avsc").read_text("utf-8"))
    schema["fields"].append({"name": "audio", "type": "string", "default": "stereo"})
    (folder / f"schemas/avro/{NEWEST}.avsc").write_text(json.dumps(schema), "utf-8")
    field = '    download_quality: DownloadQuality = "standard"\n'
    _replace(folder / "schemas/events.py", field, f'{field}    audio: str = "stereo"\n')
    step = "UPCASTERS: dict[tuple[str, int], Callable[[Record], Step]] = {\n"
    new = '    ("LicenseAcquired", 2): lambda old: ("LicenseAcquired", 3, old | {"audio": "stereo"}),\n'
    _replace(folder / "schemas/upcasters.py", step, step + new)
    return folder


def environment(folder: Path) -> dict[str, str]:
    """What makes a process run that release; start Python with -P."""
    return {"PYTHONPATH": str(folder), "PATH": os.environ["PATH"]}


def _replace(file: Path, old: str, new: str) -> None:
    text = file.read_text("utf-8")
    assert text.count(old) == 1, f"{file} has changed: {old!r}"
    file.write_text(text.replace(old, new), "utf-8")
