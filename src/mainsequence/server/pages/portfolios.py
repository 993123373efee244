"""Portfolios: what they are worth, what they hold, and from which universe they were made."""

from typing import Any

from mainsequence.contract import portfolios as contract
from mainsequence.contract import series
from mainsequence.contract.queries import Query
from mainsequence.domain.portfolios import PortfolioRecord
from mainsequence.domain.series import SeriesQuery
from mainsequence.errors import NotFoundError
from mainsequence.server.pages import pictures
from mainsequence.server.pages.called import called
from mainsequence.server.pages.endpoint import ROOT
from mainsequence.server.pages.visits import Drawn, Page, Shown, Visit

AT_ONCE = 100
"""Portfolios on one page, and the largest holdings shown of one."""


def listing(visit: Visit) -> Shown:
    """Show every portfolio."""
    after, search = visit.text("after"), visit.text("q")
    filters = {} if search is None else {"display_name__icontains": search}
    found = visit.ask(contract.QUERY, Query.parse({"filters": filters, "limit": AT_ONCE, "after": after}))
    return Shown("portfolios.html", {"portfolios": found.results, "after": found.next_after, "q": search})


def one(visit: Visit) -> Shown:
    """Show one portfolio."""
    found = visit.ask(contract.GET, None, key=visit.key)
    held = visit.ask(contract.LATEST_WEIGHTS, None, key=visit.key)
    largest = sorted(held.weights.items(), key=lambda each: (-abs(each[1]), each[0]))
    facts = {
        "portfolio": found,
        "holdings": largest[:AT_ONCE],
        "called": called(visit, [name for name, _ in largest[:AT_ONCE]]),
        "count": len(largest),
        "at": held.weights_date,
        "cash": 1 - sum(held.weights.values()) if largest else None,
        "sources": _sources(found),
    }
    return Shown("portfolio.html", facts)


def _sources(found: PortfolioRecord) -> dict[str, Any]:
    """Give what its last run read: the universe at its revision, the table, the series at their versions."""
    manifest = found.manifest
    last = (manifest.get("segments") or [{}])[-1]
    read = {"universe": last.get("universe"), "prices": _at(manifest.get("prices_series"), last.get("prices_version"))}
    raw = ", ".join(f"{name}@{version}" for name, version in (manifest.get("sources") or {}).items())
    named = {name: manifest.get(name) for name in ("translation_table", "price_column", "package")}
    return {name: value for name, value in (read | {"raw series": raw or None} | named).items() if value is not None}


def _at(series: str | None, version: int | None) -> str | None:
    return None if series is None else f"{series}@{version}"


def picture(visit: Visit) -> Drawn:
    """Draw what a portfolio was worth, over time."""
    found = visit.ask(contract.GET, None, key=visit.key)
    stored = visit.ask(series.QUERY, Query(filters={"unique_identifier": found.values_series})).results
    if found.values_series is None or not stored:
        raise NotFoundError("Nothing is stored for the portfolio yet.", hint="Run it first.")
    table = visit.ask(series.READ, SeriesQuery(columns=("close",)), key=stored[0].id)
    return Drawn(pictures.values(table))


ONE = f"{ROOT}/portfolios/{{key}}"
PAGES = (
    Page("GET", f"{ROOT}/portfolios", listing),
    Page("GET", ONE, one),
    Page("GET", f"{ONE}/values.svg", picture),
)
