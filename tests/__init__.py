"""The tests. What they share is asserted with full messages too."""

import pytest

pytest.register_assert_rewrite("tests.support", "tests.contract")
