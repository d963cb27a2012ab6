"""A policy's document: what it means, and that everything senseless in one is pointed at, by line and place."""

from pathlib import Path

import pytest

from commands.account import DAY
from commands.policy import Policy, Studio, Terms
from commands.policy_file import DEFAULT, HOUR, LARGEST, PolicyError, load_policy, read_document

JUNE_30 = 1_782_777_600_000  # 2026-06-30T00:00:00Z
GOOD = """\
version: v1
effective_from: 2026-06-30T00:00:00Z
plans:
  basic: {devices: 1}
device_downloads: 100
renewal_grace_days: 7
defaults:
  duration_days: 30
  renewals: 5
studios:
  ghibli: {devices: 2}
titles:
  heat-1995: {}
"""
TITLE = "  heat-1995: {}"


def policy(text: str) -> Policy:
    return read_document(text.encode(), "rules").policy()


def problems(text: str | bytes) -> list[tuple[int, str, str]]:
    with pytest.raises(PolicyError) as refused:
        read_document(text if isinstance(text, bytes) else text.encode(), "rules")
    assert str(refused.value).startswith("rules is not a policy:\n  line ")
    assert str(refused.value).count("\n") == len(refused.value.problems)
    return [(problem.line, problem.where, problem.what) for problem in refused.value.problems]


def test_the_shipped_policy_is_the_issues_first_one() -> None:
    shipped = load_policy()
    assert shipped.plans == {"basic": 1, "standard": 2, "premium": 6}
    assert (shipped.device_downloads, shipped.renewal_grace) == (100, 7 * DAY)
    assert shipped.defaults == Terms(duration=30 * DAY, renewals=5)
    assert shipped.terms("casablanca-1942") == Terms(30 * DAY, 5, available_until=JUNE_30)
    assert shipped.terms("spirited-away-2001") == Terms(30 * DAY, 5, playback_window=48 * HOUR, studio="studio-ghibli")
    assert shipped.terms("the-godfather-1972") == Terms(30 * DAY, 5, yearly_limit=3)
    assert shipped.terms("parasite-2019") == Terms(7 * DAY, 1)
    assert shipped.terms("no-such-title") is shipped.defaults
    assert shipped.version
    assert DEFAULT.is_file()


def test_a_title_says_only_what_differs_from_its_studio_and_that_from_the_defaults() -> None:
    found = policy("""\
version: v1
effective_from: 2026-06-30T00:00:00Z
plans: {basic: {devices: 1}}
device_downloads: 100
renewal_grace_days: 7
defaults: {duration_days: 10, renewals: 3, yearly_limit: 4}
studios:
  s: {renewals: 2, withdrawn_from: 2026-06-30T00:00:00Z, devices: 2, yearly_downloads: 9}
  empty: {}
titles:
  a: {renewals: 0, playback_window_hours: 48}
  b: {studio: s, duration_days: 1}
  c: {studio: s, renewals: 7, withdrawn_from: 2026-07-01T00:00:00Z}
  d: {}
""")
    base = Terms(10 * DAY, 3, yearly_limit=4)
    assert found == Policy(
        version="v1",
        plans={"basic": 1},
        device_downloads=100,
        renewal_grace=7 * DAY,
        defaults=base,
        titles={
            "a": Terms(10 * DAY, 0, None, 48 * HOUR, 4),
            "b": Terms(1 * DAY, 2, None, None, 4, JUNE_30, "s"),
            "c": Terms(10 * DAY, 7, None, None, 4, JUNE_30 + DAY, "s"),
            "d": base,
        },
        studios={"s": Studio({"b", "c"}, 2, 9), "empty": Studio(set())},
        effective_from=JUNE_30,
    )
    assert found.withdrawals == {"b": JUNE_30, "c": JUNE_30 + DAY}


@pytest.mark.parametrize(
    "moment",
    ["2026-06-30T00:00:00Z", "2026-06-30T02:00:00+02:00", "2026-06-29 19:00:00 -5:00", "2026-06-30 00:00:00.0Z"],
)
def test_a_moment_is_the_same_in_any_zone(moment: str) -> None:
    text = GOOD.replace("{}", f"{{available_until: {moment}}}")
    assert policy(text).terms("heat-1995").available_until == JUNE_30


