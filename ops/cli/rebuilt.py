"""What a rebuild will do and has done, as tables and as JSON."""

import time
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from ops.cli.output import as_json, moment, note, table
from ops.rebuild.plan import Plan
from ops.rebuild.rollback import RolledBack
from ops.rebuild.run import Result
from projections.redis_model.generations import Generation
from projections.redis_model.memory import Memory

_MIB = 2**20


def plan_document(plan: Plan) -> dict[str, Any]:
    """The plan for programs."""
    return {
        "kind": "plan",
        "view": plan.view,
        "version": plan.version,
        "live": plan.live,
        "generation": plan.generation or plan.asked.into,
        "resumes": plan.generation is not None,
        "source": plan.choice.source,
        "why": plan.choice.why,
        "topic_whole": plan.topic_whole,
        "until": plan.asked.until,
        "events": plan.events,
        "done": plan.done,
        "events_per_second": None if plan.rate is None else round(plan.rate),
        "seconds": None if plan.seconds is None else round(plan.seconds, 1),
        "memory": asdict(plan.memory),
    }


def show_plan(plan: Plan) -> None:
    """Print the plan."""
    which = plan.asked.into or f"a new one, {plan.version}.<n>"
    if plan.generation is not None:
        which = f"{plan.generation}, unfinished since {moment(plan.begun or 0)} UTC; it goes on"
    rows: list[tuple[str, object]] = [
        ("generation", which),
        ("readers use", plan.live or "none"),
        ("source", f"{plan.choice.source}: {plan.choice.why}"),
        ("events to read", f"{plan.events:,}" + (f", of which {plan.done:,} are read" if plan.done else "")),
    ]
    if plan.asked.until is not None:
        rows.append(("up to (UTC)", moment(plan.asked.until)))
    if plan.rate is not None and plan.seconds is not None:
        rows.append(("rate", f"{plan.rate:,.0f} events/s, measured {plan.measured}"))
        end = moment(int((time.time() + plan.seconds) * 1000))
        rows.append(("expected end (UTC)", f"{end}, after {plan.seconds:,.0f} s; then it is certified"))
    rows.append(("memory in Redis", _memory(plan.memory)))
    table(f"Rebuild of {plan.view}", ("what", "plan"), rows)


def _memory(memory: Memory) -> str:
    room = "no limit is set (maxmemory)"
    if memory.most:
        left = memory.most - memory.used
        room = f"{left / _MIB:,.0f} of {memory.most / _MIB:,.0f} MiB are free"
        if memory.generation is not None and memory.generation > left:
            room += ": TOO FEW"
    if memory.generation is None:
        return f"unknown, for there is no live generation to measure; {room}"
    return f"about {memory.generation / _MIB:,.1f} MiB, as the live one takes; {room}"


def result_document(result: Result, dropped: Iterable[str]) -> dict[str, Any]:
    """The end for programs."""
    about = result.certificate
    return {
        "kind": "result",
        "end": result.end,
        "generation": result.generation,
        "was": result.was,
        "events": result.events,
        "seconds": round(result.seconds, 3),
        "events_per_second": round(result.rate),
        "unreadable": result.unreadable,
        "certified": about.total == 0,
        "against": about.against,
        "documents": about.documents,
        "digest": about.digest,
        "certified_seconds": round(result.certified_seconds, 3),
        "differing": [asdict(one) for one in about.differing],
        "differ": about.total,
        "worker": result.worker,
        "dropped": list(dropped),
    }


def show_result(view: str, result: Result, dropped: Iterable[str], days: float) -> None:
    """Print how it ended."""
    about, name = result.certificate, result.generation
    note(f"{result.events:,} events in {result.seconds:,.1f} s: {result.rate:,.0f} a second.")
    if result.unreadable:
        note(f"{result.unreadable:,} messages are no events; the worker has put them into the dead letters.")
    against = "the live generation" if about.against == "live" else "the fold of the stored events"
    if about.total:
        rows = [(one.account_id or one.tag, one.document, one.what, one.found, one.expected) for one in about.differing]
        table(
            f"What differs from {against}, {len(rows)} of {about.total:,}",
            ("account or partition", "document", "what", "is", "should be"),
            [[None if value is None else str(value) for value in row] for row in rows],
        )
        note(
            f"NOT certified: {about.total:,} differ. Readers still use {result.was or 'none'}. Generation {name} stays"
            f" to be looked at; `licensing rebuild {view} --cancel` throws it away."
        )
        return
    note(
        f"Certified in {result.certified_seconds:,.1f} s: {about.documents:,} documents are those of {against}"
        f" (digest {about.digest[:16]})."
    )
    if result.end == "moved":
        note(f"Another generation than {result.was or 'none'} went live meanwhile, so {name} did not; see --list.")
    elif result.end == "filled":
        note(f"Generation {name} is filled: `licensing view {view} KEY --generation {name}` reads it.")
    else:
        before = f", before it was {result.was}; --rollback goes back to it" if result.was else ""
        note(f"Readers of {view} use generation {name} now{before}.")
        _say_worker(view, result.worker)
    for old in dropped:
        note(f"Dropped generation {old}, out of use for more than {days:g} days.")


def _say_worker(view: str, worker: bool | None) -> None:
    if worker is False:
        note(f"No worker has gone on with it yet: is one running? `licensing worker {view}`")


def show_rollback(view: str, ours: str, found: RolledBack) -> None:
    """Print what readers use again."""
    note(f"Readers of {view} use generation {found.generation} again; it was {found.was}.")
    if found.version == ours:
        note(
            f"It was brought up to date before: {found.events:,} events. It was not compared with the stored events"
            f" again: `licensing check --view {view}` does that."
        )
        _say_worker(view, found.worker)
    else:
        note(
            f"It is {found.behind:,} events behind: version {found.version} of the view fills it, and this release has"
            f" version {ours}. Start workers of the release that has {found.version}."
        )


def show_list(view: str, found: list[Generation], json: bool) -> None:
    """Print the generations of a view."""
    if json:
        for one in found:
            as_json(asdict(one))
        return
    rows = [(one.name, one.version, _state(one), one.notes.get("source"), one.events, _since(one)) for one in found]
    columns = ("generation", "version", "state", "filled from", "events passed", "since (UTC)")
    table(f"Generations of {view}", columns, rows, numbers=(4,))


def _state(one: Generation) -> str:
    said = one.notes.get("state")
    if one.state == "filling" and said not in (None, "filling"):
        return "filled, not certified" if said == "refused" else f"unfinished, {said}"
    return f"until {moment(int(one.notes['until']))}" if one.state == "side" and "until" in one.notes else one.state


def _since(one: Generation) -> str | None:
    since = one.time({"live": "live", "previous": "retired", "retired": "retired"}.get(one.state, "begun"))
    return None if since is None else moment(since)
