"""What the demonstration plays on: fresh servers, topics, tables, the handler and the workers, stopped at the end."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from ops import history, services, topics
from ops.fresh import fresh_stack
from ops.settings import Settings

PARTITIONS = 4


@dataclass(frozen=True, slots=True)
class Stage:
    """A running system."""

    home: Path
    settings: Settings


@contextmanager
def stage(home: Path, keep: bool, tell: Callable[[str], None]) -> Iterator[Stage]:
    """A fresh system in `home`, stopped at the end as `fresh_stack` says."""
    with fresh_stack(home, PARTITIONS, keep, tell) as address:
        settings = Settings(**asdict(address))
        topics.create(settings.kafka, settings.topics, PARTITIONS)
        history.create(settings)
        tell("Topics and tables are there")
        services.start(home, settings, tell)
        yield Stage(home, settings)
