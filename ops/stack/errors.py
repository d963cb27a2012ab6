"""What the launcher says when it cannot go on."""

DOCKER = "or use Docker: `docker compose up`"


class StackError(Exception):
    """One or two sentences for a person: what is wrong and what to do; never a traceback."""
