"""The server does what its OpenAPI document says: cases made from the document, good ones and bad, for every role.

``MAINSEQUENCE_TEST_CASES`` says how many cases of each kind an operation gets, a few by default; every role asks each.
"""

import os
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, assume, given, settings
from schemathesis.config import SchemathesisConfig
from schemathesis.generation import GenerationMode

from mainsequence.contract import access, arrow
from mainsequence.domain.access import TokenCreation, UserCreation
from mainsequence.platform.platform import Platform
from mainsequence.server.openapi import document
from mainsequence.server.run import Binding, serving
from mainsequence.settings import Settings

CASES = int(os.environ.get("MAINSEQUENCE_TEST_CASES", "3"))
ROLES = ("reader", "editor", "admin")

# What a schema cannot say (check digits, names of filters, revisions) may refuse a case that fits it.
FITTING = ["2xx", "304", "403", "404", "409", "412", "413", "422"]
CONFIG = SchemathesisConfig.from_dict({"checks": {"positive_data_acceptance": {"expected-statuses": FITTING}}})
DOCUMENT = schemathesis.openapi.from_dict(document("platform", "", "0"), config=CONFIG)
OPERATIONS = [found.ok() for found in DOCUMENT.get_all_operations()]


@schemathesis.serializer(arrow.MEDIA_TYPE)
def as_it_is(_context: Any, value: Any) -> bytes:
    return value if isinstance(value, bytes) else repr(value).encode()


class Served:
    """A server, and users of each role: new ones for each test, as cases shut users out and revoke tokens."""

    def __init__(self, platform: Platform, address: str) -> None:
        self.platform, self.address, self.numbers = platform, address, count(1)

    def bearer(self, role: str) -> str:
        """Give what a new user of a role sends."""
        body = UserCreation.parse({"name": f"{role}-{next(self.numbers)}", "role": role})
        user = self.platform.call(access.CREATE_USER, body)
        issued = self.platform.call(access.ISSUE_TOKEN, TokenCreation(), key=user.id)
        return f"Bearer {issued.token}"

    def address_of_client(self) -> str:
        """Give an address that nobody asked from yet: tokens that do not hold are counted by address."""
        number = next(self.numbers)
        return f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    platform = Platform.embedded(Settings(home=tmp_path_factory.mktemp("served")))
    with serving(platform, Binding(port=0, trusted_proxies=("127.0.0.1",))) as address:
        yield Served(platform, address)
    platform.close()


@pytest.mark.slow
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["good", "bad"])
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_the_document_is_true_for_every_role(operation: Any, mode: GenerationMode, served: Served) -> None:
    bearers = [served.bearer(role) for role in ROLES]

    @settings(
        max_examples=CASES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def holds(case: Any) -> None:
        # A parameter without a value is not sent, and what is wrong with it is not wrong with the request.
        assume(not any(value in ([], {}, None) for value in (case.query or {}).values()))
        for bearer in bearers:
            headers = {"Authorization": bearer, "X-Forwarded-For": served.address_of_client()}
            case.call_and_validate(base_url=served.address, headers=headers)

    holds()
