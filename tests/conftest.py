"""What every test gets: a home of its own, and hypothesis that does not depend on the speed of the machine."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from mainsequence.client.connection import disconnect

settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", parent=settings.get_profile("default"), print_blob=True, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "default")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A fresh embedded home; no test can touch the user's own."""
    folder = tmp_path / "home"
    monkeypatch.setenv("MAINSEQUENCE_HOME", str(folder))
    monkeypatch.delenv("MAINSEQUENCE_ENDPOINT", raising=False)
    monkeypatch.delenv("MAINSEQUENCE_TOKEN", raising=False)
    yield folder
    disconnect()
