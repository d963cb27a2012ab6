"""The benchmark's machinery on real servers, on a row of little work, so that it cannot rot."""

from pathlib import Path

from ops.bench.ground import Ground, Size
from ops.bench.report import Benchmark, markdown
from ops.bench.rows import hot_account
from ops.bench.run import run
from tests.support.space import Servers


def test_a_row_is_measured_on_real_servers(servers: Servers, tmp_path: Path) -> None:
    told: list[str] = []
    ground = Ground(servers.address, servers.home, 1, Size(share=0.6), told.append)
    (result,) = run([hot_account], ground, str)
    assert result.failure is None
    (line,) = result.lines
    assert line.ratio is not None
    assert line.ratio.least > 0
    assert told == ["hot-account", "hot-account, run 1 of 1"]
    assert "commands of one account" in markdown(Benchmark("", "short", 1, {}, {}, [result]))
