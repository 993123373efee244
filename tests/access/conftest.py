"""What people open in a test is closed behind it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.access.people import OPENED


@pytest.fixture(autouse=True)
def doors(home: Path) -> Iterator[None]:
    yield
    while OPENED:
        OPENED.pop().close()
