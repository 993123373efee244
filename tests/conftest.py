"""What every test gets: a home of its own, and hypothesis that does not depend on the speed of the machine.

Behaviour is tested on every carrier: the tests in the folders of `BEHAVIOUR` run embedded, embedded with the registry
on PostgreSQL, and over HTTP. Set ``MAINSEQUENCE_TEST_CARRIER`` to ``embedded``, ``postgresql`` or ``http`` for one of
them, or mark a test ``embedded`` that is about the platform in this process. Set
``MAINSEQUENCE_TEST_DATABASE=postgresql`` to run everything with the registry there, on whichever carrier: with
``MAINSEQUENCE_TEST_CARRIER=http`` a server stands before it.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from mainsequence.client.connection import disconnect
from tests import homes

settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", parent=settings.get_profile("default"), print_blob=True, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "default")

BEHAVIOUR = {
    *("access", "identity", "loading", "portfolios", "routing", "series", "tdag", "universes", "virtualfundbuilder"),
}

CARRIERS = ("embedded", "postgresql", "http")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with files that have slow tests: one that is begun last would keep one worker while the others are done."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run tests of behaviour on every carrier."""
    folder = metafunc.definition.path.parent.name
    chosen = os.environ.get("MAINSEQUENCE_TEST_CARRIER")
    if folder not in BEHAVIOUR or "carrier" not in metafunc.fixturenames:
        return
    carriers = [chosen] if chosen else _carriers()
    if metafunc.definition.get_closest_marker("embedded"):
        carriers = [each for each in carriers if each == "embedded"]
    metafunc.parametrize("carrier", carriers, indirect=True)


def _carriers() -> list[str]:
    """Give every carrier; those that differ by the database alone are one where all tests have the same database."""
    return ["embedded", "http"] if _everything_on_postgresql() else list(CARRIERS)


def _everything_on_postgresql() -> bool:
    return os.environ.get("MAINSEQUENCE_TEST_DATABASE") == "postgresql"


WITHOUT_A_HOME = {"compute", "contract", "deploy", "docs", "domain", "lake", "registry"}


def needs_a_registry(request: pytest.FixtureRequest, carrier: str) -> bool:
    """Tell whether a test will open its home, on SQLite, and is not about the first opening."""
    if carrier == "postgresql" or _everything_on_postgresql() or request.node.get_closest_marker("unopened"):
        return False
    return request.path.parent.name not in WITHOUT_A_HOME


@pytest.fixture
def carrier(request: pytest.FixtureRequest) -> str:
    """How this test reaches its platform."""
    return str(getattr(request, "param", "embedded"))


@pytest.fixture(autouse=True)
def home(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, carrier: str
) -> Iterator[Path]:
    """A fresh platform, in this process or behind a server; no test can touch the user's own."""
    folder = tmp_path / "home"
    monkeypatch.setenv("MAINSEQUENCE_HOME", str(folder))
    if needs_a_registry(request, carrier):
        homes.make(folder)
    for name in ("MAINSEQUENCE_DATABASE_URL", "MAINSEQUENCE_LAKE", "MAINSEQUENCE_ENDPOINT", "MAINSEQUENCE_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    with ExitStack() as stack:
        if carrier == "postgresql" or _everything_on_postgresql():
            from tests.postgresql import new_database

            monkeypatch.setenv("MAINSEQUENCE_DATABASE_URL", stack.enter_context(new_database()))
        if carrier == "http":
            from tests.carriers.servers import a_server

            address, token = stack.enter_context(a_server(folder))
            monkeypatch.setenv("MAINSEQUENCE_ENDPOINT", address)
            monkeypatch.setenv("MAINSEQUENCE_TOKEN", token)
        yield folder
        disconnect()
