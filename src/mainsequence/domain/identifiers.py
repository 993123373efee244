"""Identifiers: stable keys of the platform, and the check digits of FIGI and ISIN."""

import json
import re
from typing import Annotated, Any

from pydantic import AfterValidator, StringConstraints

from mainsequence.errors import InvalidIdentifierError, ValidationError

MAX_IDENTIFIER = 255
MAX_NAME = 255
MAX_DESCRIPTION = 4_000

_FIGI_SHAPE = re.compile(r"[B-DF-HJ-NP-TV-Z]{2}G[B-DF-HJ-NP-TV-Z0-9]{8}[0-9]")
_FIGI_RESERVED = {"BS", "BM", "GG", "GB", "GH", "KY", "VG"}
_ISIN_SHAPE = re.compile(r"[A-Z]{2}[A-Z0-9]{9}[0-9]")


def check_unique_identifier(value: str) -> str:
    """Accept a stable key: printable, no blanks around it, 1 to 255 characters, no ``@``-only text.

    Raises
    ------
    InvalidIdentifierError
        The key is blank, padded, too long, or holds control characters.
    """
    if not value.strip():
        raise InvalidIdentifierError("A unique_identifier is blank.", hint="Give it at least one visible character.")
    if value != value.strip():
        raise InvalidIdentifierError(
            f"The unique_identifier {value[:60]!r} begins or ends with a blank.", hint=f"Write {value.strip()[:60]!r}."
        )
    if len(value) > MAX_IDENTIFIER:
        raise InvalidIdentifierError(
            f"The unique_identifier {value[:40]!r}… has {len(value)} characters.",
            hint=f"At most {MAX_IDENTIFIER} are allowed.",
        )
    if not value.isprintable():
        raise InvalidIdentifierError(
            f"The unique_identifier {value[:60]!r} holds control characters.", hint="Use printable text only."
        )
    return value


def check_universe_identifier(value: str) -> str:
    """Accept the stable key of a universe; ``@`` is kept for pins such as ``sp500_constituents@12``.

    Raises
    ------
    InvalidIdentifierError
        As `check_unique_identifier`, and for a key that holds ``@``.
    """
    check_unique_identifier(value)
    if "@" in value:
        raise InvalidIdentifierError(
            f"The unique_identifier {value!r} holds an '@'.",
            hint="In references '@' pins a revision, as in 'sp500_constituents@12'; leave it out of the name.",
        )
    return value


def figi_check_digit(body: str) -> int:
    """Compute the check digit of the first 11 characters of a FIGI.

    Source: Financial Instrument Global Identifier, OMG standard, section on the check digit: letters count from A = 10,
    every second value is doubled, the digits are summed, and the check digit completes the sum to a multiple of ten.
    """
    digits = (int(char, 36) * (1 + position % 2) for position, char in enumerate(body))
    return -sum(value // 10 + value % 10 for value in digits) % 10


def isin_check_digit(body: str) -> int:
    """Compute the check digit of the first 11 characters of an ISIN (ISO 6166: Luhn on letters spelt from A = 10)."""
    digits = "".join(str(int(char, 36)) for char in body)
    doubled = (int(digit) * (2 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits)))
    return -sum(value // 10 + value % 10 for value in doubled) % 10


def check_figi(value: str) -> str:
    """Accept a FIGI whose shape and check digit are right.

    Raises
    ------
    InvalidIdentifierError
        The shape or the check digit is wrong.
    """
    if not _FIGI_SHAPE.fullmatch(value) or value[:2] in _FIGI_RESERVED:
        raise InvalidIdentifierError(
            f"{value[:40]!r} is not a FIGI.", hint="A FIGI has 12 characters and no vowels, such as BBG000B9XRY4."
        )
    return _with_check_digit("FIGI", value, figi_check_digit(value[:-1]))


def check_isin(value: str) -> str:
    """Accept an ISIN whose shape and check digit are right.

    Raises
    ------
    InvalidIdentifierError
        The shape or the check digit is wrong.
    """
    if not _ISIN_SHAPE.fullmatch(value):
        raise InvalidIdentifierError(
            f"{value[:40]!r} is not an ISIN.",
            hint="An ISIN is two capital letters, nine letters or digits and a digit, such as US0378331005.",
        )
    return _with_check_digit("ISIN", value, isin_check_digit(value[:-1]))


def _with_check_digit(kind: str, value: str, expected: int) -> str:
    if int(value[-1]) == expected:
        return value
    raise InvalidIdentifierError(
        f"The {kind} {value!r} ends in {value[-1]}, its check digit should be {expected}.",
        hint="Look for a typing mistake.",
    )


def identifier_from_name(display_name: str) -> str:
    """Derive an identifier from a display name: ``Favorite Crypto`` becomes ``favorite_crypto``."""
    return re.sub(r"\W+", "_", display_name.strip().lower()).strip("_")


HIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters and lone surrogates: no name holds them."""


def check_visible(value: str) -> str:
    """Accept text without control characters.

    Raises
    ------
    InvalidIdentifierError
        It holds one.
    """
    if HIDDEN.search(value):
        raise InvalidIdentifierError(f"{value[:60]!r} holds control characters.", hint="Use printable text only.")
    return value


def check_storable(value: str) -> str:
    """Accept text that every database stores: any but the character NUL.

    Raises
    ------
    ValidationError
        It holds one.
    """
    if "\x00" in value:
        raise ValidationError("Text cannot hold the character NUL.", hint="Use printable text.")
    return value


def check_json(value: dict[str, Any]) -> dict[str, Any]:
    """Accept what JSON can hold without loss, and give it as JSON gives it back: lists for tuples, plain numbers.

    Raises
    ------
    ValidationError
        A value of another type, or a number that is not finite.
    """
    try:
        return dict(json.loads(json.dumps(value, allow_nan=False))) if value else value
    except (TypeError, ValueError, RecursionError) as error:
        raise ValidationError(
            f"This cannot be stored as JSON: {error}.", hint="Use text, finite numbers, booleans, None, lists, dicts."
        ) from None


UniqueIdentifier = Annotated[str, AfterValidator(check_unique_identifier)]
UniverseIdentifier = Annotated[str, AfterValidator(check_universe_identifier)]
Figi = Annotated[str, AfterValidator(check_figi)]
Isin = Annotated[str, AfterValidator(check_isin)]
Name = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_NAME), AfterValidator(check_visible)
]
FreeText = Annotated[str, AfterValidator(check_storable)]
Description = Annotated[FreeText, StringConstraints(max_length=MAX_DESCRIPTION)]
Label = Annotated[str, StringConstraints(min_length=1, max_length=50), AfterValidator(check_visible)]
JsonObject = Annotated[dict[str, Any], AfterValidator(check_json)]
