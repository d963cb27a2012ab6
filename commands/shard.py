"""One partition of the commands topic and its journal: decide, commit, follow up, take over, meet a conflict.

Nothing here waits for long: `step` does what can be done now, so that one thread serves many shards. After any
failure the shard is taken over anew, from the journal: recovery and take-over are one path.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from itertools import islice
from uuid import UUID

import structlog

from commands.account import Account
from commands.accounts import AccountCache, extend, load
from commands.batch import Decided, Decision, decide_batch, read_body
from commands.follow_up import SNAPSHOT_EVERY, FollowUps, Outbound, Progress, follow_up
from commands.futures import at_once
from commands.intake import Message, Poison, Received, read_command
from commands.policies import Policies
from commands.ports import Appended, Conflict, Journal, NewerRelease, NotPrepared, Row, StoreUnavailable
from schemas.codec import DecodeError, UnknownSchema, is_known, schema_version

log = structlog.get_logger(__name__)

#: Most commands in one journal row. The more there are, the more of them share an account: its events are one write.
MAX_BATCH = 4000
#: Committed batches that may be on their way out while the next is decided, if a crowd waits: so many commands or more.
#: Fewer gather until the batch before is out, for each batch costs requests, which a few commands should share. So the
#: batches grow with the load and with the time that the servers take.
AHEAD = 4
CROWD = 1000


@dataclass(frozen=True, slots=True)
class Inside:
    """What every shard of a handler shares. `shards`: partitions of the topic; `writer`: names this process.

    `aside`: does what waits for a store, in the handler on a thread of its own. `crowd`: so many commands do not wait
    until the batch before theirs is out. `unframed`: brings a value to single-object encoding, where there is a schema
    registry; may raise StoreUnavailable.
    """

    journal: Journal
    out: Outbound
    policies: Policies
    cache: AccountCache
    shards: int
    writer: UUID
    aside: Callable[[Callable[[], dict[str, Account]]], Future[dict[str, Account]]] = at_once
    crowd: int = CROWD
    unframed: Callable[[Message], Message] | None = None


@dataclass(frozen=True, slots=True)
class _Next:
    """The batch to be decided next: its messages, the accounts at hand, and the others, which are being loaded."""

    messages: list[Received]
    at_hand: dict[str, Account]
    loading: Future[dict[str, Account]]


class Shard:
    """The owner's side of one shard. `next_offset`: the first offset of the topic that the journal does not cover."""

    def __init__(self, number: int, inside: Inside) -> None:
        self.number = number
        self.next_offset: int | None = None
        self.inbox: deque[Received] = deque()
        self.waiting = 0  # the weight of all in the inbox
        # What `receive` expects: the next offset (None: any), whether it is the first since a take-over, and the offset
        # that last came in place of the one asked for.
        self._expected: int | None = None
        self._resumed = False
        self._jump = -1
        self._in = inside
        self._position = 0
        self._next: _Next | None = None
        self._unknown = False  # whether `_next` waits for policies
        self._attempt: tuple[Decision, Row, Future[Appended]] | None = None
        self._follow_ups = FollowUps()
        self._progress = Progress(-1)

    @property
    def busy(self) -> bool:
        """Whether anything is under way that a clean stop would finish."""
        return self._attempt is not None or len(self._follow_ups) > 0

    def take_over(self) -> int | None:
        """Become the owner: apply the journal to its tail, and follow up what nobody is known to have followed up.

        Returns the offset to go on reading at; None: the journal is empty, read from the first message.

        Raises:
            StoreUnavailable: try again later.
            NewerRelease: nor can this release go on here.
            NotPrepared, BrokenHistory: no waiting helps.
        """
        self.inbox.clear()
        self.waiting = 0
        self._next, self._attempt, self._follow_ups = None, None, FollowUps()
        self._in.cache.drop(self.number)
        out = self._in.out
        mark = out.watermarks.load(self.number)
        self._position = mark.position + 1 if mark else 0
        self.next_offset = mark.next_offset if mark else None
        self._progress = Progress(out.publisher.end_offset(out.topics.events, self.number) - 1)
        first = self._position
        for row in self._in.journal.read(self.number, self._position):
            self._adopt(row)
        log.info("shard_taken_over", shard=self.number, position=self._position, redone=self._position - first)
        self._expected, self._resumed = self.next_offset, True
        return self.next_offset

    def receive(self, message: Message) -> None:
        """Take a message in. One that the journal covers, or that came before, is dropped.

        What was fetched before a take-over may still be delivered after it, so the first message has to be the one that
        was asked for; where the topic has none at that offset (a transaction's marker), the same answer comes twice.

        Raises:
            StoreUnavailable: take over again.
        """
        if self._expected is not None:
            if message.offset < max(self._expected, self.next_offset or 0):
                return
            if self._resumed and message.offset not in {self._expected, self._jump}:
                self._jump = message.offset
                raise StoreUnavailable(f"offset {self._expected} was asked for, and {message.offset} came")
        self._resumed, self._jump = False, -1
        self._expected = message.offset + 1
        plain = message if self._in.unframed is None else self._in.unframed(message)
        command = read_command(plain, self.number, self._in.shards)
        received = Received(message if isinstance(command, Poison) else plain, command)
        self.inbox.append(received)
        self.waiting += received.weight

    def step(self, *, intake: bool = True) -> int | None:
        """Do all that can be done without waiting; `intake` False decides nothing new.

        Returns where the cover of the last row that is now followed up ends, if any is.

        Raises:
            StoreUnavailable, PublishFailed, NewerRelease: take over again.
        """
        done = self._follow_ups.advance()
        if self._attempt is not None and self._attempt[2].done():
            decision, row, appended = self._attempt
            self._attempt = None
            self._settle(decision, row, appended.result())
        if intake and self._attempt is None and (self._next or self._due()):
            self._next = self._next or self._prepare()
            if self._next.loading.done() and self._begin(self._next):
                self._next = None
        return done

    def _due(self) -> bool:
        under_way = len(self._follow_ups)
        return bool(self.inbox) and (under_way == 0 or (under_way < AHEAD and len(self.inbox) >= self._in.crowd))

    def _prepare(self) -> _Next:
        """Nothing is appended until these accounts are loaded, so they are as of this position."""
        messages = list(islice(self.inbox, MAX_BATCH))
        at_hand, missing = self._at_hand({c.account_id for one in messages if not isinstance(c := one.command, Poison)})
        return _Next(messages, at_hand, self._in.aside(partial(self._load, missing, self._position)))

    def _begin(self, batch: _Next) -> bool:
        """Put a batch on its way; False while the policy of its first command's time is not known."""
        accounts = batch.at_hand | batch.loading.result()
        first = batch.messages[0].message
        first_offset = first.offset if self.next_offset is None else self.next_offset
        decision = decide_batch(batch.messages, accounts, self._in.policies, first_offset)
        if not decision.taken:
            if not self._unknown:
                log.warning("policy_unknown", shard=self.number, offset=first.offset, at=first.timestamp)
            self._unknown = True
            return False
        self._unknown = False
        row = Row(self.number, self._position, self._in.writer, time.time_ns() // 1_000_000, decision.body())
        self._attempt = (decision, row, self._in.journal.append(row))
        return True

    def _settle(self, decision: Decision, row: Row, appended: Appended) -> None:
        if isinstance(appended, Conflict):
            log.warning("journal_conflict", shard=self.number, position=row.position, writer=str(appended.row.writer))
            self._adopt(appended.row)
            while self.inbox and self.next_offset is not None and self.inbox[0].message.offset < self.next_offset:
                self.waiting -= self.inbox.popleft().weight
            return
        for _ in range(decision.taken):
            self.waiting -= self.inbox.popleft().weight
        self._committed(row, decision.next_offset, decision.decided, decision.accounts)

    def _adopt(self, row: Row) -> None:
        """Apply a row that this process did not decide, and follow it up: nobody knows how far its writer got."""
        try:
            next_offset, decided = read_body(row.body)
        except UnknownSchema as error:
            needs = str(error) if is_known(row.body) else f"JournalBatch after v{schema_version('JournalBatch')}"
            raise NewerRelease(f"journal row {row.position}: {needs}") from error
        except DecodeError as error:
            raise NotPrepared(f"journal row {row.position} of shard {row.shard}: {error}") from error
        envelopes = [envelope for one in decided for envelope in one.envelopes]
        accounts = {a: s.copy() for a, s in self._accounts({e.account_id for e in envelopes}).items()}
        for envelope in envelopes:
            extend(accounts[envelope.account_id], (envelope,))
        self._committed(row, next_offset, decided, accounts)

    def _committed(
        self, row: Row, next_offset: int, decided: tuple[Decided, ...], accounts: dict[str, Account]
    ) -> None:
        first: dict[str, int] = {}
        for envelope in (envelope for one in decided for envelope in one.envelopes):
            first.setdefault(envelope.account_id, envelope.version)
        due = {
            account_id: accounts[account_id]
            for account_id, version in first.items()
            if accounts[account_id].version // SNAPSHOT_EVERY > (version - 1) // SNAPSHOT_EVERY
        }
        steps = follow_up(row, next_offset, decided, due, self._progress, self._in.out)
        self._follow_ups.add(next_offset, accounts, steps)
        self._in.cache.put(self.number, accounts)
        self._position = row.position + 1
        self.next_offset = next_offset

    def _at_hand(self, account_ids: Iterable[str]) -> tuple[dict[str, Account], list[str]]:
        """Accounts that are cached, else as the follow-ups under way leave them; and the others' ids."""
        found, missing = {}, []
        for account_id in account_ids:
            state = self._in.cache.get(account_id) or self._follow_ups.account(account_id)
            if state is None:
                missing.append(account_id)
            else:
                found[account_id] = state
        return found, missing

    def _load(self, account_ids: list[str], below: int) -> dict[str, Account]:
        out = self._in.out
        return load(account_ids, below, out.events, out.snapshots, self.number) if account_ids else {}

    def _accounts(self, account_ids: Iterable[str]) -> dict[str, Account]:
        """At hand, else as stored."""
        found, missing = self._at_hand(account_ids)
        return found | self._load(missing, self._position)
