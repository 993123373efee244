"""Objects in the shapes of the vendor's client, which refuses any key that it does not know."""

from typing import Any

from mainsequence.domain.assets import AssetRecord, AssetSnapshot, PricingDetail
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


class SnapshotShape(Value):
    """What an asset is called now."""

    asset: int
    effective_from: Instant
    effective_to: Instant | None
    name: str
    ticker: str | None
    exchange_code: str | None
    asset_ticker_group_id: str | None
    venue_specific_properties: dict[str, Any]


class PricingShape(Value):
    """Pricing terms; ``instrument_dump.instrument`` is an object."""

    instrument_dump: dict[str, Any]
    pricing_details_date: Instant


class AssetShape(Value):
    """An asset."""

    id: int
    unique_identifier: str
    figi: str | None
    composite: str | None
    share_class: str | None
    isin: str | None
    security_type: str | None
    security_type_2: str | None
    security_market_sector: str | None
    is_tradable: bool
    is_custom_by_organization: bool
    current_snapshot: SnapshotShape
    current_pricing_detail: PricingShape | None


class IndexAssetShape(AssetShape):
    """The asset that stands for a portfolio."""

    reference_portfolio: int


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


_IDENTITY = tuple(name for name in AssetShape.model_fields if not name.startswith("current_"))


def asset(record: AssetRecord) -> AssetShape:
    """Give an asset in its shape."""
    return trusted(AssetShape, _asset(record))


def index_asset(record: AssetRecord, portfolio: int) -> IndexAssetShape:
    """Give the asset of a portfolio in its shape."""
    return trusted(IndexAssetShape, _asset(record) | {"reference_portfolio": portfolio})


def _asset(record: AssetRecord) -> dict[str, Any]:
    fields = {name: getattr(record, name) for name in _IDENTITY}
    fields["current_snapshot"] = _snapshot(record.id, record.current_snapshot)
    fields["current_pricing_detail"] = _pricing(record.current_pricing_detail)
    return fields


def _snapshot(asset_id: int, snapshot: AssetSnapshot) -> SnapshotShape:
    since = ALWAYS if snapshot.effective_from is None else snapshot.effective_from
    return trusted(SnapshotShape, {"asset": asset_id, **snapshot.__dict__, "effective_from": since})


def _pricing(detail: PricingDetail | None) -> PricingShape | None:
    """Leave out terms without an instrument: this client would have them deleted."""
    if detail is None or not isinstance(detail.instrument_dump.get("instrument"), dict):
        return None
    return trusted(PricingShape, dict(detail.__dict__))


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
