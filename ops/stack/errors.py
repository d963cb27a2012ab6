"""What the launcher says when it cannot go on."""

DOCKER = "or use Docker: `docker compose up`"


class StackError(Exception):
    """One or two sentences for a person: what is wrong and what to do; never a traceback."""


class ServerDied(StackError):
    """A server ended before it answered."""

    def __init__(self, name: str, tail: str) -> None:
        super().__init__(f"{name} ended while starting. The end of its log:\n{tail}")
        self.name = name
        self.tail = tail

    @property
    def port_was_taken(self) -> bool:
        """Whether it ended because somebody else took one of its ports in the meantime."""
        return "address already in use" in self.tail.lower()
