from pathlib import Path

import pytest

from mainsequence.platform.lake import Lake
from tests.lake.tables import PRICES
from tests.object_store import an_object_store


@pytest.fixture(params=["folder", "object store", "s3"])
def lake(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """A lake with one empty table ``prices``; the object store is one on this disk, without locks, ``s3`` a server."""
    if request.param == "folder":
        made = Lake(tmp_path / "series")
    elif request.param == "s3":
        made = Lake(an_object_store(monkeypatch), derived=tmp_path / "derived")
    else:
        made = Lake((tmp_path / "store").as_uri(), derived=tmp_path / "derived")
        (tmp_path / "store").mkdir()
    made.create("prices", PRICES)
    return made
