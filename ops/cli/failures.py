"""What goes wrong is said in a sentence on stderr: exit code 1 for failures, 2 for misuse, 130 for Ctrl-C."""

import errno
import os
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup

from ops.settings import runtime

_OURS = ("ops.", "commands.", "projections.", "schemas.")


class Failure(Exception):
    """The command cannot do what was asked. The text is a sentence that says why and what to do."""


class Verbs(TyperGroup):
    """The group of commands in which no traceback reaches a person."""

    def list_commands(self, ctx: Any) -> list[str]:
        """In the order in which they are of use, not of the alphabet."""
        return list(self.commands)

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for."""
        return guarded(lambda: super(Verbs, self).invoke(ctx))


def guarded(work: Callable[[], Any]) -> Any:
    """Run `work`; exceptions become a sentence and exit code 1."""
    try:
        return work()
    except (typer.Exit, typer.Abort):
        raise
    except Exception as error:
        misuse = type(error).__module__.startswith("typer.")  # typer says it itself, and exits with 2
        closed_pipe = isinstance(error, OSError) and error.errno == errno.EPIPE  # `licensing ... | head`
        if misuse or closed_pipe:
            raise
        typer.echo(sentence(error), err=True)
        raise typer.Exit(1) from error


def sentence(error: Exception) -> str:
    """What to say about an exception."""
    module = type(error).__module__
    if module.startswith(_OURS):
        return str(error)
    if module.startswith("redis"):
        return f"Redis says: {str(error).rstrip('.')}. Is it running? `licensing status` tells."
    if module.startswith("pydantic"):
        return f"A setting (LICENSING_...) is wrong: {error}"
    if isinstance(error, OSError):
        return f"{error.filename or 'The system'}: {error.strerror or error}"
    file = runtime() / f"traceback-{os.getpid()}.txt"
    _keep(file)
    return f"This should not happen: {type(error).__name__}: {error}. Please report it with {file}"


def _keep(file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(traceback.format_exc(), "utf-8")
