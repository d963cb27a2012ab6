"""Which dead letters are meant. Pure."""

from dataclasses import dataclass

from ops.dead_letters.letter import Letter


@dataclass(frozen=True, slots=True)
class Wanted:
    """Letters of a stage, an exception, a topic, not before a time (ms); None: of any."""

    stage: str | None = None
    exception: str | None = None
    topic: str | None = None
    since: int | None = None

    def __contains__(self, letter: Letter) -> bool:
        return (
            self.stage in (None, letter.stage)
            and self.exception in (None, letter.exception)
            and self.topic in (None, letter.topic)
            and (self.since is None or letter.at >= self.since)
        )
