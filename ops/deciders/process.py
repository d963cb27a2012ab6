"""The process: `python -m ops.deciders.process FD`, with its end of the pipe as a file descriptor.

It ends with the pipe, so it outlives no parent, however that ends.
"""

import gc
import sys
import traceback
from collections.abc import Iterable, Mapping
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any, TypeAlias

from commands.account import Account
from ops.deciders.messages import Begin
from ops.recorded import recorded_in
from ops.whatif.again import Again
from ops.whatif.shards import Ended

Pipe: TypeAlias = "Connection[Any, Any]"


def work(pipe: Pipe) -> None:
    """Decide shards until the pipe ends; raises what there is to raise."""
    while True:
        begin: Begin = pipe.recv()
        gc.set_threshold(*begin.collect)

        def base(account_ids: Iterable[str]) -> Mapping[str, Account]:
            pipe.send(set(account_ids))
            return dict(pipe.recv())

        again = Again(begin.policies, None if begin.new else base)
        while (rows := pipe.recv()) is not None:
            pipe.send([one for decided in recorded_in(rows, begin.wanted) for one in again.take(decided)])
        pipe.send(Ended(list(again.parted.values()), again.totals))


def main() -> None:
    """Work; the parent is told what goes wrong."""
    with Connection(int(sys.argv[1])) as pipe, suppress(EOFError, ConnectionError):
        try:
            work(pipe)
        except (EOFError, ConnectionError):
            raise
        except Exception as error:
            error.add_note(traceback.format_exc())
            pipe.send(error)


if __name__ == "__main__":
    main()
