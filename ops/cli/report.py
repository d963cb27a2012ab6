"""What the demonstration ends with: figures, outcomes, busy devices, one account, dead letters."""

import os
import platform
import time
from collections import Counter
from typing import Any

from ops import history, kafka, redis
from ops.cli.outcomes import show_sums
from ops.cli.output import as_json, moment, table
from ops.cli.timeline import show_steps
from ops.dead_letters.letter import letter_of
from ops.demo import Figures
from ops.settings import Settings
from ops.simulate import films
from ops.stack import VERSIONS
from projections.queries import Views

_LAST = 15  # events of the timeline, licences of the account
_DEVICES = 8
_GLANCE = 30  # commands of an account


class Report:
    """Figures of a demonstration, and documents looked up in its stores."""

    def __init__(
        self, settings: Settings, views: Views, figures: Figures, waits: list[float], rates: dict[str, float]
    ) -> None:
        self._settings, self._views, self._figures = settings, views, figures
        self._waits, self._projection = waits, rates
        self._names = {film.id: f"{film.name} ({film.year})" for film in films()}
        self._now = int(time.time() * 1000)

    def show(self) -> None:
        """Print everything as tables."""
        table("This machine", ("what", "value"), list(self._machine().items()))
        table("Throughput, flat out", ("from the first command sent", "seconds", "a second"), self._rates(), (1, 2))
        shares = list(self._latency().items())
        table("Latency, 100 commands a second", ("commands", "command to reply"), [(p, f"{ms} ms") for p, ms in shares])
        show_sums(self._figures.outcomes)
        self._devices()
        self._account()
        table("Dead letters", ("stage", "reason", "messages"), [(*k, n) for k, n in self._dead().most_common()], (2,))

    def as_json(self) -> None:
        """Print the figures."""
        f = self._figures
        outcomes = [{"outcome": o, "reason": r or None, "commands": n} for (o, r), n in f.outcomes.items()]
        dead = [{"stage": s, "reason": r, "messages": n} for (s, r), n in self._dead().items()]
        sums = {
            "commands": f.commands,
            "answered": f.answered,
            "events": f.events,
            "sending_seconds": f.sending_seconds,
            "answered_seconds": f.answered_seconds,
            "projected_seconds": f.projected_seconds,
            "projected_alone_per_second": {view: round(rate) for view, rate in self._projection.items()},
        }
        as_json(self._machine() | sums | {"latency_ms": self._latency(), "outcomes": outcomes, "dead_letters": dead})

    def _machine(self) -> dict[str, str]:
        versions = {name: VERSIONS[name]["version"] for name in ("kafka", "cassandra")}
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
        return {
            "system": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, {memory:.0f} GB",
            "python": platform.python_version(),
            **versions,
            "redis": redis.version(self._settings.redis),
        }

    def _rates(self) -> list[tuple[str, str, str]]:
        f = self._figures
        rows = [
            (f"{f.commands:,} commands sent", f.sending_seconds, f.commands),
            (f"{f.answered:,} commands decided, stored and answered", f.answered_seconds, f.answered),
            *((f"{f.events:,} events in {view}", seconds, f.events) for view, seconds in f.projected_seconds.items()),
        ]
        alone = [(f"{view} alone, from Kafka to Redis", "", f"{rate:,.0f}") for view, rate in self._projection.items()]
        return [(what, f"{seconds:.1f}", f"{count / seconds:,.0f}") for what, seconds, count in rows] + alone

    def _latency(self) -> dict[str, float]:
        last = len(self._waits) - 1
        return {f"p{share}": round(self._waits[last * share // 100] * 1000, 1) for share in (50, 95, 99)}

    def _devices(self) -> None:
        rows = []
        for device in self._views.top_devices(_DEVICES, self._now):
            held = [one for one in self._licenses(device["account_id"]) if one["device_id"] == device["device_id"]]
            titles = [self._names[one["title_id"]] for one in reversed(held) if one["state"] == "active"]
            more = f" and {len(titles) - 2} more" if len(titles) > 2 else ""
            name = f"{device['account_id']}/{device['device_id']}"
            rows.append(
                (name, device["downloads"], device["completed"], device["active"], ", ".join(titles[:2]) + more)
            )
        table("Busiest devices", ("device", "downloads", "completed", "active", "holds"), rows, (1, 2, 3))

    def _account(self) -> None:
        account_id = self._worth_seeing()
        rows = [
            (self._names[one["title_id"]], one["device_id"], one["state"], moment(one["expires_at"]), one["renewals"])
            for one in self._licenses(account_id)[-_LAST:]
        ]
        table(f"Licences of {account_id}", ("title", "device", "state", "until (UTC)", "renewals"), rows, (4,))
        show_steps(f"Last events of {account_id}", history.events(self._settings, account_id)[-_LAST:])

    def _worth_seeing(self) -> str:
        """The account with many kinds of outcomes, and as many events as still can be read at a glance."""

        def worth(account_id: str) -> tuple[int, int]:
            outcomes = self._figures.accounts[account_id]
            accepted = outcomes["accepted"]
            return min(len(outcomes), 4), accepted if accepted <= _GLANCE else 0

        return max(sorted(self._figures.accounts), key=worth)

    def _licenses(self, account_id: str) -> list[dict[str, Any]]:
        document = self._views.document("licenses", account_id, self._now)
        return list(document["licenses"]) if document else []

    def _dead(self) -> Counter[tuple[str, str]]:
        dead: Counter[tuple[str, str]] = Counter()
        for record in kafka.everything(self._settings.kafka, self._settings.topics.dead_letters):
            letter = letter_of(record)
            dead[letter.stage, letter.message[:90]] += 1
        return dead
