"""Where a running stack answers, and the record of it in its home."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from ops.stack.errors import StackError
from ops.stack.files import write_whole


@dataclass(frozen=True, slots=True)
class StackAddress:
    """Client addresses of the three servers."""

    kafka: str  # host:port
    cassandra: str  # host:port
    redis: str  # redis://host:port/0

    def environment(self) -> dict[str, str]:
        """Return the addresses as the variables that every process of ours reads."""
        return {f"LICENSING_{name.upper()}": value for name, value in asdict(self).items()}


@dataclass(slots=True)
class Record:
    """What a home remembers between runs: ports by server and name, and the partitions of a new topic."""

    partitions: int
    ports: dict[str, dict[str, int]] = field(default_factory=dict)

    @classmethod
    def load(cls, home: Path, partitions: int) -> "Record":
        """Return the record of a home, or an empty one."""
        try:
            return cls(**json.loads((home / "stack.json").read_text("utf-8")))
        except FileNotFoundError:
            return cls(partitions)

    def save(self, home: Path) -> None:
        """Write the record."""
        write_whole(home / "stack.json", json.dumps(asdict(self), indent=1) + "\n")

    def taken(self, but: str) -> set[int]:
        """Return the ports of the other servers of this stack."""
        return {port for name, ports in self.ports.items() if name != but for port in ports.values()}


def address_of(ports: Mapping[str, Mapping[str, int]]) -> StackAddress:
    """Return the client addresses for recorded ports."""
    return StackAddress(
        kafka=f"127.0.0.1:{ports['kafka']['client']}",
        cassandra=f"127.0.0.1:{ports['cassandra']['native']}",
        redis=f"redis://127.0.0.1:{ports['redis']['client']}/0",
    )


def publish(home: Path, address: StackAddress) -> None:
    """Write `stack.env`, which is there from a start to the stop after it."""
    lines = [f"{name}={value}\n" for name, value in address.environment().items()]
    write_whole(home / "stack.env", "".join(lines))


def published(home: Path) -> StackAddress:
    """Return what `stack.env` says; raise StackError when no stack was started there."""
    try:
        text = (home / "stack.env").read_text("utf-8")
    except FileNotFoundError:
        raise StackError(f"No stack runs in {home}: start one with `make up`.") from None
    values = dict(line.split("=", 1) for line in text.splitlines())
    return StackAddress(**{name.removeprefix("LICENSING_").lower(): value for name, value in values.items()})
