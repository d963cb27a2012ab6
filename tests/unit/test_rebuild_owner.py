"""Who has rebuilt a view leaves the place to the next at once, however slowly Redis answers."""

from threading import Event, Timer

import pytest

from ops.rebuild.owner import Owner
from ops.rebuild.stop import Stop
from ops.settings import Settings
from projections.redis_model.owner import Wish

SLOWLY = 0.3  # seconds


class Place:
    """A place in memory in which the second sign of life, that of the thread, takes its time."""

    def __init__(self) -> None:
        self.taken: str | None = None
        self.token, self.signs = "", 0
        self.asked, self.answers = Event(), Event()

    def keep(self) -> tuple[bool, Wish | None]:
        self.signs += 1
        if self.signs == 2:
            self.asked.set()
            assert self.answers.wait(20)
        self.taken = self.taken or self.token
        return self.taken == self.token, None

    def leave(self) -> None:
        self.taken = None

    def answered(self) -> None:
        """Nothing was asked."""

    def close(self) -> None:
        """There is nothing to close."""


def test_a_sign_of_life_under_way_does_not_keep_the_place(monkeypatch: pytest.MonkeyPatch) -> None:
    place = Place()

    def ownership(url: str, namespace: str, view: str, token: str) -> Place:
        place.token = token
        return place

    monkeypatch.setattr("ops.rebuild.owner.Ownership", ownership)
    monkeypatch.setattr("ops.rebuild.owner._LOOK", 0.01)
    with Owner(Settings(), "licenses", Stop()):
        assert place.asked.wait(20)
        Timer(SLOWLY, place.answers.set).start()
    assert place.taken is None
