"""Free ports on 127.0.0.1, outside the range that the kernel hands to clients."""

import random
import socket
from collections.abc import Callable, Collection, Iterable, Mapping

# A server that restarts must get its port again. Ports above these are given to outgoing connections (Linux
# from 32768, macOS from 49152): a client that knocks at a dead server could even connect to itself there.
LOWEST, HIGHEST = 15_000, 32_000


def is_free(port: int) -> bool:
    """Tell whether a server could listen there now, as Java and Redis do: lingering connections do not count."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def choose(
    names: Iterable[str],
    saved: Mapping[str, int],
    taken: Collection[int],
    free: Callable[[int], bool] = is_free,
) -> dict[str, int]:
    """Return a port for each name: all the saved ones when they are still free, else all new ones."""
    names = list(names)
    if all(name in saved and saved[name] not in taken and free(saved[name]) for name in names):
        return {name: saved[name] for name in names}
    chosen: dict[str, int] = {}
    while len(chosen) < len(names):
        port = random.randint(LOWEST, HIGHEST)  # noqa: S311 (not a secret)
        if port not in taken and port not in chosen.values() and free(port):
            chosen[names[len(chosen)]] = port
    return chosen
