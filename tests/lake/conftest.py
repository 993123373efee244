from pathlib import Path

import pytest

from mainsequence.platform.lake import Lake
from tests.lake.tables import PRICES


@pytest.fixture(params=["folder", "object store"])
def lake(request: pytest.FixtureRequest, tmp_path: Path) -> Lake:
    """A lake with one empty table ``prices``; the object store is one on this disk, without locks."""
    if request.param == "folder":
        made = Lake(tmp_path / "series")
    else:
        made = Lake((tmp_path / "store").as_uri(), derived=tmp_path / "derived")
        (tmp_path / "store").mkdir()
    made.create("prices", PRICES)
    return made
