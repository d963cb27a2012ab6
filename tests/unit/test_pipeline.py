"""What a newer release wrote is named and waited for: all before it is applied, and nothing from there on."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from projections.memory_model import MemoryReadModel
from projections.pipeline import NewerWriter, Pipeline, read
from projections.projector import Projector
from projections.views import VIEWS
from schemas.codec import MAGIC, DecodeError, encode_event
from schemas.events import Envelope
from tests.contract.read_model_histories import interleaved

HISTORY = list(interleaved(3, accounts=5, events=40))
NEWER = [("type", b"LicenseAcquired"), ("schema_version", b"3"), ("trace", None)]


def record(offset: int, one: Envelope) -> Any:
    return SimpleNamespace(
        topic="events", partition=0, offset=offset, key=one.account_id.encode(), value=encode_event(one), headers=[]
    )


def records(newer_at: int, headers: list[tuple[str, bytes | None]]) -> list[Any]:
    found = [record(offset, one) for offset, one in enumerate(HISTORY)]
    found[newer_at].value = MAGIC + b"newer..." + b"body"
    found[newer_at].headers = headers
    return found


@pytest.mark.parametrize("at", [0, 1, 17, len(HISTORY) - 1])
def test_what_is_before_a_newer_version_is_applied_and_nothing_after_it(at: int) -> None:
    model, letters = MemoryReadModel(VIEWS["licenses"]), list[Any]()

    async def no_events(account_id: str, first: int, last: int) -> list[Envelope]:
        raise LookupError(account_id, first, last)

    async def dead_letter(record: Any, error: DecodeError) -> None:
        letters.append(record)

    pipeline = Pipeline(Projector(model.view, model.apply, no_events), dead_letter)
    with pytest.raises(NewerWriter) as stopped:
        asyncio.run(pipeline.handle(0, 0, len(HISTORY), records(at, NEWER)))
    assert (stopped.value.offset, stopped.value.needs) == (at, "LicenseAcquired.v3")
    assert asyncio.run(model.positions([0])) == {0: at}
    before = MemoryReadModel(model.view)
    before.fold(0, HISTORY[:at])
    assert model.stored == before.stored
    assert letters == []


@pytest.mark.parametrize(
    ("headers", "needs"),
    [
        (NEWER, "LicenseAcquired.v3"),
        ([], "no schema with the fingerprint"),
        ([("type", b"LicenseAcquired"), ("schema_version", b"2")], "no schema with the fingerprint"),
        ([("type", b"LicenseAcquired")], "no schema with the fingerprint"),
        ([("type", b"\xff" * 500), ("schema_version", None)], "\ufffd" * 80 + ".v"),
    ],
)
def test_the_version_is_the_one_that_the_headers_name(headers: Any, needs: str) -> None:
    envelopes, unreadable, newer = read(records(2, headers))
    assert (len(envelopes), unreadable) == (2, [])
    assert newer is not None
    assert newer.needs.startswith(needs)
    assert "offset 2" in str(newer)
