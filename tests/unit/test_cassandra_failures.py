"""The driver's exceptions have no common base: each is a store that is away, or named here as a mistake of ours."""

import inspect

import cassandra
import pytest
from cassandra import cluster, connection, pool, protocol, query, segment

from commands.cassandra.session import FAILURES
from projections import event_store
from tests.support.driver import TRANSIENT

#: Wrong use, or a driver that was built wrong: waiting does not help.
MISTAKES = {
    "DependencyException",
    "InternalError",
    "NotSupportedError",
    "ProtocolError",
    "QueryExhausted",
    "TraceUnavailable",
    "UserTypeDoesNotExist",
}


@pytest.mark.parametrize("away", [FAILURES, event_store._AWAY], ids=["write side", "read side"])
def test_every_exception_of_the_driver_is_known(away: tuple[type[Exception], ...]) -> None:
    found = {
        thing
        for module in (cassandra, cluster, connection, pool, protocol, query, segment)
        for thing in vars(module).values()
        if inspect.isclass(thing) and issubclass(thing, Exception) and thing.__module__.startswith("cassandra")
    }
    assert len(found) > 30
    assert {thing.__name__ for thing in found if not issubclass(thing, away)} == MISTAKES


@pytest.mark.parametrize("error", TRANSIENT, ids=lambda error: type(error).__name__)
def test_both_sides_wait_for_what_passes(error: Exception) -> None:
    assert isinstance(error, FAILURES)
    assert event_store.is_away(error)
