"""Assets: finding, registering, renaming and retiring."""

from datetime import datetime

from sqlalchemy import ColumnElement, or_, select

from mainsequence.contract import assets as contract
from mainsequence.domain.assets import (
    ASSET_ALIASES,
    ASSET_LOOKUPS,
    CLASSIFICATION_FIELDS,
    SNAPSHOT_FIELDS,
    AssetClassification,
    AssetRecord,
    AssetRegistration,
    AssetSnapshot,
    PricingDetail,
    SnapshotFields,
)
from mainsequence.domain.lookups import parse_lookups
from mainsequence.domain.times import from_micros, open_datetime, start_micros, to_micros
from mainsequence.domain.values import Page, listed
from mainsequence.errors import AlreadyExistsError, InvalidIntervalError, NotFoundError, ValidationError
from mainsequence.platform.registry import assets as registry
from mainsequence.platform.registry import classifications
from mainsequence.platform.registry.lookups import conditions
from mainsequence.platform.registry.sets import large_join, value_set, within
from mainsequence.platform.registry.tables import asset
from mainsequence.platform.services.paging import page_of
from mainsequence.platform.work import Work, carries_out


@carries_out(contract.QUERY)
def query(work: Work, body: contract.AssetQuery) -> Page[AssetRecord]:
    """Find assets by lookups, in the order of their ids."""
    found = registry.selection().where(*chosen(work, body)).order_by(asset.c.id)
    return page_of(registry.read(work.connection, found.limit(body.limit + 1)), body.limit)


def chosen(work: Work, body: contract.AssetQuery) -> list[ColumnElement[bool]]:
    """Give the conditions of the assets that fit a query, from its page on."""
    parsed = parse_lookups(body.filters, ASSET_LOOKUPS, ASSET_ALIASES)
    found = [
        registry.is_of(work.connection, work.organization_id, parsed),
        asset.c.id > (0 if body.after is None else body.after),
        *conditions(work.connection, parsed, registry.COLUMNS),
    ]
    return found if body.include_retired else [*found, asset.c.retired_at.is_(None)]


@carries_out(contract.GET)
def get(work: Work, _body: None, *, key: int) -> AssetRecord:
    """Read one asset of the organization, retired or not."""
    found = registry.selection().where(asset.c.organization_id == work.organization_id, asset.c.id == key)
    for record in registry.read(work.connection, found):
        return record
    raise NotFoundError(f"There is no asset with id {key}.", hint="msc.Asset.filter(…) finds assets.")


@carries_out(contract.SNAPSHOTS)
def snapshots(work: Work, _body: None, *, key: int) -> list[AssetSnapshot]:
    """Read what an asset was called over time."""
    return registry.snapshots(work.connection, get(work, None, key=key).id)


@carries_out(contract.CLASSIFICATIONS)
def classified(work: Work, _body: None, *, key: int) -> list[AssetClassification]:
    """Read what an asset was classified as over time."""
    return classifications.history(work.connection, get(work, None, key=key).id)


@carries_out(contract.CREATE)
def create(work: Work, body: AssetRegistration) -> AssetRecord:
    """Register an asset whose identifier is not taken."""
    if registry.ids_by_identifier(work.connection, work.organization_id, [body.unique_identifier]):
        raise AlreadyExistsError(
            f"An asset {body.unique_identifier!r} exists already.",
            hint="Asset.get(unique_identifier=…) reads it; get_or_register_custom_asset(…) finds or creates.",
        )
    return register(work, contract.Registrations(assets=[body]))[0]


@carries_out(contract.REGISTER)
def register(work: Work, body: contract.Registrations) -> list[AssetRecord]:
    """Register what is not registered yet and give all that was named, in the order it was named.

    Assets that exist are returned unchanged; retired ones come back to life.
    """
    ids = register_ids(work, body)
    found = registry.selection().where(within(work.connection, asset.c.id, ids))
    with large_join(work.connection, len(ids)):
        records = {record.id: record for record in registry.read(work.connection, found)}
    return [records[each] for each in ids]


@carries_out(contract.REGISTER_IDS)
def register_ids(work: Work, body: contract.Registrations) -> list[int]:
    """Register like `register`, and give the ids."""
    wanted = [each.unique_identifier for each in body.assets]
    registry.hold_registration(work.connection, work.organization_id)
    known = registry.ids_by_identifier(work.connection, work.organization_id, wanted)
    new = {each.unique_identifier: each for each in body.assets if each.unique_identifier not in known}
    _refuse_contradictions(body.assets)
    registry.revive(work.connection, known.values())
    made = registry.register(work.connection, work.organization_id, list(new.values()), work.now)
    ids = known | made
    return [ids[identifier] for identifier in wanted]


