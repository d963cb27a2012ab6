"""A schema registry in memory, with every schema of this release: for what asks one, without HTTP."""

from schemas.registry import SCHEMAS, Schema

IDS = {f"{one.name}.v{one.version}": number for number, one in enumerate(SCHEMAS, 1000)}
TEXTS = {number: one.text for number, one in enumerate(SCHEMAS, 1000)}


class Registry:
    """It does not answer while it is `away`, nor about the ids that are `slow`."""

    def __init__(self, away: bool = False) -> None:
        self.away, self.slow = away, set[int]()
        self.asked: list[int] = []
        self.subjects: list[str] = []
        self.closed = False

    def text(self, number: int) -> str | None:
        self.asked.append(number)
        if self.away or number in self.slow:
            raise TimeoutError("it does not answer")
        return TEXTS.get(number)

    def id_of(self, subject: str, schema: Schema) -> int:
        if self.away:
            raise TimeoutError("it does not answer")
        self.subjects.append(subject)
        return IDS[f"{schema.name}.v{schema.version}"]

    def close(self) -> None:
        self.closed = True
