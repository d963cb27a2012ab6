"""A policy's document: what it means, and that a senseless one is refused with its file and field."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from commands.account import DAY
from commands.policy import Policy, Terms
from commands.policy_file import DEFAULT, HOUR, PolicyError, load_policy

JUNE_30 = 1_782_777_600_000  # 2026-06-30T00:00:00Z
GOOD: dict[str, Any] = {
    "version": "v1",
    "plans": {"basic": {"devices": 1}},
    "device_downloads": 100,
    "renewal_grace_days": 7,
    "defaults": {"duration_days": 30, "renewals": 5},
    "titles": {},
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "rules.yaml"


def written(file: Path, **changes: Any) -> Path:
    """The file of a good policy but for these changes; None leaves a field out."""
    document = {name: value for name, value in (GOOD | changes).items() if value is not None}
    file.write_text(yaml.safe_dump(document), encoding="utf-8")
    return file


def test_the_shipped_policy_is_the_issues_first_one() -> None:
    policy = load_policy()
    assert policy.plans == {"basic": 1, "standard": 2, "premium": 6}
    assert (policy.device_downloads, policy.renewal_grace) == (100, 7 * DAY)
    assert policy.defaults == Terms(duration=30 * DAY, renewals=5)
    assert policy.terms("casablanca-1942") == Terms(30 * DAY, 5, available_until=JUNE_30)
    assert policy.terms("spirited-away-2001") == Terms(30 * DAY, 5, playback_window=48 * HOUR)
    assert policy.terms("the-godfather-1972") == Terms(30 * DAY, 5, yearly_limit=3)
    assert policy.terms("parasite-2019") == Terms(7 * DAY, 1)
    assert policy.terms("no-such-title") is policy.defaults
    assert policy.version
    assert DEFAULT.is_file()


def test_a_title_says_only_what_differs(file: Path) -> None:
    defaults = {"duration_days": 10, "renewals": 3, "yearly_limit": 4, "playback_window_hours": 48}
    titles = {"a": {"renewals": 0}, "b": {"yearly_limit": 0}, "c": {}, "d": {"duration_days": 1}}
    policy = load_policy(written(file, defaults=defaults, titles=titles))
    base = Terms(10 * DAY, 3, None, 48 * HOUR, 4)
    assert policy == Policy(
        version="v1",
        plans={"basic": 1},
        device_downloads=100,
        renewal_grace=7 * DAY,
        defaults=base,
        titles={
            "a": Terms(10 * DAY, 0, None, 48 * HOUR, 4),
            "b": Terms(10 * DAY, 3, None, 48 * HOUR, 0),
            "c": base,
            "d": Terms(1 * DAY, 3, None, 48 * HOUR, 4),
        },
    )


@pytest.mark.parametrize(
    "moment",
    ["2026-06-30T00:00:00Z", "2026-06-30T02:00:00+02:00", "2026-06-29 19:00:00 -5:00", "2026-06-30 00:00:00.0Z"],
)
def test_a_moment_is_the_same_in_any_zone(file: Path, moment: str) -> None:
    text = (
        written(file).read_text(encoding="utf-8").replace("titles: {}", f"titles: {{t: {{available_until: {moment}}}}}")
    )
    file.write_text(text, encoding="utf-8")
    assert load_policy(file).terms("t").available_until == JUNE_30


def test_the_longest_grace_is_ninety_days(file: Path) -> None:
    assert load_policy(written(file, renewal_grace_days=90)).renewal_grace == 90 * DAY
    assert load_policy(written(file, renewal_grace_days=0)).renewal_grace == 0


WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("no version", {"version": None}, "version: Field required"),
    ("empty version", {"version": ""}, "version: "),
    ("long version", {"version": "v" * 65}, "version: "),
    ("version is a number", {"version": 1.0}, "version: "),
    ("no plans", {"plans": {}}, "plans: "),
    ("plan without devices", {"plans": {"basic": {}}}, "plans.basic.devices: Field required"),
    ("plan with 0 devices", {"plans": {"basic": {"devices": 0}}}, "plans.basic.devices: "),
    ("plan with a text", {"plans": {"basic": {"devices": "2"}}}, "plans.basic.devices: "),
    ("plan with half a device", {"plans": {"basic": {"devices": 1.5}}}, "plans.basic.devices: "),
    ("plan with yes", {"plans": {"basic": {"devices": True}}}, "plans.basic.devices: "),
    ("plan with a name no id can have", {"plans": {"my plan": {"devices": 1}}}, "plans.my plan"),
    ("plan with an extra key", {"plans": {"basic": {"devices": 1, "price": 9}}}, "plans.basic.price: "),
    ("device_downloads 0", {"device_downloads": 0}, "device_downloads: "),
    ("device_downloads too many", {"device_downloads": 100_001}, "device_downloads: "),
    ("grace beyond 90 days", {"renewal_grace_days": 91}, "renewal_grace_days: "),
    ("grace below zero", {"renewal_grace_days": -1}, "renewal_grace_days: "),
    ("an extra key", {"discount": 1}, "discount: Extra inputs are not permitted"),
    ("a misspelt key", {"defaults": {"duration_day": 30, "renewals": 5}}, "defaults.duration_day: "),
    ("no duration", {"defaults": {"renewals": 5}}, "defaults: duration_days and renewals"),
    ("no renewals", {"defaults": {"duration_days": 30}}, "defaults: duration_days and renewals"),
    ("no defaults", {"defaults": None}, "defaults: Field required"),
    ("duration 0", {"defaults": {"duration_days": 0, "renewals": 5}}, "defaults.duration_days: "),
    ("renewals below zero", {"titles": {"t": {"renewals": -1}}}, "titles.t.renewals: "),
    ("limit below zero", {"titles": {"t": {"yearly_limit": -1}}}, "titles.t.yearly_limit: "),
    ("window 0", {"titles": {"t": {"playback_window_hours": 0}}}, "titles.t.playback_window_hours: "),
    ("title with an extra key", {"titles": {"t": {"region": "eu"}}}, "titles.t.region: "),
    ("title with a name no id can have", {"titles": {"x" * 129: {}}}, "titles.xxx"),
    ("titles are a list", {"titles": ["t"]}, "titles: "),
]


@pytest.mark.parametrize(("changes", "says"), [one[1:] for one in WRONG], ids=[one[0] for one in WRONG])
def test_what_no_policy_can_mean_is_refused_by_file_and_field(file: Path, changes: dict[str, Any], says: str) -> None:
    with pytest.raises(PolicyError) as refused:
        load_policy(written(file, **changes))
    first, *lines = str(refused.value).splitlines()
    assert first == f"{file} is not a policy:"
    assert any(line.startswith(f"  {says}") for line in lines), lines


@pytest.mark.parametrize(
    "moment",
    [
        "2026-06-30",
        "2026-06-30 00:00:00",
        "2026-06-30T00:00:00",
        "2026",
        "20260630",
        "'20260630'",
        "1782777600.5",
        "soon",
        "yes",
    ],
)
def test_a_moment_without_a_zone_or_no_moment_at_all_is_refused(file: Path, moment: str) -> None:
    text = (
        written(file).read_text(encoding="utf-8").replace("titles: {}", f"titles: {{t: {{available_until: {moment}}}}}")
    )
    file.write_text(text, encoding="utf-8")
    with pytest.raises(PolicyError, match=r"titles\.t\.available_until: "):
        load_policy(file)


def test_every_wrong_field_is_named_at_once(file: Path) -> None:
    with pytest.raises(PolicyError) as refused:
        load_policy(written(file, device_downloads=0, renewal_grace_days=91, extra=1))
    assert [line.split(":")[0].strip() for line in str(refused.value).splitlines()[1:]] == [
        "device_downloads",
        "renewal_grace_days",
        "extra",
    ]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is not a policy:\n  document: "),
        (b"[]", "is not a policy:\n  document: "),
        (b"just text", "is not a policy:\n  document: "),
        (b"plans: {", "is not YAML: "),
        (b"a: b: c", "is not YAML: "),
        (b"version: !!python/object/apply:os.system ['true']", "is not YAML: "),
        (b"version: \xff\xfe", "cannot be read: 'utf-8' codec"),
        (b"version: 2026-02-30T00:00:00Z", "cannot be read: day is out of range"),
        (b"version: \x00", "is not YAML: "),
    ],
)
def test_a_file_that_is_no_document_is_refused(file: Path, content: bytes, says: str) -> None:
    file.write_bytes(content)
    with pytest.raises(PolicyError) as refused:
        load_policy(file)
    assert str(refused.value).startswith(f"{file} {says}")


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match=r"missing\.yaml: No such file"):
        load_policy(tmp_path / "missing.yaml")
    with pytest.raises(PolicyError, match="Is a directory"):
        load_policy(tmp_path)
