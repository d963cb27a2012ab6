"""What may be asked of a rebuild: to go on as it was begun, to keep generations so long, to stop."""

import signal

import pytest

from ops.rebuild.cutover import BadSetting, retired_days
from ops.rebuild.plan import Asked, Refused, _same
from ops.rebuild.stop import Stop, by_signal
from projections.views import VIEWS


@pytest.mark.parametrize(
    ("asked", "version", "why"),
    [
        (Asked(), "1", None),
        (Asked("journal"), "1", None),
        (Asked("topic"), "1", "it is filled from the journal"),
        (Asked(), "0", "it is filled by version 0 of the view, and this is 1"),
        (Asked(until=5, into="x"), "1", "it has all events"),
    ],
)
def test_an_unfinished_one_goes_on_as_it_was_begun(asked: Asked, version: str, why: str | None) -> None:
    view = VIEWS["licenses"]
    if why is None:
        _same(view, "1.1", version, {"source": "journal"}, asked)
        return
    with pytest.raises(Refused, match=f"Generation 1.1 of licenses is unfinished: {why}.*--cancel"):
        _same(view, "1.1", version, {"source": "journal"}, asked)


def test_a_side_generation_goes_on_with_its_own_end() -> None:
    notes = {"source": "topic", "until": "5", "into": "x"}
    _same(VIEWS["licenses"], "x", "1", notes, Asked(until=5, into="x"))
    for other in (Asked(), Asked(until=6, into="x"), Asked(until=5, into="y")):
        with pytest.raises(Refused, match="it has the events until 5, in x"):
            _same(VIEWS["licenses"], "x", "1", notes, other)


def test_the_days_of_a_generation_are_a_setting() -> None:
    assert retired_days({}) == 7
    assert retired_days({"LICENSING_RETIRED_DAYS": "0.5"}) == 0.5
    for text in ("a week", "-1", "nan", "inf"):
        with pytest.raises(BadSetting, match=f"not {text}"):
            retired_days({"LICENSING_RETIRED_DAYS": text})


def test_signals_ask_once_and_then_interrupt() -> None:
    stop = Stop()
    before = signal.getsignal(signal.SIGTERM)
    with by_signal(stop):
        signal.raise_signal(signal.SIGTERM)
        assert stop.why == "interrupted"
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGTERM) is before
