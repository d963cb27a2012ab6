"""Owners that crash, pause, lose answers and wake up late, in any order: the invariants of the journal hold."""

from collections import Counter
from random import Random
from uuid import UUID, uuid5

import pytest

from commands.account import fold, initial
from commands.accounts import AccountCache
from commands.batch import read_body
from commands.follow_up import Outbound
from commands.intake import Message
from commands.policy import Policy, Terms
from commands.ports import StoreUnavailable
from commands.shard import Inside, Shard
from schemas.codec import decode_reply, encode_command
from schemas.commands import AcquireLicense, Command, ReleaseLicense, SetPlan
from schemas.events import Envelope
from schemas.topics import Topics
from tests.support.laggard import LaggardJournal, LaggardStores, World

T0 = 1_700_000_000_000
SPACE = UUID(int=7)
POLICY = Policy("p", {"basic": 1, "premium": 2}, 2, 0, Terms(duration=10_000, renewals=1))
TOPICS = Topics()

#: What happens, and how often: most of the time work goes on, now and then something breaks.
ACTIONS = {
    "produce": 25,
    "drive": 40,
    "arrive": 30,
    "publish": 12,
    "answer_lost": 2,
    "call_late": 3,
    "crash": 2,
}


class Owner:
    """A handler's hold on the shard, with its own way to the stores."""

    def __init__(self, world: World, number: int) -> None:
        self.way = LaggardJournal(world)
        stores = LaggardStores(self.way, world)
        out = Outbound(stores.events, stores.snapshots, stores.watermarks, stores.publisher, TOPICS)
        self.shard = Shard(0, Inside(self.way, out, POLICY, AccountCache(1 + number % 2), 1, UUID(int=number)))
        self.runs = False
        self.next = 0

    def drive(self, topic: list[Message], count: int) -> None:
        """What the handler's loop does in a turn."""
        if not self.runs:
            self.next = self.shard.take_over() or 0
            self.runs = True
        for message in topic[self.next : self.next + count]:
            self.shard.receive(message)
        self.next = min(len(topic), self.next + count)
        try:
            self.shard.step()
        except StoreUnavailable:
            self.runs = False


class Play:
    """The topic, the world, three owners, and what each action does to them."""

    def __init__(self) -> None:
        self.world, self.topic = World(), list[Message]()
        self.owners = [Owner(self.world, number) for number in range(3)]
        self.made = 3

    def act(self, chance: Random) -> None:
        """One thing happens."""
        (name,) = chance.choices(list(ACTIONS), list(ACTIONS.values()))
        owner = chance.choice(self.owners)
        if name == "produce":
            self.topic.append(self.message(chance))
        elif name == "drive":
            owner.drive(self.topic, chance.randint(0, 4))
        elif name == "crash":
            self.crash(self.owners.index(owner))
        elif name == "publish" and owner.way.producer:
            owner.way.producer.arrive()
        elif owner.way.store and name != "publish":
            getattr(owner.way.store, name)(chance.randrange(10))

    def message(self, chance: Random) -> Message:
        """A new command; sometimes a retry of an earlier one with its id and bytes, sometimes no command at all."""
        offset = len(self.topic)
        commands = [message for message in self.topic if message.key is not None]
        kind = chance.random()
        if kind < 0.05:
            return Message(offset, T0, None, chance.randbytes(3))
        if kind < 0.2 and commands:
            retried = chance.choice(commands)
            return Message(offset, T0 + offset, retried.key, retried.value)
        command_id, account_id = str(uuid5(SPACE, str(offset))), chance.choice("ab")
        device_id, title_id = chance.choice("xyz"), chance.choice("mn")
        choices: list[Command] = [
            SetPlan(command_id, account_id, None, chance.choice(["basic", "premium"])),
            AcquireLicense(command_id, account_id, None, device_id, title_id),
            AcquireLicense(command_id, account_id, None, device_id, title_id),
            ReleaseLicense(command_id, account_id, None, device_id, title_id),
        ]
        command = chance.choice(choices)
        return Message(offset, T0 + offset, account_id.encode(), encode_command(command))

    def crash(self, index: int) -> None:
        """Its calls may still arrive, but nobody hears the answers."""
        self.made += 1
        gone, self.owners[index] = self.owners[index], Owner(self.world, self.made)
        for old, new in zip(gone.way.wires(), self.owners[index].way.wires(), strict=True):
            new.inherit(old)

    def settle(self) -> None:
        """Everything late arrives; then one owner finishes the work on a network without faults."""
        for owner in self.owners:
            for wire in owner.way.wires():
                while wire:
                    wire.arrive()
        last = Owner(self.world, 1000)
        last.drive(self.topic, len(self.topic))
        while last.shard.busy or last.shard.inbox:
            for wire in last.way.wires():
                while wire:
                    wire.arrive()
            last.drive(self.topic, 0)


@pytest.mark.parametrize("block", range(10))
def test_whatever_the_owners_suffer_the_journal_tells_one_story(block: int) -> None:
    for seed in range(block * 20, block * 20 + 20):
        chance, play = Random(seed), Play()
        for _ in range(200):
            play.act(chance)
        play.settle()
        check(play.world, play.topic)


def check(world: World, topic: list[Message]) -> None:
    rows = list(world.journal.read(0, 0))
    bodies = [read_body(row.body) for row in rows]
    entries = [one for _, decided in bodies for one in decided]
    # Every message has exactly one outcome, in the order of the topic, with its bytes.
    assert [one.entry.offset for one in entries] == list(range(len(topic)))
    assert [one.entry.value for one in entries] == [message.value for message in topic]
    # Versions are gapless, and the event rows are what the journal committed, no more and no less.
    committed = [envelope for one in entries for envelope in one.envelopes]
    assert len({envelope.event_id for envelope in committed}) == len(committed)
    for account_id in ("a", "b"):
        history = [envelope for envelope in committed if envelope.account_id == account_id]
        assert [envelope.version for envelope in history] == list(range(1, len(history) + 1))
        assert list(world.events.read(account_id)) == history
        limits_hold_on_every_prefix(history)
    # On the topic: every event, first copies in order, further copies equal to the byte, nothing uncommitted.
    payloads = [payload for one in entries for payload in one.entry.events]
    published = [message.value for message in world.publisher.published.get((TOPICS.events, 0), ())]
    assert list(dict.fromkeys(published)) == payloads
    # Every command is answered, each time with the same outcome for the same message.
    replies = world.publisher.published.get((TOPICS.replies, 0), ())
    answered = Counter[tuple[str, str]](
        (r.command_id, r.outcome) for r in (decode_reply(m.value or b"") for m in replies)
    )
    wanted = Counter[tuple[str, str]](
        (one.command.command_id, one.entry.outcome) for one in entries if one.command is not None
    )
    assert answered.keys() == wanted.keys()
    assert all(answered[key] >= count for key, count in wanted.items())
    dead = [message.value for message in world.publisher.published.get((TOPICS.dead_letters, 0), ())]
    assert set(dead) == {one.entry.value for one in entries if one.command is None}
    # A retry after its command was accepted with events is a duplicate.
    accepted: set[str] = set()
    for one in entries:
        if one.command is not None and one.command.command_id in accepted:
            assert one.entry.outcome == "duplicate"
        elif one.command is not None and one.envelopes:
            accepted.add(one.command.command_id)


def limits_hold_on_every_prefix(history: list[Envelope]) -> None:
    state = initial()
    for envelope in history:
        state = fold(state, [envelope])
        for device_id in state.devices:
            assert state.active(device_id, state.at) <= POLICY.device_downloads
