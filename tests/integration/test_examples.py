"""The examples in ops/examples do what they say, beside a real handler and a real worker."""

import subprocess
import sys

import pytest

from tests.support.processes import at_work, handler
from tests.support.space import Space

SAYS = {
    "blocking": """\
subscribed: accepted
acquired: accepted version 2
the view `licenses` has it
again: duplicate version 2
""",
    "asynchronous": "100 members: accepted, device_limit\n",
}


@pytest.mark.parametrize("example", SAYS)
def test_it_says(space: Space, example: str) -> None:
    with handler(space) as handling, handler(space, "worker", ["-m", "projections", "worker", "licenses"]) as worker:
        at_work(handling, worker)
        command = [sys.executable, "-m", f"ops.examples.{example}", "somebody"]
        ran = subprocess.run(command, env=space.environment(), check=False, capture_output=True, text=True, timeout=120)
    assert (ran.stdout, ran.returncode) == (SAYS[example], 0), ran.stderr
