"""Listings, page by page in the order of ids, whatever the noun."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from sqlalchemy import ColumnElement, Select

from mainsequence.contract.queries import Query
from mainsequence.domain.values import Page


class Numbered(Protocol):
    """A record with an id."""

    @property
    def id(self) -> int:
        """Its id."""


Record = TypeVar("Record", bound=Numbered)


def page_by_id(
    found: Select[Any], column: ColumnElement[int], body: Query, read: Callable[[Select[Any]], list[Record]]
) -> Page[Record]:
    """Read the page that was asked for, and where the next one begins.

    Parameters
    ----------
    found
        Everything that fits.
    column
        The id that orders it.
    body
        Which page.
    read
        Gives the records of a query.
    """
    if body.after is not None:
        found = found.where(column > body.after)
    return page_of(read(found.order_by(column).limit(body.limit + 1)), body.limit)


def page_of(results: list[Record], limit: int) -> Page[Record]:
    """Make a page of records that were read up to one more than its limit."""
    more = len(results) > limit
    return Page(results=results[:limit], next_after=results[limit - 1].id if more else None)
