"""The command line in this process, told of the space of a test."""

import pytest
from typer.testing import CliRunner

from tests.support.space import Space


@pytest.fixture
def cli(space: Space, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    """Every `LICENSING_` setting of the environment is that of the space."""
    for name, value in space.environment().items():
        if name.startswith("LICENSING_"):
            monkeypatch.setenv(name, value)
    return CliRunner()