def _refuse_contradictions(registrations: list[AssetRegistration]) -> None:
    first: dict[str, AssetRegistration] = {}
    differing = {
        each.unique_identifier
        for each in registrations
        if first.setdefault(each.unique_identifier, each) is not each and first[each.unique_identifier] != each
    }
    if differing:
        raise ValidationError(
            f"The batch names these assets twice with different fields: {listed(sorted(differing))}.",
            hint="Name each asset once; nothing was registered.",
        )


@carries_out(contract.REGISTER_FIGI)
def register_figi(work: Work, body: contract.FigiRegistration) -> AssetRecord:
    """Register the instrument behind a FIGI under that FIGI; one that is registered is returned unchanged."""
    known = registry.selection().where(
        asset.c.organization_id == work.organization_id,
        asset.c.retired_at.is_(None),
        or_(asset.c.unique_identifier == body.figi, asset.c.figi == body.figi),
    )
    for record in registry.read(work.connection, known.order_by(asset.c.unique_identifier != body.figi, asset.c.id)):
        return record
    return register(work, contract.Registrations(assets=[work.resolve_figi(body.figi)]))[0]


@carries_out(contract.PATCH)
def patch(work: Work, body: contract.AssetPatch, *, key: int) -> AssetRecord:
    """Change fields of an asset; of names, types and sectors, what held before stays readable."""
    registry.lock(work.connection, key)
    record = get(work, None, key=key)
    given = body.model_dump(include=body.model_fields_set - {"effective_from"})
    renamed = {name: given.pop(name) for name in SNAPSHOT_FIELDS if name in given}
    _reclassify(work, record, given, body.effective_from)
    registry.change(work.connection, key, given)
    _rename(work, record, renamed, body.effective_from)
    return get(work, None, key=key)


def _reclassify(work: Work, record: AssetRecord, given: dict[str, object], effective_from: datetime | None) -> None:
    """Keep what the types and sector were, where they change."""
    if any(given[name] != getattr(record, name) for name in CLASSIFICATION_FIELDS if name in given):
        since = classifications.beginning(work.connection, record.id)
        at = _beginning(work, record, "types and sector", since, effective_from)
        classifications.close(work.connection, record.id, at)


def _rename(work: Work, record: AssetRecord, renamed: dict[str, object], effective_from: datetime | None) -> None:
    current = record.current_snapshot
    named = current.model_dump(include=set(SNAPSHOT_FIELDS))
    if named | renamed == named:
        return
    at = _beginning(work, record, "names", start_micros(current.effective_from), effective_from)
    registry.open_snapshot(work.connection, record.id, SnapshotFields.parse(named | renamed), at)


def _beginning(work: Work, record: AssetRecord, what: str, since: int, effective_from: datetime | None) -> int:
    """Give when something new begins: after that which holds did, and not in the future."""
    at = work.now if effective_from is None else to_micros(effective_from, "effective_from")
    if at > work.now:
        raise InvalidIntervalError(
            f"New {what} of {record.unique_identifier} cannot begin in the future, at {effective_from}.",
            hint=f"Patch it when the day has come; {what} are those of now.",
        )
    if at <= since:
        raise InvalidIntervalError(
            f"The current {what} of {record.unique_identifier} hold since {open_datetime(since)}; "
            f"new ones cannot begin at {from_micros(at)}.",
            hint="Give a later effective_from.",
        )
    return at


@carries_out(contract.SET_PRICING)
def set_pricing(work: Work, body: PricingDetail, *, key: int) -> AssetRecord:
    """Store the pricing terms of an asset."""
    registry.lock(work.connection, key)
    get(work, None, key=key)
    priced_at = to_micros(body.pricing_details_date, "pricing_details_date")
    registry.set_pricing(work.connection, key, body, priced_at)
    return get(work, None, key=key)


@carries_out(contract.CLEAR_PRICING)
def clear_pricing(work: Work, _body: None, *, key: int) -> AssetRecord:
    """Drop the pricing terms of an asset."""
    get(work, None, key=key)
    registry.clear_pricing(work.connection, key)
    return get(work, None, key=key)


def unknown_ids(work: Work, ids: list[int], *, retired: bool = False) -> list[int]:
    """Give those of the ids that are no assets of the organization; retired ones count only where asked for."""
    query = select(asset.c.id).where(asset.c.organization_id == work.organization_id)
    known = query if retired else query.where(asset.c.retired_at.is_(None))
    return sorted(work.connection.scalars(value_set(work.connection, ids).except_(known)))
