"""`licensing demo`: the whole system at work, from nothing to tables."""
# ruff: noqa: PLC0415 - a command imports what it needs, so that --help is quick

import time
from typing import TYPE_CHECKING, Annotated

import typer

from ops.cli.output import note
from ops.settings import runtime

if TYPE_CHECKING:
    from ops.cli.bars import Bars
    from ops.demo import Progress

_PERIOD = 90 * 86_400_000
_GENTLE = 800  # commands, of which the first are to warm up
_RATE = 100  # a second


def demo(
    commands: Annotated[int, typer.Option(min=1, help="Commands to send, broken ones among them.")] = 20_000,
    accounts: Annotated[int, typer.Option(min=1, help="Members.")] = 1500,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same load.")] = 7,
    keep: Annotated[bool, typer.Option("--keep", help="Leave everything running; stop it with `down`.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON instead of tables.")] = False,
) -> None:
    """See the whole system at work: fresh servers, a load over the last 90 days, figures and documents.

    It has servers of its own on free ports, in .runtime/demo, and stops what it started.
    """
    from ops.cli.bars import Bars
    from ops.cli.report import Report
    from ops.demo import WARM_UP, flat_out, latency, projection_rate, stage
    from ops.simulate import Load
    from projections.queries import Views
    from projections.settings import Settings as ViewSettings
    from projections.views import VIEWS

    now = int(time.time() * 1000)
    with stage(runtime() / "demo", keep, note) as place:
        views = Views(ViewSettings(redis=place.settings.redis, namespace=place.settings.namespace))
        note(f"Sending {commands:,} commands of up to {accounts:,} members, flat out")
        with Bars(sent=commands, decided=commands, **dict.fromkeys(VIEWS, 0)) as bars:
            load = Load(accounts, commands, seed, now - _PERIOD, now)
            figures = flat_out(place, views, load, lambda progress: _show(bars, progress))
        note(f"Sending {_GENTLE} commands more, {_RATE} a second, for the latency")
        with Bars(sent=_GENTLE - WARM_UP * _RATE) as bars:
            waits = latency(place, seed + 1, _GENTLE, _RATE, lambda sent: bars.set("sent", sent))
        note("Projecting all events once more, one worker after the other, for the rate of projection alone")
        rates = {view: projection_rate(place, view) for view in VIEWS}
        report = Report(place.settings, views, figures, waits, rates)
        if json:
            report.as_json()
        else:
            report.show()
        views.close()
    if keep:
        note("It goes on running: try `licensing status`; `licensing down` stops it.")


def _show(bars: "Bars", progress: "Progress") -> None:
    bars.set("sent", progress.sent)
    bars.set("decided", progress.answered, progress.expected)
    for view, count in progress.projected.items():
        bars.set(view, count, progress.events)
