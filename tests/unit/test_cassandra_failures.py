"""The driver's exceptions have no common base: each is a store that is away, or named here as a mistake of ours."""

import inspect

import cassandra
from cassandra import cluster, connection, pool, protocol, query, segment

from commands.cassandra.session import FAILURES

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


def test_every_exception_of_the_driver_is_known() -> None:
    found = {
        thing
        for module in (cassandra, cluster, connection, pool, protocol, query, segment)
        for thing in vars(module).values()
        if inspect.isclass(thing) and issubclass(thing, Exception) and thing.__module__.startswith("cassandra")
    }
    assert len(found) > 30
    assert {thing.__name__ for thing in found if not issubclass(thing, FAILURES)} == MISTAKES
