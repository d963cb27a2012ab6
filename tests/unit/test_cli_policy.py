"""`licensing policy`: what is wrong with a document, what differs between two, and that a bad one is never sent."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from commands.policies import LEAD
from commands.policy_log import PolicyLog, Record
from ops import policies
from ops.cli import app
from ops.policies import listed
from ops.settings import Settings
from tests.support.examples import POLICY, T0
from tests.unit.test_policy_file import GOOD
from tests.unit.test_policy_log import document


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setenv("LICENSING_KAFKA", "127.0.0.1:1")  # nobody listens there
    return CliRunner()


def written(tmp_path: Path, text: str, name: str = "rules.yaml") -> str:
    file = tmp_path / name
    file.write_text(text, "utf-8")
    return str(file)


@pytest.mark.parametrize("verb", ["check", "diff", "publish"])
def test_every_verb_has_help_with_an_example(run: CliRunner, verb: str) -> None:
    result = run.invoke(app, ["policy", verb, "--help"])
    assert result.exit_code == 0
    assert f"Example: licensing policy {verb} " in result.output


@pytest.mark.parametrize("arguments", [["fly"], ["check"], ["diff", "a"], ["publish"], ["publish", "a", "--now"]])
def test_misuse_is_exit_code_2(run: CliRunner, arguments: list[str]) -> None:
    assert run.invoke(app, ["policy", *arguments]).exit_code == 2


def test_a_good_document_is_summed_up(run: CliRunner, tmp_path: Path) -> None:
    file = written(tmp_path, GOOD)
    result = run.invoke(app, ["policy", "check", file])
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == (
        f"{file} is a policy: version v1, from 2026-06-30 00:00:00 UTC (plans: 1, studios: 1, titles: 1).\n"
    )
    found = json.loads(run.invoke(app, ["policy", "check", file, "--json"]).stdout)
    assert found == {
        "file": file,
        "ok": True,
        "version": "v1",
        "effective_from": 1_782_777_600_000,
        "problems": [],
    }


def test_everything_wrong_is_a_line_like_a_compilers(run: CliRunner, tmp_path: Path) -> None:
    file = written(tmp_path, GOOD.replace("v1", "''").replace("days: 7", "days: 91"))
    result = run.invoke(app, ["policy", "check", file])
    assert (result.exit_code, result.stdout) == (1, "")
    assert [line.split(": ")[:2] for line in result.stderr.splitlines()] == [
        [f"{file}:1", "version"],
        [f"{file}:6", "renewal_grace_days"],
    ]
    result = run.invoke(app, ["policy", "check", file, "--json"])
    assert (result.exit_code, result.stderr) == (1, "")
    found = json.loads(result.stdout)
    assert not found["ok"]
    assert [(one["line"], one["where"]) for one in found["problems"]] == [(1, "version"), (6, "renewal_grace_days")]


def test_a_diff_says_what_was_and_what_is_to_be(run: CliRunner, tmp_path: Path) -> None:
    a = written(tmp_path, GOOD)
    changed = GOOD.replace("v1", "v2").replace("  basic: {devices: 1}", "  basic: {devices: 2}\n  family: {devices: 5}")
    changed = changed.replace("heat-1995: {}", "ran-1985: {withdrawn_from: 2027-01-01T00:00:00Z}")
    b = written(tmp_path, changed, "b.yaml")
    result = run.invoke(app, ["policy", "diff", a, b, "--json"])
    assert result.exit_code == 0
    withdrawn = {"withdrawn_from": "2027-01-01T00:00:00+00:00"}
    assert json.loads(result.stdout) == {
        "a": "v1",
        "b": "v2",
        "changes": [
            {"what": "version", "was": "v1", "becomes": "v2"},
            {"what": "plans.basic.devices", "was": 1, "becomes": 2},
            {"what": "plans.family", "was": None, "becomes": {"devices": 5}},
            {"what": "titles.heat-1995", "was": {}, "becomes": None},
            {"what": "titles.ran-1985", "was": None, "becomes": withdrawn},
        ],
    }
    said = run.invoke(app, ["policy", "diff", a, b]).stdout
    assert "From v1 to v2" in said
    assert "{withdrawn_from: 2027-01-01T00:00:00Z}" in said
    assert run.invoke(app, ["policy", "diff", a, a]).stdout == "They say the same.\n"
    assert run.invoke(app, ["policy", "diff", a, "nowhere.yaml"]).exit_code == 1


def test_a_bad_document_is_refused_before_anything_is_asked_or_sent(run: CliRunner, tmp_path: Path) -> None:
    result = run.invoke(app, ["policy", "publish", written(tmp_path, GOOD.replace("days: 7", "days: 91"))])
    assert result.exit_code == 1
    assert "line 6: renewal_grace_days" in result.stderr
    assert "Kafka" not in result.stderr


class Broker:
    """The topic in memory: what `ops.policies` reads from and sends to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, commands: int) -> None:
        self.sent: list[tuple[str, bytes]] = []
        self.log = PolicyLog(POLICY)
        self.now = 0
        monkeypatch.setattr(policies, "read", lambda settings: self.log)
        monkeypatch.setattr(policies, "_send", self._send)
        monkeypatch.setattr("ops.kafka.ends", lambda bootstrap, topic: {0: commands})

    def _send(self, settings: Settings, key: str, value: bytes) -> None:
        self.sent.append((key, value))
        self.log.add(Record(len(self.sent), self.now, key.encode(), value))


