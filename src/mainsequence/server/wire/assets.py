"""Assets and the assets of portfolios, as the vendor's client asks for them."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from mainsequence.contract import assets as contract
from mainsequence.contract import portfolios as portfolio_contract
from mainsequence.contract.queries import MAX_PAGE, Query
from mainsequence.domain.assets import (
    ASSET_ALIASES,
    ASSET_LOOKUPS,
    AssetRecord,
    AssetRegistration,
    PricingDetail,
    SnapshotFields,
)
from mainsequence.domain.identifiers import Isin, Label
from mainsequence.domain.lookups import spelt_out
from mainsequence.domain.portfolios import INDEX_ASSET_TYPE
from mainsequence.domain.times import MICROS_PER_SECOND, from_micros, to_micros
from mainsequence.domain.values import Page, Value, trusted
from mainsequence.errors import AlreadyExistsError, MultipleFoundError, NotFoundError, ValidationError
from mainsequence.server.wire import shapes
from mainsequence.server.wire.exchange import Call, Face
from mainsequence.server.wire.paging import filters_of, page, window_of
from mainsequence.server.wire.shapes import AssetShape, Document, PageShape
from mainsequence.server.wire.upserts import update_or_create

_DATE = "pricing_details_date"


class Isolisting(Value):
    """A listing, by the ISIN of what is listed and where."""

    isin: Isin
    exchange_code: Label


class ReferencePortfolio(Value):
    """The portfolio that an asset stands for."""

    reference_portfolio: int


# -- reading


def listing(call: Call) -> PageShape:
    """List assets."""
    return page(call, _found(call), _shaped)


def _found(call: Call) -> Page[Document]:
    return found(call, spelt_out(filters_of(call), ASSET_LOOKUPS, ASSET_ALIASES))


def found(call: Call, filters: dict[str, Any]) -> Page[Document]:
    """Give the page of assets that is asked for, straight from their rows."""
    read = call.read(contract.QUERY, contract.AssetQuery.parse({"filters": filters, **window_of(call)}))
    return trusted(Page[Document], read)


def _shaped(assets: Sequence[AssetRecord | Document]) -> list[AssetShape]:
    return [shapes.asset(each) for each in assets]


def listing_with_class(call: Call) -> PageShape:
    """List assets, each with the class that this client is to make of it."""
    return page(call, _found(call), lambda documents: _classed(call, documents))


def _classed(call: Call, documents: list[Document]) -> list[AssetShape]:
    portfolios = portfolios_of(call, documents)
    return [_with_class(each, portfolios.get(each["unique_identifier"])) for each in documents]


def _with_class(document: Document, portfolio: int | None) -> AssetShape:
    if portfolio is None:
        return shapes.asset(document) | {"AssetClass": "Asset"}
    return shapes.index_asset(document, portfolio) | {"AssetClass": "PortfolioIndexAsset"}


def portfolios_of(call: Call, documents: list[Document]) -> dict[str, int]:
    """Give the ids of the portfolios that some of the assets stand for: they share their identifiers."""
    names = [each["unique_identifier"] for each in documents if each["security_type"] == INDEX_ASSET_TYPE]
    if not names:
        return {}
    wanted = Query(filters={"unique_identifier__in": names}, limit=MAX_PAGE)
    return {each.unique_identifier: each.id for each in call.ask(portfolio_contract.QUERY, wanted).results}


def one(call: Call) -> AssetShape:
    """Read one asset; one that was deleted is gone for this client."""
    record = call.ask(contract.GET, None, key=call.key)
    if record.retired_at is not None:
        raise NotFoundError(f"The asset {record.unique_identifier!r} was deleted.", hint="Its past stays readable.")
    return shapes.asset(record)


# -- registering


def create(call: Call) -> AssetShape:
    """Register a new asset; the same asset once more, as after a lost answer, is the one that exists."""
    wanted = _registration(call.fields())
    try:
        return shapes.asset(call.ask(contract.CREATE, wanted))
    except AlreadyExistsError:
        found = _registered(call, wanted.unique_identifier)
        if not _is(found, wanted):
            raise
    return shapes.asset(call.ask(contract.REGISTER, contract.Registrations(assets=[wanted]))[0])


def _registered(call: Call, unique_identifier: str) -> AssetRecord:
    named = {"unique_identifier": unique_identifier}
    return call.ask(contract.QUERY, contract.AssetQuery(filters=named, include_retired=True)).results[0]


def _is(record: AssetRecord, wanted: AssetRegistration) -> bool:
    names = wanted.snapshot or SnapshotFields(name=wanted.unique_identifier)
    said = record.model_dump(include=set(AssetRegistration.model_fields))
    called = record.current_snapshot.model_dump(include=set(SnapshotFields.model_fields))
    return said == wanted.model_dump(exclude={"snapshot"}) and called == names.model_dump()


def _registration(given: Any) -> AssetRegistration:
    """Read a registration; this client writes null where it has nothing to say."""
    if not isinstance(given, dict):
        raise ValidationError("An asset must be a JSON object.", hint='Send {"unique_identifier": …}.')
    return AssetRegistration.parse({name: value for name, value in given.items() if value is not None})


def register_many(call: Call) -> list[AssetShape]:
    """Register assets, or find them where they are registered already, in the order asked."""
    if not isinstance(call.body, list):
        raise ValidationError("The body must be a list of assets.", hint="Send [{…}, …].")
    return _register(call, [_registration(each) for each in call.body])


def register(call: Call) -> AssetShape:
    """Register one asset, or find it."""
    return _register(call, [_registration(call.fields())])[0]


def _register(call: Call, wanted: list[AssetRegistration]) -> list[AssetShape]:
    records: list[AssetRecord] = call.ask(contract.REGISTER, contract.Registrations(assets=wanted))
    return _shaped(records)


def register_figi(call: Call) -> AssetShape:
    """Register the instrument behind a FIGI, or find it."""
    return shapes.asset(call.ask(contract.REGISTER_FIGI, contract.FigiRegistration.parse(call.fields())))


def register_isin(call: Call) -> AssetShape:
    """Find the listing of an ISIN on an exchange, or register it under the two."""
    wanted = Isolisting.parse(call.fields())
    found = call.ask(contract.QUERY, contract.AssetQuery(filters=wanted.model_dump(), limit=2)).results
    if len(found) > 1:
        raise MultipleFoundError(
            f"Several assets have the ISIN {wanted.isin} on {wanted.exchange_code}.", hint="Get one by its FIGI."
        )
    if found:
        return shapes.asset(found[0])
    snapshot = SnapshotFields(name=wanted.isin, exchange_code=wanted.exchange_code)
    identifier = f"{wanted.isin}.{wanted.exchange_code}"
    return _register(call, [AssetRegistration(unique_identifier=identifier, isin=wanted.isin, snapshot=snapshot)])[0]


# -- changing


def patch(call: Call) -> AssetShape:
    """Change fields; what a snapshot names opens a new one."""
    given = dict(call.fields())
    names = given.pop("snapshot", None) or {}
    if not isinstance(names, dict):
        raise ValidationError("snapshot must be a JSON object.")
    return shapes.asset(call.ask(contract.PATCH, contract.AssetPatch.parse(given | names), key=call.key))


def delete(call: Call) -> None:
    """Retire an asset; it leaves every universe."""
    call.ask(contract.RETIRE, None, key=call.key)


def set_pricing(call: Call) -> dict[str, Any]:
    """Store the pricing terms: the body is the terms, and may hold their date as a number of seconds."""
    dump = dict(call.fields())
    at = _priced_at(call, dump.pop(_DATE, None))
    detail = PricingDetail.parse({"instrument_dump": dump, _DATE: from_micros(at)})
    call.ask(contract.SET_PRICING, detail, key=call.key)
    return {"instrument_dump": dump, _DATE: at / MICROS_PER_SECOND}


def _priced_at(call: Call, given: Any) -> int:
    if given is None:
        return call.platform.clock()
    if isinstance(given, str):
        return to_micros(given, _DATE)
    if isinstance(given, bool) or not isinstance(given, int | float) or not abs(given) < 1e11:
        raise ValidationError(f"{_DATE} must be seconds since 1970 or a time in ISO 8601, got {str(given)[:40]}.")
    return round(given * MICROS_PER_SECOND)


def clear_pricing(call: Call) -> AssetShape:
    """Drop the pricing terms."""
    return shapes.asset(call.ask(contract.CLEAR_PRICING, None, key=call.key))


# -- the assets of portfolios


def index_asset_of(call: Call) -> shapes.IndexAssetShape:
    """Give the asset that stands for a portfolio: every portfolio has one."""
    wanted = ReferencePortfolio.parse(call.fields())
    record = call.ask(portfolio_contract.GET, None, key=wanted.reference_portfolio)
    return shapes.index_asset(record.index_asset, record.id)


ASSETS, ONE = "/orm/api/assets/asset/", "/orm/api/assets/asset/{key}/"

FACES = (
    Face("GET", f"{ASSETS}list_with_asset_class/", listing_with_class),
    Face("GET", ASSETS, listing),
    Face("GET", ONE, one),
    Face("POST", f"{ASSETS}query/", listing),
    Face("POST", ASSETS, create, HTTPStatus.CREATED),
    update_or_create(ASSETS, contract.QUERY, create, patch),
    Face("POST", f"{ASSETS}batch_get_or_register_custom_assets/", register_many),
    Face("POST", f"{ASSETS}get_or_register_custom_asset/", register),
    Face("POST", f"{ASSETS}register_asset_from_figi/", register_figi),
    Face("POST", f"{ASSETS}get_or_register_from_isin/", register_isin),
    Face("POST", f"{ASSETS}create_or_update_index_asset_from_portfolios/", index_asset_of),
    Face("PATCH", ONE, patch),
    Face("DELETE", ONE, delete, HTTPStatus.NO_CONTENT),
    Face("POST", f"{ONE}set-asset-pricing-detail/", set_pricing),
    Face("PATCH", f"{ONE}clear-asset-pricing-details/", clear_pricing),
)
