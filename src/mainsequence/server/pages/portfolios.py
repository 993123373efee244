"""Portfolios: what they are worth, what they hold, and from which universe they were made."""

from mainsequence.contract import portfolios as contract
from mainsequence.contract import series
from mainsequence.contract.queries import Query
from mainsequence.domain.portfolios import LatestWeights
from mainsequence.domain.series import SeriesQuery
from mainsequence.errors import NotFoundError, ValidationError
from mainsequence.server.pages import pictures
from mainsequence.server.pages.called import called
from mainsequence.server.pages.endpoint import ROOT
from mainsequence.server.pages.manifests import made_from
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
    held, problem = _held(visit)
    largest = sorted(held.weights.items(), key=lambda each: (-abs(each[1]), each[0]))
    facts = {
        "portfolio": found,
        "holdings": largest[:AT_ONCE],
        "called": called(visit, [name for name, _ in largest[:AT_ONCE]]),
        "count": len(largest),
        "at": held.weights_date,
        "problem": problem,
        "cash": 1 - sum(held.weights.values()) if held.weights_date else None,
        "made": made_from(found.manifest),
    }
    return Shown("portfolio.html", facts)


def _held(visit: Visit) -> tuple[LatestWeights, str | None]:
    """Give what it holds; or nothing, and why it cannot be read: whoever registers it names the series, of any kind."""
    try:
        return visit.ask(contract.LATEST_WEIGHTS, None, key=visit.key), None
    except (NotFoundError, ValidationError) as error:
        return LatestWeights(weights={}), error.message


def picture(visit: Visit) -> Drawn:
    """Draw what a portfolio was worth, over time."""
    found = visit.ask(contract.GET, None, key=visit.key)
    if found.values_series is None:
        raise NotFoundError("Nothing is stored for the portfolio yet.", hint="Run it first.")
    stored = visit.ask(series.QUERY, Query(filters={"unique_identifier": found.values_series})).results
    if not any(column.name == "close" for each in stored for column in each.series_schema.columns):
        return Drawn(pictures.values(None))
    return Drawn(pictures.values(visit.ask(series.READ, SeriesQuery(columns=("close",)), key=stored[0].id)))


ONE = f"{ROOT}/portfolios/{{key}}"
PAGES = (
    Page("GET", f"{ROOT}/portfolios", listing),
    Page("GET", ONE, one),
    Page("GET", f"{ONE}/values.svg", picture),
)
