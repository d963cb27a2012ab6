"""What becomes of an answered request in the driver: nothing may keep it, for there are thousands a second."""

import gc
import time
from weakref import ref

from commands.cassandra.session import when_done
from tests.support.space import Space


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
