"""What the fault tests read back from the servers."""

from collections.abc import Iterator

import pytest

from tests.support.load import Stores
from tests.support.space import Space


@pytest.fixture
def stores(space: Space) -> Iterator[Stores]:
    """The space's stores, to check what is in them."""
    stores = Stores(space)
    yield stores
    stores.close()
