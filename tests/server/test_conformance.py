"""The server does what its OpenAPI document says: cases made from the document, good ones and bad ones."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

from mainsequence.contract import arrow
from mainsequence.server.openapi import document
from tests.carriers.servers import a_server

DOCUMENT = schemathesis.openapi.from_dict(document("platform", "", "0"))
OPERATIONS = [found.ok() for found in DOCUMENT.get_all_operations()]


@schemathesis.serializer(arrow.MEDIA_TYPE)
def as_it_is(_context: Any, value: Any) -> bytes:
    return value if isinstance(value, bytes) else repr(value).encode()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, dict[str, str]]]:
    with a_server(tmp_path_factory.mktemp("served")) as (address, token):
        yield address, {"Authorization": f"Bearer {token}"}


@pytest.mark.slow
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["good", "bad"])
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_the_document_is_true(operation: Any, mode: GenerationMode, served: tuple[str, dict[str, str]]) -> None:
    address, headers = served

    @settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None)
    @given(case=operation.as_strategy(generation_mode=mode))
    def holds(case: Any) -> None:
        # What a schema cannot say (check digits, names of filters) may refuse a case that fits it.
        case.call_and_validate(base_url=address, headers=headers, excluded_checks=[positive_data_acceptance])

    holds()
