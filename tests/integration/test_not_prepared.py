"""What no waiting helps with ends a handler with one sentence that says what to do."""

from uuid import uuid4

from commands.cassandra.tables import change_schema
from ops import kafka, topics
from schemas.commands import SetPlan
from schemas.topics import Topics
from tests.support.load import Load, Stores
from tests.support.processes import eventually, handler
from tests.support.space import PARTITIONS, Servers, Space


def test_topics_that_were_made_just_now_can_be_asked_at_once(servers: Servers) -> None:
    """A broker lists them before it leads their partitions."""
    for _ in range(5):
        names = Topics(f"t{uuid4().hex[:12]}")
        topics.create(servers.address.kafka, names, PARTITIONS)
        for topic in names.all():
            assert kafka.ends(servers.address.kafka, topic) == dict.fromkeys(range(PARTITIONS), 0)


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
    change_schema(session, "DROP TABLE watermarks")
    session.cluster.shutdown()
    with handler(space, "no-table") as process:
        assert process.wait() == 1
        assert process.said("create the topics and tables with: licensing init")


def test_a_policy_that_is_none(space: Space) -> None:
    with handler(space, "no-policy", environment={"LICENSING_POLICY": "/nosuch.yaml"}) as process:
        assert process.wait() == 1
        assert process.said("/nosuch.yaml cannot be read: No such file or directory")


def test_a_topic_that_was_deleted_and_made_anew_under_a_handler(space: Space) -> None:
    stores = Stores(space)

    def send(count: int) -> None:
        Load(space).send(*(SetPlan(str(uuid4()), "ann", None, "basic") for _ in range(count)))

    send(20)
    with handler(space, "new-topic") as process:
        eventually(stores.followed_up, what="all is handled")
        kafka.delete(space.settings.kafka, [space.topics.commands])
        eventually(lambda: not kafka.partitions(space.settings.kafka, [space.topics.commands]), what="it is gone")
        topics.create(space.settings.kafka, space.topics, PARTITIONS)
        send(10)
        assert process.wait() == 1
        assert process.said("this is another topic. Use the keyspace that belongs to it, or a new one.")
    stores.close()
