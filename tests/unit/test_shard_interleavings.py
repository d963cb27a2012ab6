"""Owners that crash, pause, lose answers and wake up late, in any order: the invariants of the journal hold."""

from random import Random
from uuid import UUID, uuid5

import pytest

from commands.accounts import AccountCache
from commands.follow_up import Outbound
from commands.futures import at_once
from commands.intake import Message
from commands.policies import Timeline
from commands.policy import Policy, Terms
from commands.ports import StoreUnavailable
from commands.shard import Inside, Shard
from schemas.codec import encode_command
from schemas.commands import AcquireLicense, Command, ReleaseLicense, SetPlan
from schemas.topics import Topics
from tests.support.laggard import LaggardJournal, LaggardStores, World
from tests.support.story import Story, check

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
    "calm": 3,
}


class Owner:
    """A handler's hold on the shard, with its own way to the stores."""

    def __init__(self, world: World, number: int) -> None:
        self.way = LaggardJournal(world)
        stores = LaggardStores(self.way, world)
        out = Outbound(stores.events, stores.snapshots, stores.watermarks, stores.publisher, TOPICS)
        cache, loads = AccountCache(1 + number % 2), self.way.store
        inside = Inside(
            self.way,
            out,
            Timeline(POLICY),
            cache,
            1,
            UUID(int=number),
            lambda work: loads.send(lambda: at_once(work)),
            crowd=1 + number % 3,  # batches overlap, more or less
        )
        self.shard = Shard(0, inside)
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

    def deliver(self) -> None:
        """All that is under way arrives."""
        for wire in self.way.wires():
            while wire:
                wire.arrive()


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
            if owner.runs or chance.random() < 0.2:  # others get on before one that failed is back
                owner.drive(self.topic, chance.randint(0, 4))
        elif name == "crash":
            self.crash(self.owners.index(owner))
        elif name == "calm":  # a while without trouble for one owner: its watermark gets on
            for _ in range(6):
                owner.deliver()
                if owner.runs:
                    owner.drive(self.topic, 1)
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
            owner.deliver()
        last = Owner(self.world, 1000)
        last.drive(self.topic, len(self.topic))
        while last.shard.busy or last.shard.inbox:
            last.deliver()
            last.drive(self.topic, 0)


@pytest.mark.parametrize("block", range(10))
def test_whatever_the_owners_suffer_the_journal_tells_one_story(block: int) -> None:
    for seed in range(block * 20, block * 20 + 20):
        chance, play = Random(seed), Play()
        for _ in range(200):
            play.act(chance)
        play.settle()
        check(story(play.world, play.topic), POLICY)


def story(world: World, topic: list[Message]) -> Story:
    def values(name: str) -> list[bytes | None]:
        return [message.value for message in world.publisher.published.get((name, 0), ())]

    stored = {account_id: list(world.events.read(account_id)) for account_id in "ab"}
    return Story(
        [message.value for message in topic],
        list(world.journal.read(0, 0)),
        {account_id: history for account_id, history in stored.items() if history},
        [value for value in values(TOPICS.events) if value],
        [value for value in values(TOPICS.replies) if value],
        values(TOPICS.dead_letters),
    )
