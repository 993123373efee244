"""What a password must be."""

from typing import Annotated

from pydantic import AfterValidator

from mainsequence.errors import ValidationError

SHORTEST_PASSWORD, LONGEST_PASSWORD = 12, 200


def check_password(value: str) -> str:
    """Accept a password that is long enough; what it is made of is the user's choice.

    Raises
    ------
    ValidationError
        It is shorter than 12 characters or longer than 200; the message does not repeat it.
    """
    if not SHORTEST_PASSWORD <= len(value) <= LONGEST_PASSWORD:
        raise ValidationError(
            f"A password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters, this one has {len(value)}.",
            hint="A few words are easy to remember.",
        )
    return value


Password = Annotated[str, AfterValidator(check_password)]
