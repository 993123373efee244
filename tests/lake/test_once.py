"""Rows appended under a key of the caller's: asked again under it, the outcome of the first time is given."""

import pytest

from mainsequence.errors import ExistingRowsError
from mainsequence.platform.lake import Lake
from tests.lake.tables import batch


def test_appending_again_under_the_same_key_gives_the_first_outcome(lake: Lake) -> None:
    first = lake.append("prices", batch(1), once="a key")
    lake.append("prices", batch(2))
    again = lake.append("prices", batch(1), once="a key")
    assert again == first
    assert again.inserted == 200
    assert lake.version("prices") == 2
    assert [each.inserted for each in lake.history("prices")] == [0, 200, 200]


@pytest.mark.parametrize("key", [None, "another key"])
def test_without_the_key_rows_that_exist_are_refused(lake: Lake, key: str | None) -> None:
    lake.append("prices", batch(1), once="a key")
    with pytest.raises(ExistingRowsError):
        lake.append("prices", batch(1), once=key)
    assert lake.version("prices") == 1
