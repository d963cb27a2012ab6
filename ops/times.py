"""Times as people write them, and as the code has them: int milliseconds since the epoch, UTC."""

import re
from datetime import datetime

_LAST = 253_402_300_799_999  # of the year 9999
_SUCH_AS = "not a time such as 2026-05-01T20:15:00Z"


def instant(text: str) -> int:
    """A time with its zone, such as `2026-05-01T20:15:00Z`.

    Raises:
        ValueError: it is none, or names no zone. The text says what is wrong, to follow what was given.
    """
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(_SUCH_AS) from error
    if parsed.tzinfo is None:
        raise ValueError(f"which names no time zone: write {text}Z for UTC")
    return round(parsed.timestamp() * 1000)


def in_digits(text: str) -> int | None:
    """Milliseconds since 1970 that are written as such; None: it is something else, maybe a time.

    Raises:
        ValueError: as `instant`.
    """
    if re.fullmatch(r"\d{10,15}", text) is None:
        return None
    if int(text) > _LAST:
        raise ValueError("after the year 9999")
    return int(text)


def last_of(text: str) -> int:
    """The last millisecond of the time: tables show whole seconds, so a time without a fraction means all of it.

    Milliseconds since 1970 mean themselves.

    Raises:
        ValueError: as `instant`.
    """
    if (found := in_digits(text)) is not None:
        return found
    at = instant(text)
    return at if "." in text or "," in text else at + 999
