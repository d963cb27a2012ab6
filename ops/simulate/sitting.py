"""One sitting: a member at the screen, and the commands that the application sends meanwhile."""

from random import Random
from typing import TypeAlias

from ops.simulate.members import Member
from schemas.commands import AcquireLicense, Command, DeactivateDevice, RenewLicense, SetPlan, StartPlayback
from schemas.commands import CompleteDownload as Complete
from schemas.commands import ReleaseLicense as Release

Timed: TypeAlias = tuple[int, int, Command]  # time in ms, running number, command: sorts by time, then as sent

SECOND, MINUTE = 1_000, 60_000
_RETRY_SHARE = 0.03
_UUID4 = (1 << 128) - 1 & ~(0xF << 76) & ~(0x3 << 62)  # clears version and variant, which are set to 4 and 10


def new_id(rng: Random) -> str:
    """A random uuid, version 4, in lower case; `uuid.UUID` takes three times as long."""
    text = f"{rng.getrandbits(128) & _UUID4 | 4 << 76 | 2 << 62:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


class Sitting:
    """Writes a member's commands to `out` while its clock `at` goes on, never beyond `end`."""

    __slots__ = ("_correlation", "_end", "_out", "at", "member", "rng")

    def __init__(self, rng: Random, member: Member, at: int, end: int, out: list[Timed]) -> None:
        self.rng, self.member, self.at, self._end, self._out = rng, member, at, end, out
        self._correlation = f"app-{rng.getrandbits(40):010x}" if rng.random() < 0.5 else None

    def wait(self, least: int, most: int) -> None:
        """Let time pass, in ms."""
        self.at = min(self.at + least + int(self.rng.random() * (most - least)), self._end)

    def set_plan(self, plan: str) -> None:
        """Ask for a plan."""
        self._send(SetPlan(new_id(self.rng), self.member.account_id, self._correlation, plan))

    def acquire(self, device: str, title: str) -> None:
        """Ask for a licence, now and then once more out of impatience: the same command again."""
        command = AcquireLicense(new_id(self.rng), self.member.account_id, self._correlation, device, title)
        self._send(command)
        while self.rng.random() < _RETRY_SHARE:
            self.wait(SECOND, 8 * SECOND)
            self._send(command)
        in_use = {holder for holder, _, _ in self.member.held}
        if device in in_use or len(in_use) < self.member.allowed():
            self.member.held.append((device, title, self.at))

    def complete(self, device: str, title: str) -> None:
        """Report a whole download."""
        self._send(Complete(new_id(self.rng), self.member.account_id, self._correlation, device, title))

    def play(self, device: str, title: str) -> None:
        """Begin to watch."""
        self._send(StartPlayback(new_id(self.rng), self.member.account_id, self._correlation, device, title))

    def renew(self, device: str, title: str) -> None:
        """Ask for more time."""
        self._send(RenewLicense(new_id(self.rng), self.member.account_id, self._correlation, device, title))

    def release(self, device: str, title: str) -> None:
        """Give a licence back."""
        self._send(Release(new_id(self.rng), self.member.account_id, self._correlation, device, title))

    def deactivate(self, device: str) -> None:
        """Take a device off the account."""
        self._send(DeactivateDevice(new_id(self.rng), self.member.account_id, self._correlation, device))

    def _send(self, command: Command) -> None:
        self._out.append((self.at, len(self._out), command))
