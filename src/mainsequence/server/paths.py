"""What stands at a path: routes that answer their own methods alone, and the numbers that paths hold."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mainsequence.errors import NotFoundError

LONGEST_NUMBER = 18
"""Digits of a number: what fits into 64 bits."""


def only(methods: set[str], path: str, answer: Callable[[Request], Awaitable[Response]]) -> Route:
    """Give a route that answers these methods, and HEAD not with them."""
    made = Route(path, answer, methods=list(methods))
    made.methods = methods
    return made


def number_in(text: str) -> int:
    """Read the number of an object.

    Raises
    ------
    NotFoundError
        It is none, and so nothing has it.
    """
    if text.isascii() and text.isdecimal() and len(text) <= LONGEST_NUMBER:
        return int(text)
    raise NotFoundError(f"There is nothing with the id {text[:40]!r}.", hint="Ids are whole numbers.")
