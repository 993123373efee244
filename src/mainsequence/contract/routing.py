"""Everything that can be done with translation tables."""

from collections.abc import Iterator
from types import NoneType
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from mainsequence.contract.arrow import ArrowTable
from mainsequence.contract.operation import reading, writing
from mainsequence.contract.queries import Query
from mainsequence.domain.categories import AssetId
from mainsequence.domain.identifiers import UniqueIdentifier
from mainsequence.domain.routing import (
    AssetFilter,
    AssetRouting,
    AssetTranslationRule,
    CoverageFacts,
    Route,
    RouteStatus,
    RuleOverlap,
    TranslationTableRecord,
)
from mainsequence.domain.times import Instant
from mainsequence.domain.values import Page, Value, trusted

if TYPE_CHECKING:
    import pyarrow as pa

_FACTS = b"mainsequence.coverage"


class RuleEdit(Value):
    """Rules to give to a table: all or nothing.

    ``overlaps`` says what happens to a rule that lets a registered asset match two: ``refuse`` it, or ``accept`` it for
    clients that know no better; then rules of one filter with different targets stand beside each other too, and the
    coverage report flags them.
    """

    rules: list[AssetTranslationRule] = Field(default_factory=list)
    overlaps: Literal["refuse", "accept"] = "refuse"


class TableDeclaration(RuleEdit):
    """A table by its identifier, and rules that it must have."""

    unique_identifier: UniqueIdentifier


class RuleRemoval(Value):
    """Rules to take out, by their ids and by their filters: all or nothing."""

    rule_ids: list[int] = Field(default_factory=list)
    asset_filters: list[AssetFilter] = Field(default_factory=list)


class TableChange(Value):
    """A table after rules were given to it, what that changed, and overlaps that no asset shows yet."""

    table: TranslationTableRecord
    added: list[AssetTranslationRule]
    replaced: list[AssetTranslationRule]
    possible_overlaps: list[RuleOverlap]


class OneAsset(Value):
    """Which asset to route."""

    asset_id: AssetId


class CoverageQuery(Value):
    """Whom to route: assets by their ids, or the members of a universe at a time; one of the two.

    ``check_series`` also looks whether each routed series exists and holds the asset, and over which dates.
    """

    asset_ids: list[AssetId] | None = None
    category: str | None = Field(None, description="The universe's unique identifier")
    as_of: Instant | None = Field(None, description="When they are members; by default now")
    revision: int | None = Field(None, ge=0, description="As recorded at this revision; by default the head")
    check_series: bool = True


def with_facts(rows: "pa.Table", facts: CoverageFacts) -> "pa.Table":
    """Write into a coverage report's rows what goes with them."""
    return rows.replace_schema_metadata({_FACTS: facts.model_dump_json()})


def facts_of(rows: "pa.Table") -> CoverageFacts:
    """Read what goes with a coverage report's rows."""
    return CoverageFacts.model_validate_json((rows.schema.metadata or {})[_FACTS])


def coverage_schema() -> "pa.Schema":
    """Give the columns of a coverage report: one row for each asset, in the order of their ids."""
    import pyarrow as pa

    name = pa.dictionary(pa.int32(), pa.string())
    stamp = pa.timestamp("us", "UTC")
    return pa.schema(
        [
            pa.field("asset_id", pa.int64(), nullable=False),
            pa.field("unique_identifier", pa.string(), nullable=False),
            pa.field("status", name, nullable=False),
            pa.field("rule_ids", pa.list_(pa.int64()), nullable=False),
            pa.field("series", name),
            pa.field("series_unique_identifier", pa.string()),
            pa.field("exchange_code", name),
            pa.field("column_name", name),
            pa.field("listings", pa.list_(pa.string())),
            pa.field("first", stamp),
            pa.field("last", stamp),
            pa.field("count", pa.int64()),
        ]
    )


def routings_of(rows: "pa.Table") -> Iterator[AssetRouting]:
    """Give a coverage report's rows one by one."""
    return map(_routing, rows.to_pylist())


def _routing(row: dict[str, Any]) -> AssetRouting:
    status, rule_ids = RouteStatus(row["status"]), tuple(row["rule_ids"])
    fields = {name: row[name] for name in ("asset_id", "unique_identifier", "first", "last", "count")}
    fields |= {"status": status, "rule_ids": rule_ids, "listings": tuple(row["listings"] or ())}
    fields["route"] = None if row["series_unique_identifier"] is None else _route(row)
    return trusted(AssetRouting, fields)


def _route(row: dict[str, Any]) -> Route:
    return trusted(
        Route,
        {
            "asset_unique_identifier": row["unique_identifier"],
            "markets_time_serie_unique_identifier": row["series"],
            "unique_identifier": row["series_unique_identifier"],
            "exchange_code": row["exchange_code"],
            "column_name": row["column_name"],
            "rule_id": row["rule_ids"][0],
        },
    )


_ALL, _ONE = "/asset-translation-tables", "/asset-translation-tables/{key}"

QUERY = reading(
    "POST", f"{_ALL}/query", "routing.query", Query, Page[TranslationTableRecord], "Find translation tables."
)
GET = reading("GET", _ONE, "routing.get", NoneType, TranslationTableRecord, "Read one translation table.")
GET_OR_CREATE = writing(
    "POST",
    f"{_ALL}/get-or-create",
    "routing.get_or_create",
    TableDeclaration,
    TableChange,
    "Read the table with this identifier, or create it, and let it have these rules.",
)
DELETE = writing("DELETE", _ONE, "routing.delete", NoneType, NoneType, "Delete a table that nothing refers to.")
ADD_RULES = writing(
    "POST",
    f"{_ONE}/add-rules",
    "routing.add_rules",
    RuleEdit,
    TableChange,
    "Add rules; one whose filter the table has already replaces the rule of that filter.",
)
REMOVE_RULES = writing(
    "POST", f"{_ONE}/remove-rules", "routing.remove_rules", RuleRemoval, TranslationTableRecord, "Take rules out."
)
EVALUATE_ASSET = reading(
    "GET", f"{_ONE}/route", "routing.evaluate_asset", OneAsset, Route, "Find the one route of one asset."
)
COVERAGE = reading(
    "POST",
    f"{_ONE}/coverage",
    "routing.coverage",
    CoverageQuery,
    ArrowTable,
    "Route many assets at once and report what became of each (see `coverage_schema`, `facts_of`).",
)
