"""One server for each module of tests; names keep the tests apart."""

from collections.abc import Iterator

import pytest

from tests.wire.servers import Wire, a_wire


@pytest.fixture(scope="module")
def wire(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    with a_wire(tmp_path_factory.mktemp("wire")) as served:
        yield served


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """A name that no other test of the module uses."""
    return f"n{abs(hash(request.node.nodeid)) % 10**12}"
