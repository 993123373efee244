"""Portfolios: finding, registering with their index asset, publishing, deleting, and what they hold."""

from typing import Any

from sqlalchemy import select

from mainsequence.contract import portfolios as contract
from mainsequence.contract.assets import AssetPatch, Registrations
from mainsequence.contract.queries import Query
from mainsequence.domain.assets import AssetRecord, AssetRegistration, SnapshotFields
from mainsequence.domain.categories import Reference
from mainsequence.domain.lookups import parse_lookups
from mainsequence.domain.portfolios import (
    INDEX_ASSET_TYPE,
    PORTFOLIO_ALIASES,
    PORTFOLIO_LOOKUPS,
    PORTFOLIO_REFERENCE,
    LatestWeights,
    PortfolioCreation,
    PortfolioRecord,
)
from mainsequence.domain.series import SeriesQuery
from mainsequence.domain.times import from_micros
from mainsequence.domain.values import Page, listed
from mainsequence.errors import AlreadyExistsError, InUseError, NotFoundError
from mainsequence.platform import rights
from mainsequence.platform.registry import assets as asset_registry
from mainsequence.platform.registry import categories as category_registry
from mainsequence.platform.registry import ledger, portfolio_groups
from mainsequence.platform.registry import portfolios as registry
from mainsequence.platform.registry import series as series_registry
from mainsequence.platform.registry.lookups import conditions
from mainsequence.platform.registry.sets import within
from mainsequence.platform.registry.sharing import seen_by
from mainsequence.platform.registry.tables import category, portfolio
from mainsequence.platform.services import assets as assets_service
from mainsequence.platform.services import memberships
from mainsequence.platform.services.paging import page_by_id
from mainsequence.platform.work import Work, carries_out

_MAX_TICKER = 50


@carries_out(contract.QUERY)
def query(work: Work, body: Query) -> Page[PortfolioRecord]:
    """Find portfolios by lookups, in the order of their ids."""
    parsed = parse_lookups(body.filters, PORTFOLIO_LOOKUPS, PORTFOLIO_ALIASES)
    found = registry.selection().where(
        *seen_by(work.actor, portfolio), *conditions(work.connection, parsed, registry.COLUMNS)
    )
    return page_by_id(found, portfolio.c.id, body, lambda query: registry.read(work.connection, query))


@carries_out(contract.GET)
def get(work: Work, _body: None, *, key: int) -> PortfolioRecord:
    """Read one portfolio of the organization."""
    return registry.by_id(work.connection, work.actor, key)


def by_identifier(work: Work, unique_identifier: str) -> PortfolioRecord:
    """Read one portfolio of the organization by its unique identifier."""
    return registry.by_identifier(work.connection, work.actor, unique_identifier)


def _seen(work: Work, unique_identifier: str) -> PortfolioRecord:
    """Read the portfolio that has an identifier; one that is hidden has taken it all the same."""
    try:
        return by_identifier(work, unique_identifier)
    except NotFoundError:
        raise rights.taken("portfolio", unique_identifier) from None


@carries_out(contract.CREATE)
def create(work: Work, body: PortfolioCreation) -> PortfolioRecord:
    """Register a portfolio whose identifier is not taken."""
    if registry.exists(work.connection, work.organization_id, body.unique_identifier):
        raise AlreadyExistsError(
            f"A portfolio {body.unique_identifier!r} exists already.",
            hint="Portfolio.get(unique_identifier=…) reads it; get_or_create finds or creates.",
        )
    return _register(work, body)


@carries_out(contract.GET_OR_CREATE)
def get_or_create(work: Work, body: PortfolioCreation) -> PortfolioRecord:
    """Read the portfolio with this identifier, unchanged, or register it."""
    if registry.exists(work.connection, work.organization_id, body.unique_identifier):
        return _seen(work, body.unique_identifier)
    return _register(work, body)


@carries_out(contract.PUBLISH)
def publish(work: Work, body: PortfolioCreation) -> PortfolioRecord:
    """Register a portfolio, or make the one with this identifier exactly this; only that universe names it a reader."""
    if not registry.exists(work.connection, work.organization_id, body.unique_identifier):
        return _register(work, body)
    record = _seen(work, body.unique_identifier)
    rights.check_edit(work.connection, work.actor, "portfolio", record.id)
    _change(work, record, body.model_dump(mode="json", exclude={"universe", "reader", "unique_identifier"}))
    _read_universe(work, body)
    return get(work, None, key=record.id)


def _register(work: Work, body: PortfolioCreation) -> PortfolioRecord:
    index_asset_id = _index_asset(work, body)
    registry.create(work.connection, work.actor, body, index_asset_id, work.now)
    _read_universe(work, body)
    return by_identifier(work, body.unique_identifier)


def _index_asset(work: Work, body: PortfolioCreation) -> int:
    """Register the asset that stands for a portfolio; one left by a deleted portfolio comes back to life."""
    identifier = body.unique_identifier
    known = asset_registry.ids_by_identifier(work.connection, work.organization_id, [identifier])
    if known:
        _refuse_other_asset(work, known[identifier])
    snapshot = SnapshotFields(name=body.display_name, ticker=identifier[:_MAX_TICKER])
    wanted = AssetRegistration(
        unique_identifier=identifier,
        security_type=INDEX_ASSET_TYPE,
        security_market_sector="Index",
        calendar_name=body.calendar_name,
        snapshot=snapshot,
    )
    registered = assets_service.register(work, Registrations(assets=[wanted]))[0]
    _follow(work, registered, {"name": body.display_name, "calendar_name": body.calendar_name})
    return registered.id


