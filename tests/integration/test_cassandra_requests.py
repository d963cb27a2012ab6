"""What becomes of requests in the driver: how long one may take, and that nothing keeps an answered one."""

import gc
import time
from uuid import uuid4
from weakref import ref

from cassandra.cluster import EXEC_PROFILE_DEFAULT

from commands.cassandra.session import connect, when_done
from commands.cassandra.tables import change_schema, create_tables
from tests.support.space import Servers, Space


def test_tables_are_created_and_dropped_in_more_time_than_a_query_has(servers: Servers) -> None:
    host, _, port = servers.address.cassandra.partition(":")
    session = connect([(host, int(port))], None)
    session.get_execution_profile(EXEC_PROFILE_DEFAULT).request_timeout = 0.001
    keyspace = f"t{uuid4().hex[:12]}"
    try:
        create_tables(session, keyspace)
        change_schema(session, f"DROP KEYSPACE {keyspace}")
    finally:
        session.cluster.shutdown()


def test_an_answered_request_goes_without_the_garbage_collector(space: Space) -> None:
    session = space.session()
    gc.disable()
    try:
        requests = []
        for _ in range(50):
            response = session.execute_async("SELECT * FROM system.local")
            requests.append(ref(response))
            when_done(response, list).result(60)
            del response
        deadline = time.monotonic() + 5  # half of a request's time: its timer is still in the driver's queue
        while any(request() is not None for request in requests) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert [request() for request in requests] == [None] * 50
    finally:
        gc.enable()
        session.cluster.shutdown()
