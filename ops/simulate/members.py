"""Members: a plan, devices, a place on the globe, and what they believe their devices hold."""

from dataclasses import dataclass, field
from random import Random

HOUR = 3_600_000
#: Devices a member of the plan expects to use; what is really allowed is the policy's business.
PLANS = {"basic": 1, "standard": 2, "premium": 6}
_PLAN_SHARES = ("basic",) * 7 + ("standard",) * 9 + ("premium",) * 4
_KINDS = ("phone", "tablet", "laptop")
#: Hours east of Greenwich of the places where members live.
_ZONES = (-8, -6, -5, -5, -3, 0, 0, 1, 1, 1, 2, 5.5, 8, 9)
#: One member in this many, beginning with the first, fills a device to the brim once.
HOARDERS = 1000


@dataclass(slots=True)
class Member:
    """One account. `held` are (device, title, time of the last extension); `at` is the member's last action, ms."""

    account_id: str
    plan: str
    zone: int  # ms to add to UTC
    hoards: bool
    devices: list[str] = field(default_factory=list)
    held: list[tuple[str, str, int]] = field(default_factory=list)
    sittings: int = 0
    at: int = 0

    def allowed(self) -> int:
        """Devices that the member expects to use at once."""
        return PLANS.get(self.plan, 1)

    def new_device(self, rng: Random) -> str:
        """One more device."""
        device = f"{rng.choice(_KINDS)}-{rng.getrandbits(32):08x}"
        self.devices.append(device)
        return device


def join(number: int, seed: int, rng: Random) -> Member:
    """A new member. The seed is part of the id, so that another load does not meet this one's accounts."""
    hoards = number % HOARDERS == 0
    plan = "premium" if hoards else rng.choice(_PLAN_SHARES)
    member = Member(f"m{seed}-{number:05d}", plan, int(rng.choice(_ZONES) * HOUR), hoards)
    for _ in range(rng.randint(1, min(member.allowed(), 3))):
        member.new_device(rng)
    return member