def _follow(work: Work, asset: AssetRecord, facts: dict[str, Any]) -> None:
    """Let an index asset say what its portfolio says; nothing is written where it does."""
    changed = {name: value for name, value in facts.items() if value != getattr(asset, name)}
    if changed:
        assets_service.patch(work, AssetPatch(**changed), key=asset.id)


def _refuse_other_asset(work: Work, asset_id: int) -> None:
    found = assets_service.get(work, None, key=asset_id)
    if found.security_type != INDEX_ASSET_TYPE:
        raise AlreadyExistsError(
            f"An asset {found.unique_identifier!r} exists already and is no portfolio.",
            hint="A portfolio is itself an asset under its own identifier: choose another one.",
        )


def _read_universe(work: Work, body: PortfolioCreation) -> None:
    """Name the portfolio among the readers of its universe, and of no other."""
    reference = Reference(kind=PORTFOLIO_REFERENCE, identifier=body.unique_identifier, about=body.reader)
    category_registry.drop_reference(work.connection, _own_universes(work), reference)
    if body.universe is not None:
        found = category_registry.by_identifier(work.connection, work.actor, body.universe)
        category_registry.register_reference(work.connection, found.id, reference, work.now)


def _own_universes(work: Work) -> list[int]:
    return list(
        work.connection.scalars(select(category.c.id).where(category.c.organization_id == work.organization_id))
    )


@carries_out(contract.PATCH)
def patch(work: Work, body: contract.PortfolioPatch, *, key: int) -> PortfolioRecord:
    """Change fields of a portfolio; its index asset follows its name and calendar."""
    record = get(work, None, key=key)
    _change(work, record, body.model_dump(mode="json", include=body.model_fields_set))
    return get(work, None, key=key)


def _change(work: Work, record: PortfolioRecord, fields: dict[str, Any]) -> None:
    registry.change(work.connection, record.id, fields)
    told = {"display_name": "name", "calendar_name": "calendar_name"}
    _follow(work, record.index_asset, {told[name]: value for name, value in fields.items() if name in told})


@carries_out(contract.ADD_VENUE)
def add_venue(work: Work, body: contract.VenueEdit, *, key: int) -> PortfolioRecord:
    """Name a venue that a portfolio is traded on; one that it has stays."""
    registry.add_venue(work.connection, get(work, None, key=key).id, body.venue_id)
    return get(work, None, key=key)


@carries_out(contract.REMOVE_VENUE)
def remove_venue(work: Work, body: contract.VenueEdit, *, key: int) -> PortfolioRecord:
    """Take a venue from a portfolio; one that it does not have is left alone."""
    registry.remove_venue(work.connection, get(work, None, key=key).id, body.venue_id)
    return get(work, None, key=key)


@carries_out(contract.DELETE)
def delete(work: Work, _body: None, *, key: int) -> None:
    """Delete a portfolio, unless a group or a universe holds it; its index asset retires, its series stay."""
    record = get(work, None, key=key)
    _refuse_if_held(work, record)
    reference = Reference(kind=PORTFOLIO_REFERENCE, identifier=record.unique_identifier)
    category_registry.drop_reference(work.connection, _own_universes(work), reference)
    # The row of the index asset stays, so that the past of a universe that once held it stays readable.
    registry.erase(work.connection, key)
    memberships.retire(work, None, key=record.index_asset.id)


def _refuse_if_held(work: Work, record: PortfolioRecord) -> None:
    groups = [f"portfolio group {name}" for name in portfolio_groups.holding(work.connection, record.id)]
    seen, every = (
        ledger.universes_of(work.connection, record.index_asset.id, who) for who in (work.actor, work.steward)
    )
    found = category_registry.selection().where(within(work.connection, category.c.id, seen))
    universes = [f"asset category {each.unique_identifier}" for each in category_registry.read(work.connection, found)]
    holders = groups + rights.named(universes, len(every))
    if holders:
        raise InUseError(
            f"The portfolio {record.unique_identifier!r} is held by {listed(holders)}.",
            hint="Take it out of those first.",
            referrers=holders,
        )


@carries_out(contract.LATEST_WEIGHTS)
def latest_weights(work: Work, _body: None, *, key: int) -> LatestWeights:
    """Read what a portfolio holds at its last stamp."""
    record = get(work, None, key=key)
    if record.values_series is None or record.weights_series is None:
        return LatestWeights(weights={})
    last = _last_stamp(work, record.values_series)
    if last is None:
        return LatestWeights(weights={})
    at = from_micros(last)
    rows = _read(work, record.weights_series, start=at, columns=("weight_current",)).to_pylist()
    held = {row["unique_identifier"]: row["weight_current"] for row in rows if row["time_index"] == at}
    return LatestWeights(weights={name: each for name, each in held.items() if each}, weights_date=at)


def _last_stamp(work: Work, series: str) -> int | None:
    table = _read(work, series, last_per_asset=True, columns=("close",))
    stamps = table.column("time_index").cast("int64").to_pylist()
    return stamps[-1] if stamps else None


def _read(work: Work, series: str, **asked: Any) -> Any:
    record = series_registry.by_identifier(work.connection, work.organization_id, series)
    table = series_registry.storage_name(work.connection, work.organization_id, record.id)
    work.let_go()
    return work.lake.read(table, SeriesQuery(**asked))
