"""What members do in a sitting: download, watch, renew, tidy up, overdo it and get it wrong."""

from collections.abc import Callable
from random import Random
from typing import TypeAlias

from ops.simulate.members import PLANS
from ops.simulate.sitting import MINUTE, SECOND, Sitting

DAY = 86_400_000
_MONTH = 30 * DAY
#: Titles with terms of their own in the policy: withdrawn, limited by the year, with a window, short, few renewals.
FAVOURITES = ("casablanca-1942", "the-godfather-1972", "spirited-away-2001", "parasite-2019", "seven-samurai-1954")
_HOARD = 104

Draw: TypeAlias = tuple[str, ...]  # titles, repeated by popularity
Habit: TypeAlias = Callable[[Sitting, Draw], None]


def _any(rng: Random, options: tuple[str, ...] | list[str]) -> str:
    """`rng.choice`, a good deal faster."""
    return options[int(rng.random() * len(options))]


def _own_device(s: Sitting) -> str:
    """The device of tonight: the newer ones are used less."""
    devices = s.member.devices
    return devices[int(s.rng.random() ** 2 * min(len(devices), s.member.allowed()))]


def subscribe(s: Sitting) -> None:
    """The first sitting: a plan, after a wrong attempt or two."""
    chance = s.rng.random()
    if chance < 0.05:
        s.acquire(s.member.devices[0], "the-matrix-1999")
        s.member.held.clear()
        s.wait(SECOND, MINUTE)
    elif chance < 0.07:
        s.set_plan("platinum")
        s.wait(SECOND, MINUTE)
    s.set_plan(s.member.plan)
    s.wait(10 * SECOND, 5 * MINUTE)


def download(s: Sitting, draw: Draw) -> None:
    """A few films onto a device, and often the first of them at once."""
    device = _own_device(s)
    titles = [_any(s.rng, draw) for _ in range(1 + int(s.rng.random() ** 2 * 5))]
    for title in titles:
        s.acquire(device, title)
        s.wait(2 * SECOND, 90 * SECOND)
    for title in titles:
        if s.rng.random() < 0.9:
            s.wait(MINUTE, 12 * MINUTE)
            s.complete(device, title)
    if s.rng.random() < 0.4:
        s.wait(SECOND, 20 * MINUTE)
        s.play(device, titles[0])


def watch(s: Sitting, draw: Draw) -> None:
    """Something that a device holds; what turns out to be over is renewed, fetched again or forgotten."""
    held = s.member.held
    if not held:
        return download(s, draw)
    position = int(s.rng.random() * len(held))
    device, title, since = held[position]
    s.play(device, title)
    if s.at - since > _MONTH:
        held.pop(position)
        s.wait(2 * SECOND, MINUTE)
        if s.rng.random() < 0.5:
            s.renew(device, title)
            held.append((device, title, s.at))
        else:
            s.acquire(device, title)
    elif s.rng.random() < 0.4:
        held.pop(position)
        s.wait(80 * MINUTE, 190 * MINUTE)
        s.release(device, title)
    return None


def renew(s: Sitting, draw: Draw) -> None:
    """Before a journey: everything on the devices for another month, one tap after the other."""
    held = s.member.held
    if not held:
        return download(s, draw)
    for position in range(min(len(held), 12)):
        device, title, _ = held[position]
        s.renew(device, title)
        held[position] = (device, title, s.at)
        s.wait(SECOND, 6 * SECOND)
    return None


def tidy(s: Sitting, draw: Draw) -> None:
    """Room for something new: half of what is held goes."""
    held = s.member.held
    for _ in range((len(held) + 1) // 2):
        device, title, _ = held.pop(0)
        s.release(device, title)
        s.wait(SECOND, 10 * SECOND)
    download(s, draw)


def one_device_more(s: Sitting, draw: Draw) -> None:
    """A device beyond the plan is tried, perhaps twice."""
    while len(s.member.devices) <= s.member.allowed():
        s.member.new_device(s.rng)
    extra = s.member.devices[-1]
    title = _any(s.rng, draw)
    s.acquire(extra, title)
    if s.rng.random() < 0.5:
        s.wait(5 * SECOND, MINUTE)
        s.acquire(extra, title)


def mistake(s: Sitting, draw: Draw) -> None:
    """A tap on something that the device does not hold."""
    act = (s.play, s.renew, s.complete, s.release)[int(s.rng.random() * 4)]
    act(_own_device(s), _any(s.rng, draw))


def change_plan(s: Sitting, draw: Draw) -> None:
    """Up or down, or to a plan out of an old advertisement."""
    if s.rng.random() < 0.15:
        s.set_plan(_any(s.rng, ("family", "platinum", "student")))
        return
    s.member.plan = _any(s.rng, list(PLANS))
    s.set_plan(s.member.plan)


def deactivate(s: Sitting, draw: Draw) -> None:
    """A device is sold; another takes its place."""
    device = s.member.devices.pop(0)
    s.deactivate(device)
    s.member.held = [entry for entry in s.member.held if entry[0] != device]
    s.member.new_device(s.rng)


def favourite(s: Sitting, draw: Draw) -> None:
    """The same film again and again, one with terms of its own."""
    device, title = _own_device(s), _any(s.rng, FAVOURITES)
    for _ in range(4):
        s.acquire(device, title)
        s.wait(3 * MINUTE, 10 * MINUTE)
        s.play(device, title)
        s.wait(20 * MINUTE, 60 * MINUTE)
        if s.rng.random() < 0.8:
            s.release(device, title)
            s.member.held = [entry for entry in s.member.held if entry[:2] != (device, title)]
        else:
            s.renew(device, title)
        s.wait(MINUTE, 5 * MINUTE)


def hoard(s: Sitting, titles: tuple[str, ...]) -> None:
    """More films than a device may hold, for a year at sea."""
    device = s.member.devices[0]
    for title in titles[-_HOARD:]:
        s.acquire(device, title)
        s.wait(SECOND, 20 * SECOND)


_SHARES: dict[Habit, int] = {
    download: 40,
    watch: 26,
    renew: 9,
    tidy: 6,
    one_device_more: 6,
    mistake: 5,
    favourite: 4,
    change_plan: 2,
    deactivate: 2,
}
HABITS: tuple[Habit, ...] = tuple(habit for habit, share in _SHARES.items() for _ in range(share))
