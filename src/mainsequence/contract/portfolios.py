"""Everything that can be done with portfolios and groups of them."""

from types import NoneType
from typing import Self, TypeVar

from pydantic import model_validator

from mainsequence.contract.operation import reading, writing
from mainsequence.contract.queries import Query
from mainsequence.domain.identifiers import Description, JsonObject, Label, Name, UniqueIdentifier
from mainsequence.domain.portfolios import (
    GroupCreation,
    GroupRecord,
    LatestWeights,
    PortfolioAbout,
    PortfolioCreation,
    PortfolioRecord,
    Source,
    VenueId,
)
from mainsequence.domain.values import Page, Value, listed
from mainsequence.errors import ValidationError

_NULLABLE = {"description", "calendar_name", "values_series", "weights_series", "signal_series", "portfolios"}
Patch = TypeVar("Patch", bound=Value)


def refuse_nulls(patch: Patch, nullable: set[str]) -> Patch:
    """Refuse a change that sets a field to null which always has a value.

    Raises
    ------
    ValidationError
        Names the fields.
    """
    emptied = sorted(name for name in patch.model_fields_set - nullable if getattr(patch, name) is None)
    if emptied:
        raise ValidationError(f"{listed(emptied)} cannot be null.", hint="Leave a field out to keep what it is.")
    return patch


class PortfolioPatch(Value):
    """Fields to change."""

    display_name: Name | None = None
    description: Description | None = None
    calendar_name: Label | None = None
    values_series: UniqueIdentifier | None = None
    weights_series: UniqueIdentifier | None = None
    signal_series: UniqueIdentifier | None = None
    backtest_table_price_column_name: Label | None = None
    builds_from_target_weights: bool | None = None
    builds_from_target_positions: bool | None = None
    about: PortfolioAbout | None = None
    configuration: JsonObject | None = None
    manifest: JsonObject | None = None

    @model_validator(mode="after")
    def _keeps_what_is_required(self) -> Self:
        return refuse_nulls(self, _NULLABLE)


class VenueEdit(Value):
    """A venue to name for a portfolio or to take from it."""

    venue_id: VenueId


class GroupPatch(Value):
    """Descriptions to change, and portfolios to replace in one step."""

    display_name: Name | None = None
    source: Source | None = None
    description: Description | None = None
    portfolios: list[int] | None = None

    @model_validator(mode="after")
    def _keeps_what_is_required(self) -> Self:
        return refuse_nulls(self, _NULLABLE)


class GroupEdit(Value):
    """Portfolios to put into a group or to take out."""

    portfolios: list[int]


_ALL, _ONE = "/portfolios", "/portfolios/{key}"

QUERY = reading(
    "POST", f"{_ALL}/query", "portfolios.query", Query, Page[PortfolioRecord], "Find portfolios, page by page."
)
GET = reading("GET", _ONE, "portfolios.get", NoneType, PortfolioRecord, "Read one portfolio.")
CREATE = writing(
    "POST",
    _ALL,
    "portfolios.create",
    PortfolioCreation,
    PortfolioRecord,
    "Register a portfolio whose identifier is not taken, and its index asset.",
    retry_safe=False,
)
GET_OR_CREATE = writing(
    "POST",
    f"{_ALL}/get-or-create",
    "portfolios.get_or_create",
    PortfolioCreation,
    PortfolioRecord,
    "Read the portfolio with this identifier, or register it; one that exists is returned unchanged.",
)
PUBLISH = writing(
    "PUT",
    _ALL,
    "portfolios.publish",
    PortfolioCreation,
    PortfolioRecord,
    "Register a portfolio, or make the registered one exactly this.",
)
PATCH = writing("PATCH", _ONE, "portfolios.patch", PortfolioPatch, PortfolioRecord, "Change fields of a portfolio.")
DELETE = writing(
    "DELETE", _ONE, "portfolios.delete", NoneType, NoneType, "Delete a portfolio that no group and no universe holds."
)
LATEST_WEIGHTS = reading(
    "GET", f"{_ONE}/latest-weights", "portfolios.latest_weights", NoneType, LatestWeights, "Read what it holds."
)
ADD_VENUE = writing(
    "POST",
    f"{_ONE}/add-venue",
    "portfolios.add_venue",
    VenueEdit,
    PortfolioRecord,
    "Name a venue that a portfolio is traded on.",
)
REMOVE_VENUE = writing(
    "POST",
    f"{_ONE}/remove-venue",
    "portfolios.remove_venue",
    VenueEdit,
    PortfolioRecord,
    "Take a venue from a portfolio; one that it does not have is left alone.",
)

_GROUPS, _GROUP = "/portfolio-groups", "/portfolio-groups/{key}"

QUERY_GROUPS = reading(
    "POST", f"{_GROUPS}/query", "portfolio_groups.query", Query, Page[GroupRecord], "Find groups, page by page."
)
GET_GROUP = reading("GET", _GROUP, "portfolio_groups.get", NoneType, GroupRecord, "Read one group.")
CREATE_GROUP = writing(
    "POST",
    _GROUPS,
    "portfolio_groups.create",
    GroupCreation,
    GroupRecord,
    "Create a group whose identifier is not taken.",
    retry_safe=False,
)
GET_OR_CREATE_GROUP = writing(
    "POST",
    f"{_GROUPS}/get-or-create",
    "portfolio_groups.get_or_create",
    GroupCreation,
    GroupRecord,
    "Read the group with this identifier, or create it; one that exists is returned unchanged.",
)
PATCH_GROUP = writing(
    "PATCH", _GROUP, "portfolio_groups.patch", GroupPatch, GroupRecord, "Change descriptions or portfolios."
)
DELETE_GROUP = writing(
    "DELETE", _GROUP, "portfolio_groups.delete", NoneType, NoneType, "Delete a group; its portfolios stay."
)
APPEND_PORTFOLIOS = writing(
    "POST",
    f"{_GROUP}/append-portfolios",
    "portfolio_groups.append_portfolios",
    GroupEdit,
    GroupRecord,
    "Put portfolios into a group.",
)
REMOVE_PORTFOLIOS = writing(
    "POST",
    f"{_GROUP}/remove-portfolios",
    "portfolio_groups.remove_portfolios",
    GroupEdit,
    GroupRecord,
    "Take portfolios out of a group.",
)
