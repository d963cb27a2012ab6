"""A real `licensing` that stops itself, as SIGSTOP does, in the middle of one exact stage of a rebuild.

python -m tests.faults.stopping_rebuild certifying 0 rebuild title_downloads
"""

import os
import signal
import sys
from collections.abc import Mapping

from ops.cli import main
from ops.rebuild.fill import Filler
from projections.projector import Prepared
from projections.redis_model.generations import Generations

#: What a rebuild notes of itself, one after the other.
STAGES = ("filling", "certifying", "certified", "live")


def stop_at(stage: str, enough: int) -> None:
    """Stop once the stage is noted; while it fills, once this run has applied `enough` events, or has no more."""
    note, apply, left = Generations.note, Filler._apply, [stage]
    noted = "certifying" if stage == "filling" else stage

    def stop() -> None:
        if left:
            left.clear()
            os.kill(os.getpid(), signal.SIGSTOP)

    def then(self: Generations, generation: str, notes: Mapping[str, str | int]) -> None:
        note(self, generation, notes)
        if notes.get("state") == noted:
            stop()

    async def applied(self: Filler, prepared: Prepared, events: int) -> None:
        await apply(self, prepared, events)
        if stage == "filling" and self.sums.events >= enough:
            stop()

    Generations.note = then  # type: ignore[method-assign]
    Filler._apply = applied  # type: ignore[method-assign]


if __name__ == "__main__":
    stop_at(sys.argv.pop(1), int(sys.argv.pop(1)))
    main()
