"""A clock for the client that moves when a test says so: time is up in the state that the test is about, however slow
the machine is."""

import time

from commands.client import Client


class Clock:
    """In the place of `time` in the client."""

    time_ns = staticmethod(time.time_ns)
    sleep = staticmethod(time.sleep)

    def __init__(self) -> None:
        self.now = 1000.0  # seconds

    def monotonic(self) -> float:
        """The seconds that it is set to."""
        return self.now


def confirmed(client: Client) -> bool:
    """Whether Kafka has all that waits for a reply, and the client knows: a reply may come before it does."""
    return all(sent.confirmed is not None for sent in client._waiting.all())
