"""A document followed event by event reads as the view's own, and every value has its causes."""

import json
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from commands.account import DAY
from commands.intake import Message
from ops import about, history
from ops.cli import app
from ops.differences import by_name
from ops.explain import Cause, Located, Traced, causes
from ops.settings import Settings
from projections.memory_model import MemoryReadModel
from projections.views import VIEWS
from projections.views.view import View
from schemas.events import Envelope
from tests.support import examples as x
from tests.unit.test_batch_properties import histories, messages, often, run

streams = st.builds(messages, st.integers(0, 10**9), st.integers(0, 100))


def read(view: View, events: list[Envelope], key: str, now: int) -> object:
    model = MemoryReadModel(view)
    model.fold(0, events)
    stored = next((one for _, document, one in model.export() if document == key), None)
    return None if stored is None else view.query(key, [stored.at(now)], now)


def every(stream: list[Message]) -> list[Envelope]:
    decided, _ = run(stream)
    return [envelope for history in histories(decided).values() for envelope in history]


@often
@given(streams, st.sampled_from(list(VIEWS.values())), st.integers(-5, 500))
def test_a_document_is_as_the_view_has_it_at_any_time(stream: list[Message], view: View, days: int) -> None:
    events, at = every(stream), x.T0 + days * DAY
    until = [envelope for envelope in events if envelope.at <= at]
    for key in {change[1] for envelope in events for change in view.project(envelope)}:
        traced = Traced(view, key, at)
        for envelope in until:
            traced.take(envelope)
        assert traced.document() == read(view, until, key, at)


@often
@given(streams, st.sampled_from(list(VIEWS.values())))
def test_what_the_causes_changed_is_the_document(stream: list[Message], view: View) -> None:
    events = every(stream)
    now = max(envelope.at for envelope in events) + DAY
    for key in {change[1] for envelope in events for change in view.project(envelope)}:
        found = list(causes(Traced(view, key, now), map(Located, events), None))
        values = {change.what: change.becomes for cause in found for change in cause.changes}
        assert {path: value for path, value in values.items() if value is not None} == dict(
            leaves("", by_name(read(view, events, key, now)))
        )
        for path in values:
            only = list(causes(Traced(view, key, now), map(Located, events), path))
            assert [cause.of for cause in only] == [
                cause.of for cause in found if any(change.what == path for change in cause.changes)
            ]


def leaves(path: str, value: object) -> Iterator[tuple[str, object]]:
    if isinstance(value, dict):
        for name, one in value.items():
            yield from leaves(f"{path}.{name}" if path else name, one)
    elif value is not None:
        yield path, value


def test_a_field_may_be_named_by_any_part_of_its_path() -> None:
    def kinds(field: str) -> list[str]:
        traced = Traced(VIEWS["licenses"], x.ACCOUNT, x.T0)
        return [cause.of.envelope.type for cause in causes(traced, map(Located, x.EVENT_EXAMPLES), field)]

    assert kinds("renewals") == ["LicenseAcquired", "LicenseRenewed"]
    assert kinds("licenses.tablet/alien-1979.completed") == ["LicenseAcquired", "DownloadCompleted"]
    assert kinds("tablet/alien-1979") == [one.type for one in x.EVENT_EXAMPLES[1:6]]
    assert kinds("expires") == []


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    def located(settings: Settings, view: View, found: list[Cause]) -> list[Cause]:
        return [cause._replace(of=Located(cause.of.envelope, 2, 7)) for cause in found]

    stored = {x.ACCOUNT: list(x.EVENT_EXAMPLES)}
    monkeypatch.setattr(history, "events", lambda settings, account: stored.get(account, []))
    monkeypatch.setattr(about, "located", located)
    return CliRunner()


def test_causes_are_printed_with_their_places(cli: CliRunner) -> None:
    device = f"{x.ACCOUNT}/{x.DEVICE}"
    result = cli.invoke(app, ["explain", "device_downloads", device, "completed"])
    assert (result.exit_code, result.stderr) == (0, "")
    assert "2:7" in result.stdout
    assert "completed 0 -> 1" in result.stdout
    result = cli.invoke(app, ["explain", "device_downloads", device, "completed", "--json"])
    first, second = (json.loads(line) for line in result.stdout.splitlines())
    assert (second["topic"], second["partition"], second["offset"], second["version"]) == ("licensing.events", 2, 7, 3)
    assert second["changes"] == [{"what": "completed", "was": 0, "becomes": 1}]
    assert first["changes"] == [{"what": "completed", "was": None, "becomes": 0}]


def test_a_document_of_the_past_is_printed(cli: CliRunner) -> None:
    def at(text: str) -> dict[str, object]:
        result = cli.invoke(app, ["view", "device_downloads", f"{x.ACCOUNT}/{x.DEVICE}", "--as-of", text, "--json"])
        assert result.exit_code == 0
        found: dict[str, object] = json.loads(result.stdout)
        return found

    assert (at("2026-03-01T12:00:00Z")["completed"], at("2026-03-02T12:00:00Z")["completed"]) == (0, 1)
    assert at("2026-03-03T12:00:00Z")["active"] == 1
    assert at("2026-03-05T12:00:00Z")["active"] == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["explain", "licenses", "nobody"], "No event is about licenses nobody.\n"),
        (["explain", "licenses", x.ACCOUNT, "colour"], f"No event is about colour of licenses {x.ACCOUNT}.\n"),
        (
            ["view", "licenses", x.ACCOUNT, "--as-of", "2026-02-01T00:00:00Z"],
            f"The view licenses has nothing for {x.ACCOUNT} as of 2026-02-01T00:00:00Z.\n",
        ),
    ],
)
def test_what_is_not_there_is_said(cli: CliRunner, arguments: list[str], said: str) -> None:
    result = cli.invoke(app, arguments)
    assert (result.exit_code, result.stderr) == (1, said)


@pytest.mark.parametrize("arguments", [["explain", "films", "a"], ["view", "licenses", "a", "--as-of", "soon"]])
def test_misuse_is_exit_code_2(cli: CliRunner, arguments: list[str]) -> None:
    assert cli.invoke(app, arguments).exit_code == 2
