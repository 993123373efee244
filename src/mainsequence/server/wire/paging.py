"""Listings page by page: ``{count, next, previous, results}``, with an absolute address of the next page."""

from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlencode

from mainsequence.contract.queries import MAX_PAGE
from mainsequence.domain.values import Page
from mainsequence.errors import ValidationError
from mainsequence.server.wire.exchange import Call
from mainsequence.server.wire.shapes import PageShape

Item = TypeVar("Item")
Shape = TypeVar("Shape")

PAGE = 1_000
SIZES, AFTER = ("limit", "page_size"), "after"
_PAGING = {*SIZES, AFTER}


def filters_of(call: Call) -> dict[str, Any]:
    """Give the filters among the parameters, or in the body of a query that is posted."""
    said: dict[str, Any] = {name: value for name, value in call.given.items() if name not in _PAGING}
    return said if call.body is None else said | call.fields()


def window_of(call: Call, usual: int = PAGE) -> dict[str, int | None]:
    """Read which page is asked for: its size, and the id behind which it begins.

    Raises
    ------
    ValidationError
        One of them is no whole number.
    """
    size = next((_whole(call, name) for name in SIZES if call.given.get(name)), usual)
    if size < 1:
        raise ValidationError(f"A page has at least one object, not {size}.")
    return {"limit": min(size, MAX_PAGE), "after": _whole(call, AFTER) if call.given.get(AFTER) else None}


def _whole(call: Call, name: str) -> int:
    text = call.given[name]
    if text.isascii() and text.isdecimal() and len(text) <= 18:
        return int(text)
    raise ValidationError(f"{name} must be a whole number, got {text[:40]!r}.")


def page(call: Call, found: Page[Item], shaped: Callable[[list[Item]], list[Shape]]) -> PageShape:
    """Give one page in this client's shape; it reads neither count nor previous, which are given where known."""
    whole = found.next_after is None and not call.given.get(AFTER)
    return PageShape(
        count=len(found.results) if whole else None,
        next=None if found.next_after is None else next_page(call, found.next_after),
        results=shaped(found.results),
    )


def next_page(call: Call, after: int) -> str:
    """Give the address of the page behind an id: the same filters, absolute."""
    return f"{call.address}?{urlencode({**call.given, AFTER: after})}"
