"""What a check found as metrics in a file, for the textfile collector of Prometheus' node exporter."""

import time
from collections import Counter
from pathlib import Path

from prometheus_client import CollectorRegistry, Gauge, write_to_textfile

from ops.truth.check import Checked
from ops.truth.findings import KINDS


def write(file: Path, found: Checked, seconds: float) -> None:
    """Write the file anew, in one step: whoever reads it meanwhile sees the one before. `seconds`: what the check took.

    Raises:
        OSError: it cannot be written.
    """
    registry = CollectorRegistry()
    drift = Gauge("licensing_drift", "Findings of the last check", ("kind", "view"), registry=registry)
    counts = Counter((one.kind, one.view or "") for one in found.findings)
    for kind in KINDS:
        for view in found.views if kind == "view" else [""]:
            drift.labels(kind, view).set(0)
    for labels, count in counts.items():
        drift.labels(*labels).set(count)
    coming = Gauge("licensing_check_coming", "Events on their way to a reader", ("reader",), registry=registry)
    for reader in ("events topic", *found.views):
        coming.labels(reader).set(found.coming.get(reader, 0))
    for name, text, value in (
        ("accounts", "Accounts that the last check looked at", found.accounts),
        ("events", "Events that the last check looked at", found.events),
        ("duration_seconds", "How long the last check took", seconds),
        ("timestamp_seconds", "When the last check ended, seconds since 1970", time.time()),
    ):
        Gauge(f"licensing_check_{name}", text, registry=registry).set(value)
    write_to_textfile(str(file), registry)
