"""References to universes, pinned or not."""

from datetime import UTC, datetime

import pytest

from mainsequence.domain.pins import Pin, check_pin
from mainsequence.errors import InvalidIdentifierError, NaiveTimestampError, ValidationError


@pytest.mark.parametrize(
    ("reference", "pin"),
    [
        ("sp500", Pin("sp500")),
        ("sp500@12", Pin("sp500", revision=12)),
        ("sp500@0", Pin("sp500", revision=0)),
        ("sp500@2024-06-28", Pin("sp500", known_at=datetime(2024, 6, 28, tzinfo=UTC))),
        ("sp500@2024-06-28T20:00:00Z", Pin("sp500", known_at=datetime(2024, 6, 28, 20, tzinfo=UTC))),
        ("sp500@2024-06-28T22:00:00+02:00", Pin("sp500", known_at=datetime(2024, 6, 28, 20, tzinfo=UTC))),
    ],
)
def test_references_are_read(reference: str, pin: Pin) -> None:
    assert Pin.parse(reference) == pin
    assert Pin.parse(str(pin)) == pin
    assert check_pin(reference) == reference


@pytest.mark.parametrize(
    ("reference", "error"),
    [
        ("sp500@", ValidationError),
        ("sp500@x", ValidationError),
        ("sp500@-1", ValidationError),
        ("sp500@12@13", ValidationError),
        ("sp500@2024-13-01", ValidationError),
        ("sp500@2024-06-28T20:00:00", NaiveTimestampError),
        ("sp500@١٢", ValidationError),
        ("@12", InvalidIdentifierError),
        (" sp500@12", InvalidIdentifierError),
    ],
)
def test_what_is_no_reference_is_refused(reference: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        Pin.parse(reference)
