"""The release after this one, made from its files: `LicenseAcquired` has a third version, and whatever goes with it."""

import io
import json
import os
import shutil
from pathlib import Path
from typing import Any

from fastavro import parse_schema, schemaless_writer
from msgspec.structs import asdict

from schemas.codec import MAGIC
from schemas.commands import SetPlan
from schemas.registry import fingerprint_of

ROOT = Path(__file__).parents[2]
PACKAGES = ("schemas", "commands", "projections", "ops")
#: What the release after this one writes, and this one does not know.
NEWEST = "LicenseAcquired.v3"
#: A command that it reads, and this one does not.
COMMAND = "SetPlan.v2"


def make(folder: Path) -> Path:
    """Copy the packages to a folder and evolve them, as a release would: a schema, a field, a step."""
    for package in PACKAGES:
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    schema = _more("LicenseAcquired.v2", {"name": "audio", "type": "string", "default": "stereo"})
    (folder / f"schemas/avro/{NEWEST}.avsc").write_text(json.dumps(schema), "utf-8")
    (folder / f"schemas/avro/{COMMAND}.avsc").write_text(json.dumps(_command()), "utf-8")
    field = "    correlation_id: str | None\n    plan: str\n"
    _replace(folder / "schemas/commands.py", field, f'{field}    channel: str = "app"\n')
    field = '    download_quality: DownloadQuality = "standard"\n'
    _replace(folder / "schemas/events.py", field, f'{field}    audio: str = "stereo"\n')
    step = "UPCASTERS: dict[tuple[str, int], Callable[[Record], Step]] = {\n"
    new = '    ("LicenseAcquired", 2): lambda old: ("LicenseAcquired", 3, old | {"audio": "stereo"}),\n'
    new += '    ("SetPlan", 1): lambda old: ("SetPlan", 2, old | {"channel": "app"}),\n'
    _replace(folder / "schemas/upcasters.py", step, step + new)
    return folder


def newer_command(command: SetPlan) -> bytes:
    """The command as a sender of that release writes it."""
    out, schema = io.BytesIO(), _command()
    schemaless_writer(out, parse_schema(schema), {**asdict(command), "channel": "tv"})
    return MAGIC + fingerprint_of(schema) + out.getvalue()


def _command() -> dict[str, Any]:
    return _more("SetPlan.v1", {"name": "channel", "type": "string", "default": "app"})


def _more(name: str, field: dict[str, str]) -> dict[str, Any]:
    """A schema of this release with one more field."""
    schema: dict[str, Any] = json.loads((ROOT / f"schemas/avro/{name}.avsc").read_text("utf-8"))
    schema["fields"].append(field)
    return schema


def another_view(folder: Path, view: str) -> str:
    """Let that release fill a view by its second version; return it."""
    _replace(folder / f"projections/views/{view}.py", '\nVERSION = "1"\n', '\nVERSION = "2"\n')
    return "2"


def environment(folder: Path) -> dict[str, str]:
    """What makes a process run that release; start Python with -P."""
    return {"PYTHONPATH": str(folder), "PATH": os.environ["PATH"]}


def _replace(file: Path, old: str, new: str) -> None:
    text = file.read_text("utf-8")
    assert text.count(old) == 1, f"{file} has changed: {old!r}"
    file.write_text(text.replace(old, new), "utf-8")
