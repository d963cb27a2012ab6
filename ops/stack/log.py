"""What a server's log says about why it ended."""

import re
from pathlib import Path

_TROUBLE = re.compile(r"\b(?:ERROR|FATAL)\b|Exception|^# |in use|bind:")
_PORT_TAKEN = re.compile(r"already in use|in use by another process|failed to bind", re.IGNORECASE)


def size(log: Path) -> int:
    """Return how long the log is, in bytes: where the lines of the next start begin."""
    return log.stat().st_size if log.exists() else 0


def since(log: Path, start: int) -> str:
    """Return what was written from that byte on."""
    with log.open("rb") as file:
        file.seek(start)
        return file.read().decode("utf-8", "replace")


def excerpt(text: str, lines: int = 12) -> str:
    """Return the lines from the first trouble on, else the last ones: Java's servers say a lot after they failed."""
    every = text.splitlines()
    first = next((number for number, line in enumerate(every) if _TROUBLE.search(line)), len(every) - lines)
    return "\n".join(every[max(first, 0) :][:lines])


def port_was_taken(text: str) -> bool:
    """Tell whether somebody else had one of the ports by the time the server wanted it."""
    return _PORT_TAKEN.search(text) is not None
