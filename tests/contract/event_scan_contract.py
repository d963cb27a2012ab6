"""What every scan of the events does."""

from uuid import uuid4

import pytest

from commands.ports import EventRow, EventScan, EventStore
from tests.contract.event_store_contract import history, row, write


class EventScanContract:
    """Subclasses give the fixtures `scan` and `store`, of the same events and empty at first."""

    @pytest.fixture
    def histories(self, store: EventStore) -> dict[str, list[EventRow]]:
        """300 accounts of 1 to 20 events, and one of more than a page."""
        names = {f"member:{uuid4()}": 1 + number % 20 for number in range(300)} | {"busy": 6000}
        found = {name: [row(one, one.version) for one in history(name, count)] for name, count in names.items()}
        for rows in found.values():
            for start in range(0, len(rows), 1000):
                write(store, rows[start : start + 1000][::-1])
        return found

    def test_every_account_is_in_one_slice_and_whole(
        self, scan: EventScan, histories: dict[str, list[EventRow]]
    ) -> None:
        for count in (1, 7, 64):
            pieces = [list(scan.read(piece)) for piece in scan.slices(count)]
            assert len(pieces) == count
            found = [rows for piece in pieces for rows in piece]
            assert {rows[0].envelope.account_id: rows for rows in found} == histories
            assert len(found) == len(histories)
        assert sum(1 for piece in pieces if piece) > 55  # of 64: no slice has them all

    def test_one_account_is_had_by_its_name(self, scan: EventScan, histories: dict[str, list[EventRow]]) -> None:
        for name in [*list(histories)[:5], "busy"]:
            assert scan.of(name) == histories[name]
        assert scan.of("nobody") == []

    def test_slices_are_always_the_same(self, scan: EventScan) -> None:
        assert scan.slices(64) == scan.slices(64)
        assert len(set(scan.slices(64))) == 64

    def test_where_nothing_is_stored_nothing_is_found(self, scan: EventScan) -> None:
        assert [list(scan.read(piece)) for piece in scan.slices(3)] == [[], [], []]
