"""The rules as data: what `decide` is told about plans, titles and studios. Pure; `policy_file` reads it from YAML.

Durations and times are int milliseconds; times since the epoch, UTC.
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for a title.

    `available_until`: no licence reaches beyond it (None: no end). `withdrawn_from`: those that do end there even so
    (None: not withdrawn). `playback_window`: the first playback starts it, and the licence ends with it (None: no
    window). `yearly_limit`: acquisitions by an account in any 365 days (None: any). `studio`: whose limits hold too.
    """

    duration: int
    renewals: int
    available_until: int | None = None
    playback_window: int | None = None
    yearly_limit: int | None = None
    withdrawn_from: int | None = None
    studio: str | None = None

    def available(self, at: int) -> bool:
        """Whether the title's time of availability is not over at that time."""
        return self.available_until is None or at < self.available_until

    def withdrawn(self, at: int) -> bool:
        """Whether the title is withdrawn at that time."""
        return self.withdrawn_from is not None and at >= self.withdrawn_from

    def end(self, at: int, so_far: int = 0) -> int:
        """When a licence ends that begins at `at`, or is extended then and would have ended at `so_far`."""
        end = max(at + self.duration, so_far)
        if self.available_until is not None:
            end = min(end, self.available_until)
        return end if self.withdrawn_from is None else min(end, self.withdrawn_from)


@dataclass(frozen=True, slots=True)
class Studio:
    """What an account may have of all titles of a studio together (None: any number).

    `devices`: devices that hold them at once. `yearly_downloads`: acquisitions in any 365 days.
    """

    titles: Set[str]
    devices: int | None = None
    yearly_downloads: int | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """One version of the rules.

    `plans`: devices that may hold downloads at once, by plan. `device_downloads`: active licences a device.
    `renewal_grace`: how long after its end a licence may still be renewed. `effective_from`: when it takes effect.
    `withdrawals`: title -> when it is withdrawn, as its terms say.
    """

    version: str
    plans: Mapping[str, int]
    device_downloads: int
    renewal_grace: int
    defaults: Terms
    titles: Mapping[str, Terms] = field(default_factory=dict)
    studios: Mapping[str, Studio] = field(default_factory=dict)
    effective_from: int = 0
    withdrawals: Mapping[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        withdrawals = {
            title_id: terms.withdrawn_from
            for title_id, terms in self.titles.items()
            if terms.withdrawn_from is not None
        }
        object.__setattr__(self, "withdrawals", withdrawals)

    def terms(self, title_id: str) -> Terms:
        """The title's own terms, else the defaults."""
        return self.titles.get(title_id, self.defaults)

    def end(self, title_id: str, expires_at: int) -> int:
        """When a licence for the title really ends: a withdrawal ends it earlier than was granted."""
        withdrawn = self.withdrawals.get(title_id, expires_at)
        return withdrawn if withdrawn < expires_at else expires_at
