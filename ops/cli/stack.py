"""Start, stop and see the system: up, down, status, init, handler, worker."""
# ruff: noqa: PLC0415 - each command imports what it needs, so that --help is quick

import time
from typing import TYPE_CHECKING, Annotated

import typer

from ops.cli.failures import Failure
from ops.cli.output import as_json, console, moment, note, short, table
from ops.settings import Settings, adopt, home, runtime

if TYPE_CHECKING:
    from ops.status import Status

Partitions = Annotated[int, typer.Option(min=1, max=1024, help="Partitions of each topic, fixed once they exist.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]


def up(partitions: Partitions = 4) -> None:
    """Start Kafka, Cassandra, Redis, the handler and one worker per view, in the background."""
    from ops import services
    from ops.stack import start
    from ops.stack import status as servers

    own = runtime() / "stack"
    ran = all(server.running for server in servers(own))
    address = start(own, partitions=partitions, progress=lambda text: None if ran else note(text))
    adopt(own / "stack.env")
    settings = Settings.read()
    if settings.kafka != address.kafka:
        raise Failure(f"LICENSING_KAFKA is {settings.kafka}, not this stack's {address.kafka}: unset it.")
    _create(settings, partitions, quiet=ran)
    started = services.start(own, settings, note)
    if ran and not started:
        note("Everything runs already; `licensing status` says where.")
    else:
        note("Everything runs. `licensing simulate --wait` sends a load, `licensing down` stops it.")


def down() -> None:
    """Stop what `up` started, or `demo --keep`: handler and workers first, then the servers. The data stays."""
    from ops import services
    from ops.stack import status as servers
    from ops.stack import stop

    stopped = []
    for place in (runtime() / "stack", runtime() / "demo"):
        stopped += services.stop(place)
        stopped += [server.name for server in servers(place) if server.running]
        stop(place)
    note(f"Stopped: {', '.join(stopped)}." if stopped else "Nothing was running.")


def status(json: Json = False) -> None:
    """What runs where, and how far behind it is. Exit code 1 when something is down."""
    from dataclasses import asdict

    from ops.status import collect

    found = collect(home(), Settings.read())
    if json:
        as_json(asdict(found) | {"ok": found.ok})
    else:
        _show(found)
    for problem in found.problems:
        note(problem)
    raise typer.Exit(0 if found.ok else 1)


def _show(found: "Status") -> None:
    table(
        "Processes",
        ("name", "state", "pid", "address", "log"),
        [(p.name, "runs" if p.pid else "DOWN", str(p.pid or "-"), p.address, short(p.log)) for p in found.processes],
    )
    if found.lags:
        table(
            "Lag (messages that wait)",
            ("reader", "topic", "in all", "by partition"),
            [(lag.reader, lag.topic, lag.total, " ".join(map(str, lag.partitions))) for lag in found.lags],
            numbers=(2,),
        )
    if found.policies:
        table(
            "Policies",
            ("version", "from (UTC)", "state"),
            [(p.version, "-" if p.since is None else moment(p.since), p.state) for p in found.policies],
        )
    for refused in found.refused_policies:
        note(f"Refused, offset {refused.offset} of the policies topic, key {refused.key}: {refused.why}")
    if found.versions:
        table(
            "Versions",
            ("stored", "live generation", "version", "this release", "what to do"),
            [(v.what, v.generation, v.stored, v.ours, v.to_do) for v in found.versions],
            folded=-1,
        )
    if found.waiting:
        table(
            "Waiting for a newer release",
            ("reader", "partition", "needs"),
            [(w.reader, w.partition, w.needs) for w in found.waiting],
            numbers=(1,),
            folded=-1,
        )
    if found.rebuilds:
        table(
            "Rebuilds that are not done",
            ("view", "generation", "state", "what to do"),
            [(r.view, r.generation, r.state, r.to_do) for r in found.rebuilds],
            folded=-1,
        )
    if found.dead_letters is not None:
        shown = "; `licensing dead-letters list` shows them" if found.dead_letters else ""
        console().print(f"Dead letters: {found.dead_letters:,}{shown}")


def init(partitions: Partitions = 4) -> None:
    """Create topics and tables where they are missing."""
    _create(Settings.read(), partitions)


def handler() -> None:
    """Run a command handler here until SIGTERM or Ctrl-C; several share the partitions."""
    from commands.main import run

    raise typer.Exit(run())


def worker(
    view: Annotated[str, typer.Argument(help="Which view, such as device_downloads.")],
    generation: Annotated[str | None, typer.Option(help="Fill this one, and not whichever is live.")] = None,
) -> None:
    """Run a worker of a view here until SIGTERM or Ctrl-C; several share the partitions.

    It fills the live generation and follows a rebuild to the next; while another version of the view is live, it waits.
    """
    from projections.process import run
    from projections.views import VIEWS

    if view not in VIEWS:
        raise typer.BadParameter(f"there is no view {view}; the views are {', '.join(VIEWS)}", param_hint="VIEW")
    run(view, generation)


def _create(settings: Settings, partitions: int, quiet: bool = False) -> None:
    from ops import history, topics

    began = time.monotonic()
    created = topics.create(settings.kafka, settings.topics, partitions)
    history.create(settings)
    if not quiet:
        names = ", ".join(created) if created else "all there already"
        note(f"Topics: {names}. Tables: in keyspace {settings.keyspace}. ({time.monotonic() - began:.1f} s)")
