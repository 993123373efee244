"""Several users of one platform."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.universes.actors import Carriers, users_in_process, users_over_http
from tests.universes.approving import ROLES


@pytest.fixture
def users(carrier: str, tmp_path: Path) -> Iterator[Carriers]:
    """A carrier for each of those in `ROLES`, of one fresh platform."""
    several = users_over_http if carrier == "http" else users_in_process
    with several(tmp_path / "shared", **ROLES) as carriers:
        yield carriers