def test_the_longest_grace_is_ninety_days() -> None:
    assert policy(GOOD.replace("days: 7", "days: 90")).renewal_grace == 90 * DAY
    assert policy(GOOD.replace("days: 7", "days: 0")).renewal_grace == 0


#: what: text of GOOD -> its replacement, line, place, beginning of what is said
WRONG: dict[str, tuple[str, str, int, str, str]] = {
    "no version": ("version: v1\n", "", 1, "version", "Field required"),
    "an empty version": ("v1", "''", 1, "version", "String should match"),
    "a version with a space": ("v1", "v 1", 1, "version", "String should match"),
    "a long version": ("v1", "v" * 65, 1, "version", "String should match"),
    "a version that is a number": ("v1", "1.0", 1, "version", "Input should be a valid string"),
    "no time": ("effective_from: 2026-06-30T00:00:00Z\n", "", 1, "effective_from", "Field required"),
    "a time long ago": ("2026-06-30T", "1999-06-30T", 2, "effective_from", "is not between the years"),
    "a day that is none": ("2026-06-30T", "2026-02-30T", 2, "effective_from", "2026-02-30T00:00:00Z: day is out"),
    "no plans": ("plans:\n  basic: {devices: 1}", "plans: {}", 3, "plans", "Dictionary should have at least 1"),
    "a plan without devices": ("{devices: 1}", "{}", 4, "plans.basic.devices", "Field required"),
    "a plan with 0 devices": ("{devices: 1}", "{devices: 0}", 4, "plans.basic.devices", "Input should be greater"),
    "too many devices": ("{devices: 1}", "{devices: 1001}", 4, "plans.basic.devices", "Input should be less"),
    "devices in words": ("{devices: 1}", "{devices: '2'}", 4, "plans.basic.devices", "Input should be a valid int"),
    "devices: yes": ("{devices: 1}", "{devices: yes}", 4, "plans.basic.devices", "Input should be a valid int"),
    "a name no id can have": ("basic:", "my plan:", 4, "plans.my plan", "String should match"),
    "a name that is a number": ("heat-1995:", "1917:", 13, "titles.1917", "Input should be a valid string"),
    "an unknown key in a plan": ("{devices: 1}", "{devices: 1, price: 9}", 4, "plans.basic.price", "Extra inputs"),
    "no downloads": ("downloads: 100", "downloads: 0", 5, "device_downloads", "Input should be greater"),
    "too many downloads": ("downloads: 100", "downloads: 10001", 5, "device_downloads", "Input should be less"),
    "a grace too long": ("days: 7", "days: 91", 6, "renewal_grace_days", "Input should be less"),
    "a grace below zero": ("days: 7", "days: -1", 6, "renewal_grace_days", "Input should be greater"),
    "a misspelt key": ("  duration_days", "  duration_day", 8, "defaults.duration_day", "Extra inputs"),
    "a duration of 0": ("days: 30", "days: 0", 8, "defaults.duration_days", "Input should be greater"),
    "a duration of centuries": ("days: 30", "days: 3651", 8, "defaults.duration_days", "Input should be less"),
    "no renewals": ("  renewals: 5\n", "", 7, "defaults.renewals", "Field required"),
    "defaults that withdraw": (
        "  renewals: 5",
        "  renewals: 5\n  withdrawn_from: 2026-06-30T00:00:00Z",
        10,
        "defaults.withdrawn_from",
        "Extra inputs",
    ),
    "a studio of no devices": ("{devices: 2}", "{devices: 0}", 11, "studios.ghibli.devices", "Input should be greater"),
    "a title of no studio": (TITLE, "  t: {studio: toho}", 13, "titles.t.studio", "there is no toho among the studios"),
    "a title with a region": (TITLE, "  t:\n    region: eu", 14, "titles.t.region", "Extra inputs"),
    "renewals below zero": (TITLE, "  t: {renewals: -1}", 13, "titles.t.renewals", "Input should be greater"),
    "a limit below zero": (TITLE, "  t: {yearly_limit: -1}", 13, "titles.t.yearly_limit", "Input should be greater"),
    "a window of 0": (
        TITLE,
        "  t: {playback_window_hours: 0}",
        13,
        "titles.t.playback_window_hours",
        "Input should be",
    ),
    "titles in a list": (TITLE, "  - t", 12, "titles", "Input should be a valid dictionary"),
    "a key twice": (
        TITLE,
        "  heat-1995: {}\n  heat-1995: {}",
        14,
        "titles.heat-1995",
        "is there twice, first on line 13",
    ),
    "true and 1": (TITLE, "  1: {}\n  true: {}", 14, "titles.True", "is there twice"),
    "an alias": ("{devices: 1}", "&one {devices: 1}\n  more: *one", 5, "", "has an alias, *one"),
    "a key that is a list": (TITLE, "  ? [a]\n  : {}", 13, "titles", "a key has to be plain text"),
    "an object of Python": (
        "v1",
        "!!python/name:os.system ''",
        1,
        "version",
        "tag:yaml.org,2002:python/name:os.system",
    ),
    "ten levels": (TITLE, "  t: " + "[" * 9 + "]" * 9, 13, "", "is nested deeper than 8 levels"),
    "a bracket that stays open": (
        "{devices: 1}",
        "{devices: 1",
        5,
        "",
        "is not YAML: did not find expected ',' or '}'",
    ),
    "a colon too many": ("days: 7", "days: 7: 8", 6, "", "is not YAML: mapping values are not allowed"),
    "two documents": (TITLE, "  t: {}\n---\na: b", 14, "", "is not YAML: but found another document"),
    "a zero byte": ("days: 7", "days: \x00", 6, "", "is no text: '\\x00'"),
}


