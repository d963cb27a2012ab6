"""The rows that watch processes and stores, on real servers with next to no work, so that they cannot rot."""

from pathlib import Path
from types import ModuleType

import pytest

from ops.bench.ground import Ground, Size
from ops.bench.row import Line
from ops.bench.rows import cold_load, memory, what_if
from ops.bench.watch import POSSIBLE
from tests.support.space import Servers


def measured(row: ModuleType, servers: Servers, tmp_path: Path) -> dict[str, Line]:
    lines: list[Line] = row.measure(Ground(servers.address, tmp_path, 1, Size(share=0.02)))
    return {line.what: line for line in lines}


def test_cold_loads_are_measured_with_and_without_a_snapshot(servers: Servers, tmp_path: Path) -> None:
    lines = measured(cold_load, servers, tmp_path)
    assert [line.limit for line in lines.values()] == [None, None, 1.5, None, 1.5, 1.5]
    assert all(line.ratio is not None and line.ratio.least > 0 for line in lines.values())


@pytest.mark.skipif(not POSSIBLE, reason="the system has no /proc")
def test_memory_is_measured_on_real_processes(servers: Servers, tmp_path: Path) -> None:
    lines = measured(memory, servers, tmp_path)
    assert {line.unit for line in lines.values()} == {"MiB", "bytes"}
    handler = lines["handler, after 6,000 commands"].ours
    assert handler is not None
    assert handler.median > 20


def test_what_if_is_measured_over_commands_that_a_handler_decided(servers: Servers, tmp_path: Path) -> None:
    lines = what_if.measure(Ground(servers.address, tmp_path, 1, Size(share=0.02)))
    assert [(line.what, line.limit) for line in lines] == [
        ("a command, what-if over 2,000", 1.5),
        ("a command, what-if over 2,000, in one process", None),
        ("a command, what-if over 2,000", None),
    ]
    assert all(line.ratio is not None and line.ratio.least > 0 for line in lines)
