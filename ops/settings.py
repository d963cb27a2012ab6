"""Where the servers are and what our names in them begin with: `LICENSING_*` of the environment."""

import os
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from pathlib import Path

from schemas.topics import Topics


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings that every process shares; README lists them."""

    kafka: str = "127.0.0.1:9092"
    cassandra: str = "127.0.0.1:9042"
    keyspace: str = "licensing"
    redis: str = "redis://127.0.0.1:6379/0"
    namespace: str = "licensing"

    @classmethod
    def read(cls, environment: Mapping[str, str] = os.environ) -> "Settings":
        """The settings of an environment, by default this process's own."""
        given = {name: environment.get(f"LICENSING_{name.upper()}") for name in cls.__slots__}
        return cls(**{name: value for name, value in given.items() if value})

    def environment(self) -> dict[str, str]:
        """The settings as the variables that a process of ours reads."""
        return {f"LICENSING_{name.upper()}": getattr(self, name) for name in self.__slots__}

    @property
    def topics(self) -> Topics:
        """The topics."""
        return Topics(self.namespace)

    @property
    def handler_group(self) -> str:
        """The consumer group of the command handler."""
        return f"{self.namespace}.handler"


def runtime() -> Path:
    """The folder for all that is fetched or written: `.runtime` of the checkout, else of the working directory."""
    checkout = Path(__file__).parents[1]
    return (checkout if (checkout / "pyproject.toml").exists() else Path.cwd()) / ".runtime"


def home() -> Path:
    """The folder of the stack that runs: that of `licensing up`, else of a demonstration that was kept."""
    homes = [runtime() / "stack", runtime() / "demo"]
    return next((home for home in homes if (home / "stack.env").exists()), homes[0])


def adopt(file: Path, environment: MutableMapping[str, str] = os.environ) -> None:
    """Take the `KEY=VALUE` lines of a stack's address file into the environment; what is set there already wins."""
    if not file.is_file():
        return
    for line in file.read_text("utf-8").splitlines():
        name, separator, value = line.partition("=")
        if separator and name.startswith("LICENSING_"):
            environment.setdefault(name, value)
