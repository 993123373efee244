"""Everything that can be done with assets."""

from types import NoneType
from typing import Self

from pydantic import model_validator

from mainsequence.contract.operation import reading, writing
from mainsequence.contract.queries import Query
from mainsequence.domain.assets import (
    AssetClassification,
    AssetRecord,
    AssetRegistration,
    AssetSnapshot,
    PricingDetail,
)
from mainsequence.domain.identifiers import Figi, Isin, JsonObject, Label, Name
from mainsequence.domain.times import Instant
from mainsequence.domain.values import Page, Value, refuse_null


class AssetQuery(Query):
    """Which assets, and which page of them."""

    include_retired: bool = False


class AssetPatch(Value):
    """Fields to change; names, types and sectors change at ``effective_from`` (by default now), and keep their past."""

    figi: Figi | None = None
    composite: Figi | None = None
    share_class: Figi | None = None
    isin: Isin | None = None
    security_type: Label | None = None
    security_type_2: Label | None = None
    security_market_sector: Label | None = None
    is_tradable: bool | None = None
    calendar_name: Label | None = None
    name: Name | None = None
    ticker: Label | None = None
    exchange_code: Label | None = None
    asset_ticker_group_id: Figi | None = None
    venue_specific_properties: JsonObject | None = None
    effective_from: Instant | None = None

    @model_validator(mode="after")
    def _nothing_null(self) -> Self:
        refuse_null(self, "name", "is_tradable", "venue_specific_properties")
        return self


class Registrations(Value):
    """Assets to register, or to find where they are registered already."""

    assets: list[AssetRegistration]


class FigiRegistration(Value):
    """A FIGI to register."""

    figi: Figi


QUERY = reading("POST", "/assets/query", "assets.query", AssetQuery, Page[AssetRecord], "Find assets, page by page.")
GET = reading("GET", "/assets/{key}", "assets.get", NoneType, AssetRecord, "Read one asset, retired ones too.")
SNAPSHOTS = reading(
    "GET", "/assets/{key}/snapshots", "assets.snapshots", NoneType, list[AssetSnapshot], "Read its names over time."
)
CLASSIFICATIONS = reading(
    "GET",
    "/assets/{key}/classifications",
    "assets.classifications",
    NoneType,
    list[AssetClassification],
    "Read its types and sector over time.",
)
CREATE = writing(
    "POST", "/assets", "assets.create", AssetRegistration, AssetRecord, "Register a new asset.", retry_safe=False
)
REGISTER = writing(
    "POST",
    "/assets/register",
    "assets.register",
    Registrations,
    list[AssetRecord],
    "Register many assets, or find them; those that exist are returned unchanged, in the order asked.",
)
REGISTER_IDS = writing(
    "POST",
    "/assets/register-ids",
    "assets.register_ids",
    Registrations,
    list[int],
    "Register many assets, or find them, like /assets/register; gives their ids alone, in the order asked.",
)
REGISTER_FIGI = writing(
    "POST", "/assets/register-figi", "assets.register_figi", FigiRegistration, AssetRecord, "Register a FIGI."
)
PATCH = writing("PATCH", "/assets/{key}", "assets.patch", AssetPatch, AssetRecord, "Change fields of an asset.")
RETIRE = writing(
    "DELETE", "/assets/{key}", "assets.retire", NoneType, AssetRecord, "Retire an asset from every universe."
)
SET_PRICING = writing(
    "PUT", "/assets/{key}/pricing", "assets.set_pricing", PricingDetail, AssetRecord, "Store its pricing terms."
)
CLEAR_PRICING = writing(
    "DELETE", "/assets/{key}/pricing", "assets.clear_pricing", NoneType, AssetRecord, "Drop its pricing terms."
)
