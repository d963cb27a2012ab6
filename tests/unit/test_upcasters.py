"""Whatever was ever written means today what it meant then: bytes of every version, kept, and made at random."""

from collections.abc import Callable
from copy import deepcopy
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Any

import pytest
from fastavro import schemaless_reader, schemaless_writer
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from commands.account import fold, initial
from commands.policy_file import load_policy
from ops.bench.filling import history, load
from schemas.codec import decode_batch, decode_command, decode_event, encode_event
from schemas.events import Envelope, LicenseAcquired, PlanChanged, PlanChosen
from schemas.registry import NEWEST, SCHEMAS, Schema
from schemas.upcasters import RETIRED, UPCASTERS, upcast
from schemas.wire import HEADER, head
from tests.support.examples import BATCH_EXAMPLE, EVENT_EXAMPLES, acquire, acquired, envelope, plan_set

GOLDEN = Path(__file__).with_name("golden")
BY_NAME = {(schema.name, schema.version): schema for schema in SCHEMAS}


def golden(name: str) -> bytes:
    return bytes.fromhex((GOLDEN / f"{name}.hex").read_text(encoding="ascii"))


PLAN_SET = replace(EVENT_EXAMPLES[0], event=plan_set("premium"))
OLD_BATCH = replace(
    BATCH_EXAMPLE,
    entries=(
        replace(BATCH_EXAMPLE.entries[0], events=(golden("PlanSet.v1"),)),
        BATCH_EXAMPLE.entries[1],
        replace(BATCH_EXAMPLE.entries[2], value=golden("AcquireLicense.v1")),
    ),
)
MEANT: dict[str, tuple[Callable[[bytes], Any], Any]] = {
    "AcquireLicense.v1": (decode_command, acquire()),
    "LicenseAcquired.v1": (decode_event, envelope(acquired(), 2)),
    "PlanSet.v1": (decode_event, PLAN_SET),
    "JournalBatch.v1": (decode_batch, OLD_BATCH),
}


def test_these_are_all_the_versions_that_are_not_the_newest() -> None:
    old = {f"{s.name}.v{s.version}" for s in SCHEMAS if s is not NEWEST[s.name] or s.name in RETIRED}
    assert set(MEANT) == old == {f"{name}.v{version}" for name, version in UPCASTERS}


@pytest.mark.parametrize("name", MEANT)
def test_the_bytes_of_an_old_version_mean_what_they_meant(name: str) -> None:
    decode, meant = MEANT[name]
    assert decode(golden(name)) == meant


def test_a_plan_set_later_is_a_change_from_a_plan_that_nobody_wrote_down() -> None:
    schema = BY_NAME["PlanSet", 1]
    record: Any = schemaless_reader(BytesIO(golden("PlanSet.v1")[HEADER:]), schema.parsed, None)
    later = replace(PLAN_SET, version=7, event=PlanChanged("premium", None, "test"))
    assert decode_event(written(schema, record | {"version": 7})) == later


def written(schema: Schema, record: dict[str, Any]) -> bytes:
    out = BytesIO()
    out.write(head(schema))
    schemaless_writer(out, schema.parsed, record)
    return out.getvalue()


def anything(declared: Any, rng: Random) -> Any:
    """Some value of a type."""
    match declared:
        case "null":
            return None
        case "string":
            return f"text {rng.randrange(1000)}"
        case "bytes":
            return rng.randbytes(rng.randrange(5))
        case "int" | "long":
            return rng.randrange(1 << 31)
        case list():
            return anything(rng.choice(declared), rng)
        case {"type": "record"}:
            return {field["name"]: anything(field["type"], rng) for field in declared["fields"]}
        case {"type": "enum"}:
            return rng.choice(declared["symbols"])
        case {"type": "array"}:
            return [anything(declared["items"], rng) for _ in range(rng.randrange(4))]
    return anything(declared["type"], rng)


@pytest.mark.parametrize("step", UPCASTERS, ids=lambda step: f"{step[0]}.v{step[1]}")
@given(seed=st.integers(0, 1 << 32))
def test_a_step_gives_all_fields_of_the_next_version_and_leaves_the_old_record_alone(
    step: tuple[str, int], seed: int
) -> None:
    record = anything(BY_NAME[step].source, Random(seed))
    before = deepcopy(record)
    name, version, after = UPCASTERS[step](record)
    assert record == before
    following = BY_NAME[name, version]
    assert (name, version) == (step[0], step[1] + 1) or step[0] in RETIRED
    assert set(after) == {field["name"] for field in following.source["fields"]}
    again: Any = schemaless_reader(BytesIO(written(following, after)[HEADER:]), following.parsed, None)
    assert again == after
    name, newest = upcast(*step, record)
    assert NEWEST[name].version == max(v for n, v in BY_NAME if n == name)
    assert set(newest) == {field["name"] for field in NEWEST[name].source["fields"]}


@pytest.mark.parametrize("name", RETIRED)
def test_what_is_retired_leads_to_what_took_its_place_and_to_all_of_it(name: str) -> None:
    met = set()
    for seed in range(50):
        record = anything(NEWEST[name].source, Random(seed)) | {"version": 1 + seed % 2}
        met.add(upcast(name, NEWEST[name].version, record)[0])
    assert met == set(RETIRED[name])


def as_of_old(one: Envelope) -> bytes:
    """The event as a release of version 1 wrote it."""
    fields = {name: getattr(one, name) for name in Envelope.__struct_fields__ if name != "event"}
    match one.event:
        case PlanChosen(plan=plan, policy_version=by) | PlanChanged(plan=plan, policy_version=by):
            return written(BY_NAME["PlanSet", 1], fields | {"plan": plan, "policy_version": by})
        case LicenseAcquired() as e:
            inner = {name: getattr(e, name) for name in e.__struct_fields__ if name != "download_quality"}
            return written(BY_NAME["LicenseAcquired", 1], fields | inner)
    return encode_event(one)


@given(seed=st.integers(0, 1 << 32), mixed=st.randoms(use_true_random=False))
def test_a_history_folds_to_the_same_account_whichever_release_wrote_each_event(seed: int, mixed: Random) -> None:
    story = list(history(load(120, accounts=2, seed=seed), load_policy()))
    stored = [as_of_old(one) if mixed.random() < 0.5 else encode_event(one) for one in story]
    for account_id in {one.account_id for one in story}:
        own = [(one, data) for one, data in zip(story, stored, strict=True) if one.account_id == account_id]
        assert fold(initial(), (decode_event(data) for _, data in own)) == fold(initial(), (one for one, _ in own))