@pytest.mark.parametrize(("old", "new", "line", "where", "says"), WRONG.values(), ids=WRONG)
def test_what_no_policy_can_mean_is_pointed_at(old: str, new: str, line: int, where: str, says: str) -> None:
    assert GOOD.count(old) == 1, "the test changes one thing"
    found = problems(GOOD.replace(old, new))
    assert any(one[:2] == (line, where) and one[2].startswith(says) for one in found), found


@pytest.mark.parametrize(
    "moment",
    [
        "2026-06-30",
        "2026-06-30 00:00:00",
        "2026-06-30T00:00:00",
        "2026",
        "20260630",
        "'20260630'",
        "1.5",
        "soon",
        "yes",
    ],
)
@pytest.mark.parametrize("name", ["available_until", "withdrawn_from"])
def test_a_moment_without_a_zone_or_no_moment_at_all_is_refused(name: str, moment: str) -> None:
    ((line, where, _),) = problems(GOOD.replace(TITLE, f"  t: {{{name}: {moment}}}"))
    assert (line, where) == (13, f"titles.t.{name}")


def test_everything_wrong_is_said_at_once_in_the_order_of_lines() -> None:
    text = (
        GOOD.replace("v1", "1")
        .replace("days: 7", "days: 91")
        .replace(TITLE, "  t: {studio: toho, renewals: -1}\n  t: 1")
    )
    assert [one[:2] for one in problems(text)] == [
        (1, "version"),
        (6, "renewal_grace_days"),
        (13, "titles.t.renewals"),
        (13, "titles.t.studio"),
        (14, "titles.t"),
    ]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is no mapping of keys to values"),
        (b"[]", "is no mapping of keys to values"),
        (b"just text", "is no mapping of keys to values"),
        (b"a: 1\nversion: \xff\xfe", "is not UTF-8: invalid start byte"),
        (b"#" * (LARGEST + 1), "has 1,000,001 bytes; 1,000,000 are the most"),
    ],
)
def test_what_is_no_document_is_refused(content: bytes, says: str) -> None:
    ((_, where, what),) = problems(content)
    assert (where, what) == ("", says)


def test_a_line_is_counted_where_the_bytes_go_wrong() -> None:
    assert problems(b"a: 1\n# \xc3\xa9\nversion: \xff")[0][0] == 3


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match=r"missing\.yaml cannot be read: No such file"):
        load_policy(tmp_path / "missing.yaml")
    with pytest.raises(PolicyError, match="Is a directory"):
        load_policy(tmp_path)
