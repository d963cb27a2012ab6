"""The rules as data: what `decide` is told about plans and titles. Pure; `policy_file` reads it from YAML.

Durations and times are int milliseconds; times since the epoch, UTC.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for a title.

    `available_until`: no licence reaches beyond it (None: no end). `playback_window`: the first playback starts it, and
    the licence ends with it (None: no window). `yearly_limit`: acquisitions by an account in any 365 days (None: any).
    """

    duration: int
    renewals: int
    available_until: int | None = None
    playback_window: int | None = None
    yearly_limit: int | None = None

    def available(self, at: int) -> bool:
        """Whether the title can be licensed at that time."""
        return self.available_until is None or at < self.available_until

    def end(self, at: int, so_far: int = 0) -> int:
        """When a licence ends that begins at `at`, or is extended then and would have ended at `so_far`."""
        end = max(at + self.duration, so_far)
        return end if self.available_until is None else min(end, self.available_until)


@dataclass(frozen=True, slots=True)
class Policy:
    """One version of the rules.

    `plans`: devices that may hold downloads at once, by plan. `device_downloads`: active licences a device.
    `renewal_grace`: how long after its end a licence may still be renewed.
    """

    version: str
    plans: Mapping[str, int]
    device_downloads: int
    renewal_grace: int
    defaults: Terms
    titles: Mapping[str, Terms] = field(default_factory=dict)

    def terms(self, title_id: str) -> Terms:
        """The title's own terms, else the defaults."""
        return self.titles.get(title_id, self.defaults)
