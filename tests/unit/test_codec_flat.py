"""The readers and writers that are made for a schema give what fastavro gives, and trust nobody either."""

import io
import random
from collections.abc import Callable
from typing import Any, get_args

import pytest
from fastavro import schemaless_reader, schemaless_writer
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import asdict

from schemas import codec
from schemas.codec import DecodeError, decode_batch, decode_command, decode_event, decode_reply, encode_batch
from schemas.commands import COMMANDS, DownloadQuality
from schemas.events import EVENTS, Envelope
from schemas.journal import Batch, Entry, JournalOutcome
from schemas.registry import BY_FINGERPRINT, NEWEST
from schemas.replies import Outcome, Reply
from schemas.wire import head
from tests.support.examples import BATCH_EXAMPLE, COMMAND_EXAMPLES, EVENT_EXAMPLES, REPLY_EXAMPLE

text = st.one_of(st.text(max_size=8), st.text(min_size=20, max_size=90), st.integers(0, 1100).map("x".__mul__))
long = st.one_of(st.integers(-(1 << 63), (1 << 63) - 1), st.integers(-70, 1100), st.integers(1 << 34, 1 << 41))
int32 = st.integers(-(1 << 31), (1 << 31) - 1)


def some(one: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | one


def made(cls: Any, **special: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Messages of a class, of any values that its schema allows."""
    by_type = {
        str: text,
        int: long,
        str | None: some(text),
        int | None: some(long),
        bytes | None: some(st.binary()),
        DownloadQuality: st.sampled_from(get_args(DownloadQuality)),
    }
    hints = {name: hint for name, hint in cls.__annotations__.items() if name not in special}
    return st.builds(cls, **{name: by_type[hint] for name, hint in hints.items()}, **special)


commands = st.one_of([made(cls) for cls in COMMANDS.values()])
inner = st.one_of([made(cls, **({"renewals": int32} if "Renewed" in cls.__name__ else {})) for cls in EVENTS.values()])
events = made(Envelope, event=inner)
replies = made(Reply, outcome=st.sampled_from(get_args(Outcome)), events_partition=some(int32))
headers = st.lists(st.tuples(text, some(st.binary())), max_size=3).map(tuple)
entries = made(
    Entry,
    outcome=st.sampled_from(get_args(JournalOutcome)),
    events=st.lists(st.binary(max_size=200), max_size=3).map(tuple),
    headers=headers,
)
batches = st.builds(Batch, long, long, st.lists(entries, max_size=4).map(tuple))


def record_of(message: Any) -> dict[str, Any]:
    match message:
        case Envelope():
            record = asdict(message) | asdict(message.event)
            del record["event"]
            return record
        case Batch():
            return asdict(message) | {"entries": [record_of(entry) for entry in message.entries]}
        case Entry():
            return asdict(message) | {"headers": [{"name": n, "value": v} for n, v in message.headers]}
    return asdict(message)


def by_fastavro(message: Any) -> bytes:
    name = message.type if isinstance(message, Envelope) else type(message).__name__.replace("Batch", "JournalBatch")
    out = io.BytesIO()
    out.write(head(NEWEST[name]))
    schemaless_writer(out, NEWEST[name].parsed, record_of(message))
    return out.getvalue()


def one_way_to_write(data: bytes) -> bool:
    """Whether fastavro reads the bytes and writes the same again."""
    schema = BY_FINGERPRINT.get(data[2:10])
    if schema is None:
        return False
    body, out = io.BytesIO(data[10:]), io.BytesIO()
    try:
        schemaless_writer(out, schema.parsed, schemaless_reader(body, schema.parsed, None))
    except Exception:
        return False
    return data[:10] + out.getvalue() == data


@given(commands)
def test_a_command_has_fastavros_bytes_and_comes_back(command: Any) -> None:
    data = codec.encode_command(command)
    assert data == by_fastavro(command)
    assert decode_command(data) == command


@given(events)
def test_an_event_has_fastavros_bytes_and_comes_back(envelope: Envelope) -> None:
    data = codec.encode_event(envelope)
    assert data == by_fastavro(envelope)
    assert decode_event(data) == envelope


@given(replies)
def test_a_reply_has_fastavros_bytes_and_comes_back(reply: Reply) -> None:
    data = codec.encode_reply(reply)
    assert data == by_fastavro(reply)
    assert decode_reply(data) == reply


@given(batches)
def test_a_batch_has_fastavros_bytes_and_comes_back(batch: Batch) -> None:
    data = encode_batch(batch)
    assert data == by_fastavro(batch)
    assert decode_batch(data) == batch


def test_a_batch_of_our_own_is_not_read_by_fastavro(monkeypatch: pytest.MonkeyPatch) -> None:
    long = "downloads are held on 1 of the 1 devices that the plan basic allows"
    batch = Batch(7, 900, (*BATCH_EXAMPLE.entries, Entry(899, 1_790_000_000_000, b"x" * 300, "rejected", message=long)))
    monkeypatch.delattr(codec, "read_newest")
    assert decode_batch(encode_batch(batch)) == batch


def mutations(data: bytes, rng: random.Random) -> bytes:
    """The data with a byte or two changed, dropped or put in; where it begins stays."""
    wrong = bytearray(data)
    for _ in range(rng.randint(1, 2)):
        at = rng.randrange(10, len(wrong))
        match rng.randrange(4):
            case 0:
                wrong[at] = rng.choice((rng.randrange(256), 0, 1, 2, 3, 4, 0x48, 0x80, 0xFF))
            case 1:
                del wrong[at]
            case 2:
                wrong.insert(at, rng.choice((0, 1, 2, 0x80, rng.randrange(256))))
            case _:  # the same number, longer
                wrong[at : at + 1] = bytes((wrong[at] & 127 | 128, wrong[at] >> 7))
    return bytes(wrong)


@pytest.mark.parametrize("command", COMMAND_EXAMPLES, ids=lambda one: type(one).__name__)
def test_a_command_is_read_if_and_only_if_it_is_the_one_way_to_write_it(command: Any) -> None:
    rng, read = random.Random(3), 0
    for _ in range(3000):
        wrong = mutations(codec.encode_command(command), rng)
        try:
            assert by_fastavro(decode_command(wrong)) == wrong
            read += 1
        except DecodeError:
            assert not one_way_to_write(wrong)
    assert read > 100


LENIENT: list[tuple[Any, Callable[[Any], bytes], Callable[[bytes], Any]]] = [
    *((one, codec.encode_event, decode_event) for one in EVENT_EXAMPLES),
    (REPLY_EXAMPLE, codec.encode_reply, decode_reply),
    (BATCH_EXAMPLE, codec.encode_batch, decode_batch),
]


@pytest.mark.parametrize(("message", "encode", "decode"), LENIENT, ids=lambda one: getattr(one, "type", ""))
def test_wrong_bytes_of_our_own_raise_nothing_else_and_are_read_as_fastavro_reads_them(
    message: Any, encode: Callable[[Any], bytes], decode: Callable[[bytes], Any]
) -> None:
    rng, data = random.Random(5), encode(message)
    for _ in range(2000):
        wrong = mutations(data, rng)
        try:
            found = decode(wrong)
        except DecodeError:
            continue
        parsed = BY_FINGERPRINT[wrong[2:10]].parsed
        read: Any = schemaless_reader(io.BytesIO(wrong[10:]), parsed, None)
        if isinstance(found, Batch):
            read["entries"] = [entry | {"events": tuple(entry["events"])} for entry in read["entries"]]
        assert record_of(found) == read


def test_a_number_that_never_ends_is_given_up_at_once() -> None:
    start = codec.encode_event(EVENT_EXAMPLES[0])[:10]
    with pytest.raises(DecodeError):
        decode_event(start + b"\x00\x00" + b"\xff" * 1_000_000)
