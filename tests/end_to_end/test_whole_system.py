"""Commands in, documents out, on real servers with real processes: every store says the same, account by account."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from commands.policy_file import load_policy
from ops.send import Sender, pump
from ops.simulate import Load, encode, films, generate
from projections.queries import Views
from projections.settings import Settings as ViewSettings
from projections.views import VIEWS
from schemas.codec import decode_event
from tests.end_to_end.plain_fold import PlainFold
from tests.support.load import Stores
from tests.support.processes import eventually, handler
from tests.support.space import PARTITIONS, Space
from tests.support.story import check

COMMANDS = 6000
DAY = 86_400_000


@contextmanager
def workers(space: Space) -> Iterator[None]:
    """One worker for each view."""
    with ExitStack() as running:
        for view in VIEWS:
            running.enter_context(handler(space, view, ["-m", "projections", "worker", view]))
        yield


def send_the_load(space: Space) -> None:
    now = int(time.time() * 1000)
    timed = generate(Load(300, COMMANDS, 7, now - 90 * DAY, now), tuple(film.id for film in films()))
    sender = Sender(space.settings.kafka, space.topics.commands)
    pump(sender, encode(timed, 0.005, 7), None, 0, lambda sent: None)


def views_of(space: Space) -> Views:
    address = space.servers.address
    return Views(
        ViewSettings(
            kafka=address.kafka,
            cassandra=address.cassandra,
            redis=address.redis,
            keyspace=space.name,
            namespace=space.name,
        )
    )


def test_every_store_and_every_view_tell_the_same(space: Space) -> None:
    stores, views = Stores(space), views_of(space)
    with handler(space) as handling, workers(space):
        send_the_load(space)
        eventually(stores.followed_up, 120, what="all commands are decided")
        for partition in range(PARTITIONS):
            last = stores.end(space.topics.events, partition) - 1
            for view in VIEWS:
                assert views.wait_until_seen(view, partition, last, 120)
        handling.send(signal.SIGTERM)
        assert handling.wait() == 0
    stories = stores.stories()
    assert sum(len(story.commands) for story in stories) == COMMANDS
    assert sum(len(story.dead_letters) for story in stories) > 0
    plain, published = PlainFold(), PlainFold()
    for story in stories:
        check(story, load_policy())  # events in Cassandra = first copies on the topic, in order
        for history in story.stored.values():
            plain.take(history)
        published.take(map(decode_event, dict.fromkeys(story.events)))
    assert plain == published
    now = int(time.time() * 1000)
    assert len(plain.licenses) > 100
    for account_id in plain.licenses:
        document = views.document("licenses", account_id, now)
        expected = plain.license_documents(account_id, now)
        assert (document["licenses"] if document else []) == expected
    for device, counts in plain.devices.items():
        account_id, _, device_id = device.partition("/")
        assert views.document("device_downloads", device, now) == {
            "account_id": account_id,
            "device_id": device_id,
            "active": plain.active(now, device=device),
            "downloads": counts["downloads"],
            "completed": counts["completed"],
            "last_activity": counts["last_activity"],
        }
    for title_id, counts in plain.titles.items():
        assert views.document("title_downloads", title_id, now) == {
            "title_id": title_id,
            "acquired": counts["acquired"],
            "completed": counts["completed"],
            "active": plain.active(now, title=title_id),
        }
    the_command_line_agrees(space, plain, now)
    views.close()
    stores.close()


def the_command_line_agrees(space: Space, plain: PlainFold, now: int) -> None:
    """`licensing timeline` and `licensing view` print what the stores hold."""
    account_id = max(plain.licenses, key=lambda account: len(plain.licenses[account]))

    def licensing(*arguments: str) -> str:
        command = [sys.executable, "-m", "ops.cli", *arguments, "--json"]
        return subprocess.run(command, env=space.environment(), check=True, capture_output=True, text=True).stdout

    shown = json.loads(licensing("view", "licenses", account_id))
    assert [one["license_id"] for one in shown["licenses"]] == [
        one["license_id"] for one in plain.license_documents(account_id, now)
    ]
    acquired = licensing("timeline", account_id).count("LicenseAcquired")
    assert acquired == len(plain.licenses[account_id])
