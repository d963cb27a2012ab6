"""The verdicts: what the schemas of now mean for the readers, the writers and the stores of a release. Pure."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from ops.contract.released import Marks, Texts, mark
from ops.contract.resolution import obstacles
from schemas.commands import COMMANDS
from schemas.lint import lint
from schemas.replies import Reply
from schemas.upcasters import RETIRED, UPCASTERS

#: `upcaster`: not by Avro's rules, but by a step of ours.
Answer: TypeAlias = Literal["yes", "no", "upcaster", "-"]

_FILE = re.compile(r"(\w+)\.v(\d+)\.avsc")


@dataclass(frozen=True, slots=True)
class Verdict:
    """One message. `backward`: new readers read what the release wrote; `forward`: the release's readers, new bytes.

    `ok` False: it must not be released so. `released` and `now` are versions; None: it has none.
    """

    message: str
    released: int | None
    now: int | None
    backward: Answer
    forward: Answer
    full: Answer
    ok: bool
    to_do: str


def verdicts(now: Texts, released: Marks, known: Texts, steps: Iterable[tuple[str, int]] = UPCASTERS) -> list[Verdict]:
    """A verdict for every message, and one more for every file that is no good. `known`: texts of released files."""
    steps = set(steps)
    found = [*_changed(now, released), *_unfit(now)]
    spoilt = {verdict.message for verdict in found}
    then, today = _newest(released), _newest(now)
    for name in sorted({*then, *today} - spoilt):
        old, new = then.get(name), today.get(name)
        file = f"{name}.v{old}.avsc"
        before = json.loads(known[file] if file in known else now[file]) if old else None
        found.append(_verdict(name, before, old, json.loads(now[f"{name}.v{new}.avsc"]), new or 0, steps))
    return sorted(found, key=lambda verdict: (verdict.ok, verdict.message))


def _newest(names: Iterable[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for match in filter(None, map(_FILE.fullmatch, names)):
        found[match[1]] = max(found.get(match[1], 0), int(match[2]))
    return found


def _changed(now: Texts, released: Marks) -> list[Verdict]:
    found = []
    for file, one in released.items():
        if file not in now:
            found.append(_refused(file, "it is gone, and stored messages need it: put it back"))
        elif mark(now[file]) != one:
            name, version = _parts(file)
            found.append(
                _refused(file, f"it was edited: put it back as it was, and the change into {name}.v{version + 1}.avsc")
            )
    return found


def _unfit(now: Texts) -> list[Verdict]:
    return [_refused(file, problem) for file, text in now.items() for problem in lint(text)]


def _refused(file: str, why: str) -> Verdict:
    name, version = _parts(file)
    return Verdict(name, version, version, "-", "-", "-", False, f"{file}: {why}")


def _parts(file: str) -> tuple[str, int]:
    match = _FILE.fullmatch(file)
    return (match[1], int(match[2])) if match else (file, 0)


def _verdict(
    name: str, before: Any, old: int | None, after: Mapping[str, Any], new: int, steps: set[tuple[str, int]]
) -> Verdict:
    if old is None:
        return Verdict(name, None, new, "-", "-", "-", True, _order(name))
    missing = [version for version in range(old, new) if (name, version) not in steps]
    if missing:
        text = f"there is no step from version {missing[0]}: write one in schemas/upcasters.py"
        return Verdict(name, old, new, "no", "-", "no", False, text)
    if name in RETIRED:
        text = f"{' and '.join(RETIRED[name])} are in its place. {_order(name)}"
        return Verdict(name, old, None, "upcaster", "no", "no", True, text)
    if old == new:
        return Verdict(name, old, new, "yes", "yes", "yes", True, "-")
    back, ahead = list(obstacles(after, before)), list(obstacles(before, after))
    answer: Answer = "upcaster" if back else "yes"
    text = _order(name) + (f" Others cannot read version {new} with version {old}: {ahead[0]}." if ahead else "")
    return Verdict(name, old, new, answer, "no" if ahead else "yes", "no" if back or ahead else "yes", True, text)


def _order(name: str) -> str:
    """Who is upgraded before whom: whoever reads a message before whoever writes it."""
    if name in COMMANDS:
        return "Handlers before senders."
    if name == Reply.__name__:
        return "Callers before handlers."
    if name == "JournalBatch":
        return "All handlers, one after the other."
    return "Workers, then handlers."
