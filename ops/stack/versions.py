"""The versions, ports and names of `versions.toml`, and the files beside it."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Any

HERE = Path(__file__).parent
VERSIONS: Mapping[str, Any] = tomllib.loads((HERE / "versions.toml").read_text("utf-8"))
CHECKOUT = HERE.parents[1]


def runtime() -> Path:
    """Return the folder for everything fetched or written: `.runtime` of the checkout, else of here."""
    return (CHECKOUT if (CHECKOUT / "pyproject.toml").exists() else Path.cwd()) / ".runtime"


def default_home() -> Path:
    """Return the home of the stack that `make up` starts; its `stack.env` is what the command line reads."""
    return runtime() / "stack"


def fill(template: str, values: Mapping[str, object]) -> str:
    """Return the template file of that name with each `${name}` replaced; a missing name is an error."""
    return Template((HERE / template).read_text("utf-8")).substitute(values)
