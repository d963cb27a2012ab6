"""The command line `licensing`. Heavy libraries are imported inside the commands, so that `--help` is quick."""

import logging
from collections.abc import Callable

import typer

from ops.cli import dead_letters, dead_letters_change
from ops.cli.bench import bench
from ops.cli.check import check as check_stores
from ops.cli.demo import demo
from ops.cli.explain import explain
from ops.cli.failures import Verbs
from ops.cli.look import view
from ops.cli.policy import check, diff, publish
from ops.cli.rebuild import rebuild
from ops.cli.repair import repair
from ops.cli.schema import schema
from ops.cli.send import send
from ops.cli.simulate import simulate
from ops.cli.stack import down, handler, init, status, up, worker
from ops.cli.state import state
from ops.cli.timeline import timeline
from ops.cli.what_if import Pairs, what_if
from ops.settings import adopt, home

app = typer.Typer(
    name="licensing",
    cls=Verbs,
    help="Download licences as an event-sourced stream processor: start it, send commands, see what became of them.",
    epilog="Begin with `licensing demo`; or with `licensing up` and `licensing simulate --wait`.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

_EXAMPLES: dict[Callable[..., None], str] = {
    demo: "licensing demo --commands 100000 --accounts 5000",
    up: "licensing up",
    status: "licensing status --json",
    down: "licensing down",
    init: "licensing init --partitions 64",
    send: "licensing send commands.jsonl --wait",
    simulate: "licensing simulate --commands 100000 --over 90d --wait",
    view: "licensing view licenses m7-00042",
    explain: "licensing explain device_downloads m7-00042/tablet active",
    state: "licensing state m7-00042 --as-of 2026-10-01T20:15:00Z",
    timeline: "licensing timeline m7-00042",
    what_if: "licensing what-if --all --policy stricter.yaml",
    rebuild: "licensing rebuild device_downloads --dry-run",
    check_stores: "licensing check --sample 1000 --textfile /var/lib/node_exporter/licensing.prom",
    repair: "licensing repair licenses --account m7-00042",
    handler: "LICENSING_KAFKA=kafka:9092 licensing handler",
    worker: "licensing worker device_downloads",
    bench: "licensing bench commands latency --runs 5",
}
for command, example in _EXAMPLES.items():
    app.command(epilog=f"Example: {example}", cls=Pairs if command is what_if else None)(command)
app.add_typer(schema)

policy = typer.Typer(
    help="The rules: check a document, compare two, publish one to the handlers.", no_args_is_help=True
)
_POLICY_EXAMPLES: dict[Callable[..., None], str] = {
    check: "licensing policy check stricter.yaml",
    diff: "licensing policy diff commands/policy.yaml stricter.yaml",
    publish: "licensing policy publish stricter.yaml",
}
for command, example in _POLICY_EXAMPLES.items():
    policy.command(epilog=f"Example: {example}")(command)
app.add_typer(policy, name="policy")

letters = typer.Typer(
    help="What could not be read or meant: list it, look at it, send it again after a fix, drop it.",
    no_args_is_help=True,
)
_LETTER_EXAMPLES: dict[str, tuple[Callable[..., None], str]] = {
    "list": (dead_letters.list_, "licensing dead-letters list --stage decode"),
    "show": (dead_letters.show, "licensing dead-letters show 2:17"),
    "replay": (dead_letters_change.replay, "licensing dead-letters replay --all --exception UnknownSchema --yes"),
    "purge": (dead_letters_change.purge, "licensing dead-letters purge --before 2026-10-01T00:00:00Z --yes"),
}
for verb, (command, example) in _LETTER_EXAMPLES.items():
    letters.command(verb, epilog=f"Example: {example}")(command)
app.add_typer(letters, name="dead-letters")


def main() -> None:
    """Run the command line; the address file of the running stack says where the servers are."""
    adopt(home() / "stack.env")
    logging.getLogger("librdkafka").addHandler(logging.NullHandler())  # commands say in a sentence what is wrong
    app(prog_name="licensing")
