"""Objects in the shapes of the vendor's client, which refuses any key that it does not know."""

from typing import Any, TypeAlias

from mainsequence.domain.assets import AssetRecord
from mainsequence.domain.categories import CategoryRecord
from mainsequence.domain.portfolios import GroupRecord, PortfolioRecord
from mainsequence.domain.routing import AssetTranslationRule, TranslationTableRecord
from mainsequence.domain.times import Instant, to_datetime
from mainsequence.domain.values import Value, trusted

ALWAYS = to_datetime("1900-01-01")
"""Since when names hold that were never changed: this client wants a time."""


class PageShape(Value):
    """One page of a listing."""

    count: int | None = None
    next: str | None = None
    previous: None = None
    results: list[Any]


AssetShape: TypeAlias = dict[str, Any]
"""An asset; a mapping, as listings hold thousands. Its keys are those of `asset`, and no others."""

IndexAssetShape: TypeAlias = dict[str, Any]
"""The asset that stands for a portfolio: an asset and its ``reference_portfolio``."""

Document: TypeAlias = dict[str, Any]
"""An asset as it is written straight from its row: plain JSON."""


class CategoryShape(Value):
    """A universe with the ids of its members now."""

    id: int
    unique_identifier: str
    display_name: str
    assets: list[int]
    description: str | None


class RuleShape(Value):
    """A rule of a translation table; the filter is what was sent."""

    id: int | None
    asset_filter: dict[str, str | None]
    markets_time_serie_unique_identifier: str
    target_exchange_code: str | None
    default_column_name: str


class TableShape(Value):
    """A translation table."""

    id: int
    unique_identifier: str
    rules: list[RuleShape]


class PortfolioShape(Value):
    """A portfolio; the updates of data nodes are not told, as this platform keeps none."""

    id: int
    data_node_update: None = None
    signal_data_node_update: None = None
    calendar: dict[str, str] | None
    creation_date: Instant | None
    index_asset: IndexAssetShape
    backtest_table_price_column_name: str
    builds_from_target_weights: bool
    builds_from_target_positions: bool


class GroupShape(Value):
    """A group of portfolios."""

    id: int
    unique_identifier: str
    display_name: str
    source: str
    portfolios: list[int]
    description: str | None


def asset(found: AssetRecord | Document) -> AssetShape:
    """Give an asset in its shape."""
    fields = found if isinstance(found, dict) else document(found)
    return {
        "id": fields["id"],
        "unique_identifier": fields["unique_identifier"],
        "figi": fields["figi"],
        "composite": fields["composite"],
        "share_class": fields["share_class"],
        "isin": fields["isin"],
        "security_type": fields["security_type"],
        "security_type_2": fields["security_type_2"],
        "security_market_sector": fields["security_market_sector"],
        "is_tradable": fields["is_tradable"],
        "is_custom_by_organization": fields["is_custom_by_organization"],
        "current_snapshot": _snapshot(fields["id"], fields["current_snapshot"]),
        "current_pricing_detail": _pricing(fields["current_pricing_detail"]),
    }


def index_asset(found: AssetRecord | Document, portfolio: int) -> IndexAssetShape:
    """Give the asset of a portfolio in its shape."""
    return asset(found) | {"reference_portfolio": portfolio}


def document(record: AssetRecord) -> Document:
    """Give the document of a record."""
    detail = record.current_pricing_detail
    return record.__dict__ | {
        "current_snapshot": record.current_snapshot.__dict__,
        "current_pricing_detail": None if detail is None else detail.__dict__,
    }


def _snapshot(asset_id: int, names: Document) -> dict[str, Any]:
    since = names["effective_from"]
    return {
        "asset": asset_id,
        "name": names["name"],
        "ticker": names["ticker"],
        "exchange_code": names["exchange_code"],
        "asset_ticker_group_id": names["asset_ticker_group_id"],
        "venue_specific_properties": names["venue_specific_properties"],
        "effective_from": ALWAYS if since is None else since,
        "effective_to": names["effective_to"],
    }


def _pricing(detail: Document | None) -> dict[str, Any] | None:
    """Leave out terms without an instrument: this client would have them deleted."""
    if detail is None or not isinstance(detail["instrument_dump"].get("instrument"), dict):
        return None
    return {"instrument_dump": detail["instrument_dump"], "pricing_details_date": detail["pricing_details_date"]}


def category(record: CategoryRecord, members: list[int]) -> CategoryShape:
    """Give a universe in its shape."""
    fields = {name: getattr(record, name) for name in ("id", "unique_identifier", "display_name", "description")}
    return trusted(CategoryShape, fields | {"assets": members})


def table(record: TranslationTableRecord) -> TableShape:
    """Give a translation table in its shape."""
    rules = [rule(each) for each in record.rules]
    return TableShape(id=record.id, unique_identifier=record.unique_identifier, rules=rules)


def rule(given: AssetTranslationRule) -> RuleShape:
    """Give a rule in its shape: the filter's two usual fields, and others only where they were given."""
    usual: dict[str, str | None] = {"security_type": None, "security_market_sector": None}
    return RuleShape(**(dict(given.__dict__) | {"asset_filter": usual | given.asset_filter.conditions}))


def portfolio(record: PortfolioRecord) -> PortfolioShape:
    """Give a portfolio in its shape."""
    return PortfolioShape(
        id=record.id,
        calendar=None if record.calendar_name is None else {"name": record.calendar_name},
        creation_date=record.created_at.replace(hour=0, minute=0, second=0, microsecond=0),
        index_asset=index_asset(record.index_asset, record.id),
        backtest_table_price_column_name=record.backtest_table_price_column_name,
        builds_from_target_weights=record.builds_from_target_weights,
        builds_from_target_positions=record.builds_from_target_positions,
    )


def group(record: GroupRecord) -> GroupShape:
    """Give a group of portfolios in its shape."""
    return GroupShape(**{name: getattr(record, name) for name in GroupShape.model_fields})
