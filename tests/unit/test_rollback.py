"""A rollback to what another release fills, which is a flip and no more."""

from typing import Any, cast

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from ops.rebuild import rollback
from ops.rebuild.owner import Owner
from ops.rebuild.stop import Stop
from ops.rebuild.waiting import Waiting
from ops.settings import Settings
from projections.redis_model.generations import Flipped
from projections.views import VIEWS


class Lost:
    """Generations, with a server that dies when it has flipped them and before it says so."""

    def __init__(self) -> None:
        self.names, self.flips = ["2", "1"], 0

    def live(self) -> str:
        return self.names[0]

    def previous(self) -> str:
        return self.names[1]

    def version(self, generation: str) -> str:
        return "of another release"

    def positions(self, generation: str) -> dict[int, int]:
        return {0: 7}

    def note(self, generation: str, notes: Any) -> None: ...

    def flip(self, expected: str, to: str, *about: Any) -> Flipped:
        self.flips += 1
        if self.live() != expected:
            return "moved"
        self.names.reverse()
        raise RedisConnectionError("Connection closed by server.")


class Asked:
    """An owner whose signs of life Redis takes."""

    def keep(self) -> None: ...


def test_it_is_done_also_where_its_answer_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is told that it failed would do it again, which leads back to where it began."""
    monkeypatch.setattr(rollback, "reach_of", lambda settings: {0: (0, 10)})
    generations, settings, stop, said = Lost(), Settings(), Stop(), list[str]()
    waiting = Waiting(settings, cast(Owner, Asked()), stop, said.append)
    found = rollback.roll_back(
        settings, VIEWS["licenses"], cast(Any, generations), stop, waiting, lambda what, done, total: None
    )
    assert (found.generation, found.was, found.behind) == ("1", "2", 3)
    assert (generations.names, generations.flips) == (["1", "2"], 2)
    assert [line.split(";")[0] for line in said] == ["Redis is away", "Redis is back."]
