from typing import Any

from commands.kafka.consumer import headers_of


class _Record:
    def __init__(self, answer: Any) -> None:
        self._answer = answer

    def headers(self) -> Any:
        if isinstance(self._answer, BaseException):
            raise self._answer
        return self._answer

    def partition(self) -> int:
        return 1

    def offset(self) -> int:
        return 7


def test_headers_are_read_as_they_came() -> None:
    assert headers_of(_Record([("a", b"1"), ("a", None)])) == (("a", b"1"), ("a", None))
    assert headers_of(_Record(None)) == ()


def test_a_header_name_that_is_not_utf8_stops_nobody() -> None:
    """confluent-kafka answers `kcat -H $'\\xff=x'` with a SystemError, at this record again and again."""
    assert headers_of(_Record(SystemError("returned a result with an exception set"))) == ()
