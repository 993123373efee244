"""The membership ledger's state machine, on PostgreSQL."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
from hypothesis import settings

import mainsequence.client as msc
from tests.postgresql import new_database
from tests.universes.test_ledger_machine import LedgerMachine


@contextmanager
def a_session_on_postgresql() -> Iterator[None]:
    """Use a fresh database inside a ``with`` block."""
    with new_database() as address, msc.session(address):
        yield


class PostgresqlLedgerMachine(LedgerMachine):
    """Every verb with every window, on PostgreSQL."""

    def a_platform(self) -> AbstractContextManager[Any]:
        """Give a session on a fresh database."""
        return a_session_on_postgresql()


PostgresqlLedgerMachine.TestCase.settings = settings(max_examples=15, stateful_step_count=20, deadline=None)


@pytest.mark.slow
class TestLedgerOnPostgresql(PostgresqlLedgerMachine.TestCase):
    """Runs the machine."""