def seconds_from_now(seconds: int) -> int:
    return (int(datetime.now(UTC).timestamp()) + seconds) * 1000


def publish(tmp_path: Path, version: str, effective_from: int, devices: int = 1) -> bool:
    file = tmp_path / f"{version}.yaml"
    file.write_bytes(document(version, effective_from, devices))
    return policies.publish(Settings(), file)[1]


def test_the_first_may_take_effect_in_the_past_while_there_are_no_commands(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert publish_to(Broker(monkeypatch, commands=0), tmp_path) == ["v1"]
    with pytest.raises(policies.NotPublished, match=r"commands were sent already.*Nothing was sent"):
        publish_to(Broker(monkeypatch, commands=1), tmp_path)


def publish_to(broker: Broker, tmp_path: Path) -> list[str]:
    assert publish(tmp_path, "v1", T0)
    return [key for key, _ in broker.sent]


def test_a_later_one_needs_a_time_to_come_and_a_version_of_its_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broker = Broker(monkeypatch, commands=1)
    assert publish(tmp_path, "v1", seconds_from_now(60))
    for effective in (T0, seconds_from_now(-1), seconds_from_now(LEAD // 1000)):
        with pytest.raises(policies.NotPublished, match=r"soonest.*Nothing was sent"):
            publish(tmp_path, "v2", effective)
    with pytest.raises(policies.NotPublished, match="give this one its own version"):
        publish(tmp_path, "v1", seconds_from_now(90))
    assert len(broker.sent) == 1
    effective = seconds_from_now(90)
    assert publish(tmp_path, "v2", effective)
    assert not publish(tmp_path, "v2", effective)  # just so, once more
    assert [key for key, _ in broker.sent] == ["v1", "v2"]


def test_what_reached_the_broker_too_late_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broker = Broker(monkeypatch, commands=0)
    assert publish(tmp_path, "v1", T0)
    broker.now = seconds_from_now(600)
    with pytest.raises(policies.NotPublished, match="It was sent, but does not count: effective_from is"):
        publish(tmp_path, "v2", seconds_from_now(60))


def test_status_lists_policies_by_their_time() -> None:
    log = PolicyLog(POLICY)
    for number, at in enumerate((T0, T0 + 2 * LEAD, T0 + 3 * LEAD)):
        log.add(Record(number, T0, f"v{number}".encode(), document(f"v{number}", at)))
    assert [tuple(one) for one in listed(log, T0 + 2 * LEAD)] == [
        ("test", None, "past"),
        ("v0", T0, "past"),
        ("v1", T0 + 2 * LEAD, "in force"),
        ("v2", T0 + 3 * LEAD, "to come"),
    ]
    assert [one.state for one in listed(log, T0 - 1)] == ["in force", "to come", "to come", "to come"]
