"""The membership ledger's state machine, with a server between."""

from contextlib import AbstractContextManager
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest
from hypothesis import settings

from tests.carriers.servers import a_session_over_http
from tests.universes.test_ledger_machine import LedgerMachine


class RemoteLedgerMachine(LedgerMachine):
    """Every verb with every window, over HTTP."""

    def a_platform(self) -> AbstractContextManager[Any]:
        """Give a session on a fresh server."""
        return a_session_over_http(Path(mkdtemp()))


RemoteLedgerMachine.TestCase.settings = settings(max_examples=15, stateful_step_count=20, deadline=None)


@pytest.mark.slow
class TestRemoteLedger(RemoteLedgerMachine.TestCase):
    """Runs the machine."""
