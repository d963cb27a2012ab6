"""The parent's side: it starts the processes, feeds them, and gives what they find in the order of the shards."""

import gc
import os
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from multiprocessing.connection import Pipe, wait
from pathlib import Path
from typing import Any

from commands.ports import Row
from ops.deciders.messages import Begin
from ops.recorded import Stores, few
from ops.whatif.again import Changed
from ops.whatif.shards import Decider, Ended, Task, before, one_by_one

#: Bytes of rows that go to a process at once, or one row: so small rows do not cost a round trip each.
_PIECE = 1 << 18


class DeciderEnded(Exception):
    """A process ended before its work did. The text is a sentence for a person."""


@contextmanager
def deciders(shards: int, wanted: Collection[str] | None = None) -> Iterator[Decider]:
    """A `Decider` for so many shards, for the length of the block: as many processes as there are cores for them.

    One core, one shard or few accounts are decided here: what little there is to do for few accounts is reading.
    """
    count = 1 if wanted is not None and few(wanted) else min(os.cpu_count() or 1, shards)
    with ExitStack() as stack:
        processes = [stack.enter_context(Process()) for _ in range(count)] if count > 1 else []
        yield partial(_decide, processes) if processes else one_by_one


class Process:
    """A process that decides, and our end of the pipe to it."""

    def __init__(self) -> None:
        self.pipe, theirs = Pipe()
        path = [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]  # this very code, installed or not
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-P", "-m", "ops.deciders.process", str(theirs.fileno())],
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, path))},
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # Ctrl-C is for the parent, whose end is its end
            )
        self.pid = self._process.pid

    def send(self, message: Any) -> None:
        """Raises DeciderEnded."""
        try:
            self.pipe.send(message)
        except ConnectionError as error:
            raise self._ended() from error

    def receive(self) -> Any:
        """The next message; what is raised there is raised here, and DeciderEnded."""
        try:
            found = self.pipe.recv()
        except (EOFError, ConnectionError) as error:
            raise self._ended() from error
        if isinstance(found, Exception):
            raise found
        return found

    def _ended(self) -> DeciderEnded:
        code = self._process.wait()
        how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        return DeciderEnded(f"A process that decides commands again {how}, so what would be different is not known.")

    def __enter__(self) -> "Process":
        return self

    def __exit__(self, *about: object) -> None:
        """End it at once: it holds nothing that would have to be put away."""
        self.pipe.close()
        self._process.kill()
        self._process.wait()


class _Shard:
    """A shard that a process decides. `found`: what differs, and its end, until its turn comes."""

    def __init__(self, process: Process, of: Stores, task: Task, shard: int) -> None:
        self.process, self.found, self.ended = process, deque[Changed | Ended](), False
        positions = task.kept[shard]
        self._base = before(of, positions)
        self._pieces = _pieces(of.journal.read(shard, positions))
        process.send(Begin(task.policies, task.wanted, self._base is None, gc.get_threshold()))
        self._next = next(self._pieces, None)
        self._asked = 0
        self._feed()

    def hear(self) -> int:
        """Take what the process has sent, and give it more; how many rows were decided."""
        found = self.process.receive()
        if isinstance(found, set):
            self.process.send({} if self._base is None else self._base(found))
            return 0
        done = self._asked
        if isinstance(found, Ended):
            self.ended = True
            self.found.append(found)
        else:
            self.found.extend(found)
            self._feed()
        return done

    def _feed(self) -> None:
        """Give it the next rows, and only then fetch the ones after them, while it decides."""
        rows = self._next
        self.process.send(rows)
        if rows is None:
            self._asked = 0
        else:
            self._asked = len(rows)
            self._next = next(self._pieces, None)


def _pieces(rows: Iterable[Row]) -> Iterator[list[Row]]:
    piece: list[Row] = []
    size = 0
    for row in rows:
        piece.append(row)
        size += len(row.body)
        if size >= _PIECE:
            yield piece
            piece, size = [], 0
    if piece:
        yield piece


def _decide(processes: Sequence[Process], of: Stores, task: Task) -> Iterator[Changed | Ended]:
    """A `Decider`: each process has one shard after the other; those later in the order wait here for their turn."""
    coming, idle = deque(task.kept), deque(processes)
    shards: deque[_Shard] = deque()
    done, total = 0, task.rows
    while coming or shards:
        while idle and coming:
            shards.append(_Shard(idle.popleft(), of, task, coming.popleft()))
        ready = wait([one.process.pipe for one in shards if not one.ended])
        for shard in [one for one in shards if one.process.pipe in ready and not one.ended]:
            done += shard.hear()
            task.tell(done, total)
            if shard.ended:
                idle.append(shard.process)
        while shards:
            yield from _drained(shards[0].found)
            if not shards[0].ended:
                break
            shards.popleft()


def _drained(found: deque[Changed | Ended]) -> Iterator[Changed | Ended]:
    while found:
        yield found.popleft()
