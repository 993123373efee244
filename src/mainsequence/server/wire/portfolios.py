"""Portfolios, as the vendor's client asks for them.

It speaks of the updates of data nodes; here their ids are those of the series that hold what a node computes.
"""

from http import HTTPStatus
from typing import Any

from mainsequence.contract import portfolios as contract
from mainsequence.contract import series as series_contract
from mainsequence.contract.queries import MAX_PAGE, Query
from mainsequence.domain.identifiers import Label, Name, identifier_from_name
from mainsequence.domain.lookups import spelt_out
from mainsequence.domain.portfolios import PORTFOLIO_ALIASES, PORTFOLIO_LOOKUPS, PortfolioAbout, PortfolioCreation
from mainsequence.domain.values import Value
from mainsequence.errors import ConflictError, NotFoundError
from mainsequence.server.wire import shapes
from mainsequence.server.wire.exchange import Call, Face
from mainsequence.server.wire.paging import filters_of, page, window_of
from mainsequence.server.wire.shapes import PageShape, PortfolioShape

SERIES_OF = {"data_node_update": "values_series", "signal_data_node_update": "signal_series"}
_LOOKUPS = {f"{update}__id": PORTFOLIO_LOOKUPS["id"] for update in SERIES_OF}


class Computed(Value):
    """A portfolio whose values a data node computes."""

    portfolio_name: Name
    data_node_update_id: int
    signal_data_node_update_id: int | None = None
    calendar_name: Label | None = None
    target_portfolio_about: PortfolioAbout = PortfolioAbout()
    backtest_table_price_column_name: Label = "close"


class ComputedPatch(Value):
    """Fields of a portfolio to change."""

    portfolio_name: Name | None = None
    data_node_update_id: int | None = None
    signal_data_node_update_id: int | None = None
    calendar_name: Label | None = None
    target_portfolio_about: PortfolioAbout | None = None
    backtest_table_price_column_name: Label | None = None
    builds_from_target_weights: bool | None = None
    builds_from_target_positions: bool | None = None


def listing(call: Call) -> PageShape:
    """List portfolios."""
    given = spelt_out(filters_of(call), PORTFOLIO_LOOKUPS | _LOOKUPS, PORTFOLIO_ALIASES | SERIES_OF)
    filters = dict(_by_series(call, name, value) for name, value in given.items())
    found = call.ask(contract.QUERY, Query.parse({"filters": filters, **window_of(call)}))
    return page(call, found, lambda records: [shapes.portfolio(record) for record in records])


def _by_series(call: Call, name: str, value: Any) -> tuple[str, Any]:
    """Write a filter on the update of a data node as one on the series."""
    update, _, lookup = name.partition("__")
    field = SERIES_OF.get(update)
    if field is None:
        return name, value
    if lookup in ("id", "id__in"):
        ids = value if isinstance(value, list) else [value]
        return f"{field}__in", sorted(_series(call, ids).values())
    return f"{field}__{lookup}" if lookup else field, value


def _series(call: Call, ids: list[int]) -> dict[int, str]:
    """Give the identifiers of the series that exist, by id."""
    found = call.ask(series_contract.QUERY, Query(filters={"id__in": ids}, limit=MAX_PAGE))
    return {each.id: each.unique_identifier for each in found.results}


def one(call: Call) -> PortfolioShape:
    """Read one portfolio."""
    return shapes.portfolio(call.ask(contract.GET, None, key=call.key))


def create(call: Call) -> dict[str, Any]:
    """Register a portfolio with its index asset; the same once more, as after a lost answer, is the one that exists."""
    wanted = Computed.parse(_spoken(call))
    fields = _fields(call, wanted)
    identifier = identifier_from_name(wanted.portfolio_name)
    made = call.ask(contract.GET_OR_CREATE, PortfolioCreation.parse(fields | {"unique_identifier": identifier}))
    if made.values_series != fields["values_series"]:
        raise ConflictError(
            f"The portfolio {identifier!r} exists, and holds what another data node computes.",
            hint="Give it another portfolio_name.",
        )
    return {
        "portfolio": shapes.portfolio(made),
        "portfolio_index_asset": shapes.index_asset(made.index_asset, made.id),
    }


def patch(call: Call) -> PortfolioShape:
    """Change fields of a portfolio."""
    changed = contract.PortfolioPatch.parse(_fields(call, ComputedPatch.parse(_spoken(call))))
    return shapes.portfolio(call.ask(contract.PATCH, changed, key=call.key))


def _spoken(call: Call) -> dict[str, Any]:
    """Give the fields that say something; what a portfolio says of itself is left out where it is blank."""
    given = {name: value for name, value in call.fields().items() if value is not None}
    about = given.get("target_portfolio_about")
    if isinstance(about, dict):
        given["target_portfolio_about"] = {name: value for name, value in about.items() if value}
    return given


def _fields(call: Call, given: Value) -> dict[str, Any]:
    """Write fields in the platform's words."""
    fields = given.model_dump(include=given.model_fields_set)
    updates = {field: fields.pop(f"{name}_id") for name, field in SERIES_OF.items() if f"{name}_id" in fields}
    known = _series(call, list(updates.values())) if updates else {}
    missing = sorted(set(updates.values()) - known.keys())
    if missing:
        raise NotFoundError(f"There is no series with id {missing[0]}.", hint="Data node updates are series here.")
    if "portfolio_name" in fields:
        fields["display_name"] = fields.pop("portfolio_name")
    if "target_portfolio_about" in fields:
        about = fields.pop("target_portfolio_about")
        fields |= {"about": about, "description": about["description"]}
    return fields | {field: known[each] for field, each in updates.items()}


def latest_weights(call: Call) -> dict[str, Any]:
    """Read what a portfolio holds, and since when in seconds."""
    held = call.ask(contract.LATEST_WEIGHTS, None, key=call.key)
    if held.weights_date is None:
        raise NotFoundError("The portfolio holds nothing yet: no weights are stored.", hint="Run it first.")
    return {"weights": held.weights, "weights_date": held.weights_date.timestamp()}


def add_venue(call: Call) -> PortfolioShape:
    """Name a venue that a portfolio is traded on."""
    named = contract.VenueEdit.parse(call.fields())
    return shapes.portfolio(call.ask(contract.ADD_VENUE, named, key=call.key))


def delete(call: Call) -> None:
    """Delete a portfolio that no group and no universe holds."""
    call.ask_once(contract.DELETE, None, key=call.key)


_ALL, _ONE = "/orm/api/assets/target_portfolio/", "/orm/api/assets/target_portfolio/{key}/"

FACES = (
    Face("GET", _ALL, listing),
    Face("POST", f"{_ALL}query/", listing),
    Face("GET", _ONE, one),
    Face("POST", f"{_ALL}create_from_time_series/", create, HTTPStatus.CREATED),
    Face("PATCH", _ONE, patch),
    Face("DELETE", _ONE, delete, HTTPStatus.NO_CONTENT),
    Face("GET", f"{_ONE}get_latest_weights/", latest_weights),
    Face("PATCH", f"{_ONE}add_venue/", add_venue),
)
