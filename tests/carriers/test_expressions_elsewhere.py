"""The state machine of universes made from others, on PostgreSQL and with a server between."""

from contextlib import AbstractContextManager
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest
from hypothesis import settings

from tests.carriers.servers import a_session_over_http
from tests.carriers.test_ledger_on_postgresql import a_session_on_postgresql
from tests.universes.test_expression_machine import ExpressionMachine

FEW = settings(max_examples=10, stateful_step_count=15, deadline=None)


class PostgresqlExpressionMachine(ExpressionMachine):
    """Expressions on PostgreSQL."""

    def a_platform(self) -> AbstractContextManager[Any]:
        """Give a session on a fresh database."""
        return a_session_on_postgresql()


class RemoteExpressionMachine(ExpressionMachine):
    """Expressions over HTTP."""

    def a_platform(self) -> AbstractContextManager[Any]:
        """Give a session on a fresh server."""
        return a_session_over_http(Path(mkdtemp()))


PostgresqlExpressionMachine.TestCase.settings = FEW
RemoteExpressionMachine.TestCase.settings = FEW


@pytest.mark.slow
class TestExpressionsOnPostgresql(PostgresqlExpressionMachine.TestCase):
    """Runs the machine."""


@pytest.mark.slow
class TestRemoteExpressions(RemoteExpressionMachine.TestCase):
    """Runs the machine."""
