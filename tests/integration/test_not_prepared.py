"""What no waiting helps with ends a handler with one sentence that says what to do."""

from tests.support.processes import handler
from tests.support.space import Space


def test_topics_that_are_not_there(space: Space) -> None:
    with handler(space, "no-topics", environment={"LICENSING_NAMESPACE": "nosuch"}) as process:
        assert process.wait() == 1
        assert process.said("there is no topic nosuch.commands; create the topics and tables with: licensing init")


def test_a_keyspace_that_is_not_there(space: Space) -> None:
    with handler(space, "no-keyspace", environment={"LICENSING_KEYSPACE": "nosuch"}) as process:
        assert process.wait() == 1
        assert process.said("nosuch")
        assert process.said("create the topics and tables with: licensing init")
        assert not process.said("Traceback")


def test_tables_that_are_not_there(space: Space) -> None:
    session = space.session()
    session.execute("DROP TABLE watermarks")
    session.cluster.shutdown()
    with handler(space, "no-table") as process:
        assert process.wait() == 1
        assert process.said("create the topics and tables with: licensing init")


def test_a_policy_that_is_none(space: Space) -> None:
    with handler(space, "no-policy", environment={"LICENSING_POLICY": "/nosuch.yaml"}) as process:
        assert process.wait() == 1
        assert process.said("/nosuch.yaml cannot be read: No such file or directory")
