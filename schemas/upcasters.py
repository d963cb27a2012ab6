"""From the fields of an older version to those of the next: pure, one step each, applied once, where bytes are read.

One event stays one event, so the versions of an account stay without gaps. A step may lead to another message: that is
how a type is retired in favour of two.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

Record: TypeAlias = dict[str, Any]
#: A message's name and version, and its fields.
Step: TypeAlias = tuple[str, int, Record]


def _acquire_license_1(old: Record) -> Step:
    """Before there was a choice there was one quality."""
    return "AcquireLicense", 2, old | {"download_quality": "standard"}


def _license_acquired_1(old: Record) -> Step:
    return "LicenseAcquired", 2, old | {"download_quality": "standard"}


def _plan_set_1(old: Record) -> Step:
    """Retired: the first plan of an account is another thing than a change from one to another.

    Nothing can happen to an account that is on no plan, and none ever leaves its plan for no other: so the event is the
    account's first if and only if it chose the first plan.
    """
    if old["version"] == 1:
        return "PlanChosen", 1, old
    return "PlanChanged", 1, old | {"previous_plan": None}


def _journal_batch_1(old: Record) -> Step:
    """`reason` was two things: the code of a refusal, and the class of the exception behind a dead letter."""
    entries = []
    for entry in old["entries"]:
        new = dict(entry)
        reason = new.pop("reason")
        dead = new["outcome"] == "dead_letter"
        entries.append(new | {"rejection": None if dead else reason, "exception": reason if dead else None})
    return "JournalBatch", 2, old | {"entries": entries}


UPCASTERS: dict[tuple[str, int], Callable[[Record], Step]] = {
    ("AcquireLicense", 1): _acquire_license_1,
    ("JournalBatch", 1): _journal_batch_1,
    ("LicenseAcquired", 1): _license_acquired_1,
    ("PlanSet", 1): _plan_set_1,
}

#: Messages that nobody writes any more -> the ones in their place.
RETIRED: dict[str, tuple[str, ...]] = {"PlanSet": ("PlanChosen", "PlanChanged")}


def upcast(name: str, version: int, record: Record) -> tuple[str, Record]:
    """The newest message that stands for this one, by its name, and its fields. `record` stays as it is."""
    while (step := UPCASTERS.get((name, version))) is not None:
        name, version, record = step(record)
    return name, record
