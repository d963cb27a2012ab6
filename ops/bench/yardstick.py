"""A fixed piece of work to measure our own code against, so that a ratio says nothing about the machine.

It never changes, for every recorded ratio would change with it; so it uses nothing of ours, not even the schemas.
About half of it is the interpreter's work and half a compiled library's, as in the code that it is held against.
"""

import io
import json
from dataclasses import asdict, dataclass

from fastavro import parse_schema, schemaless_reader, schemaless_writer

#: Records that one `work` goes through.
RECORDS = 400

_SCHEMA = parse_schema(
    {
        "type": "record",
        "name": "Measured",
        "fields": [
            {"name": "event_id", "type": "string"},
            {"name": "account_id", "type": "string"},
            {"name": "version", "type": "long"},
            {"name": "at", "type": "long"},
            {"name": "correlation_id", "type": ["null", "string"]},
            {"name": "device_id", "type": "string"},
            {"name": "title_id", "type": "string"},
        ],
    }
)


@dataclass(frozen=True, slots=True)
class _Measured:
    event_id: str
    account_id: str
    version: int
    at: int
    correlation_id: str | None
    device_id: str
    title_id: str


_EXAMPLES = tuple(
    _Measured(
        f"{number:08x}-1111-4111-8111-{number * 7919:012x}",
        f"member-{number % 50:05d}",
        number // 50 + 1,
        1_770_000_000_000 + number * 61_000,
        None if number % 2 else f"app-{number:010x}",
        f"tablet-{number % 3:08x}",
        f"title-{number * 31 % 97:03d}",
    )
    for number in range(RECORDS)
)


def work() -> int:
    """Encode and decode each record with fastavro and as JSON, and keep a little state of it; the bytes written."""
    written = 0
    held: dict[str, dict[str, tuple[int, str]]] = {}
    for example in _EXAMPLES:
        out = io.BytesIO()
        schemaless_writer(out, _SCHEMA, asdict(example))
        data = out.getvalue()
        record = _Measured(**schemaless_reader(io.BytesIO(data), _SCHEMA, None))  # type: ignore[arg-type]
        titles = dict(held.get(record.account_id, {}))
        titles[f"{record.device_id}/{record.title_id}"] = (record.at, record.event_id)
        held[record.account_id] = titles
        text = json.dumps({"account_id": record.account_id, "at": record.at, "titles": len(titles)})
        written += len(data) + len(json.loads(text))
    return written
