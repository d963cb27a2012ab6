"""What differs between the three servers: files, command line, and the proof that one answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ops.stack.files import Progress


@dataclass(frozen=True, slots=True)
class Place:
    """Where one server lives: its folder, its ports by name, and the partitions of a new topic."""

    folder: Path
    ports: Mapping[str, int]
    partitions: int


class Server(Protocol):
    """One kind of server."""

    name: str
    port_names: tuple[str, ...]  # the first is the one that clients use

    def install(self, progress: Progress) -> None:
        """Find or fetch the program; raise StackError when that cannot be."""

    def command(self, place: Place) -> list[str]:
        """Write the configuration and return the command line; it names a file of the server's folder."""

    def answers(self, port: int) -> bool:
        """Tell whether the server does its work on the port, not just listens."""
