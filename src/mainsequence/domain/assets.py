"""Identity: what an instrument is, under a key that never changes, and what it is called at a time."""

from pydantic import Field

from mainsequence.domain.identifiers import Figi, Isin, JsonObject, Label, Name, UniqueIdentifier
from mainsequence.domain.lookups import EXACT_ONLY, IDENTIFYING, LISTED, FieldLookups
from mainsequence.domain.times import Instant
from mainsequence.domain.values import Value

CLASSIFICATION_FIELDS = ("security_type", "security_type_2", "security_market_sector")

ASSET_LOOKUPS = {
    "id": FieldLookups(LISTED, int),
    **dict.fromkeys(("unique_identifier", "figi", "composite", "share_class", "isin"), FieldLookups(IDENTIFYING)),
    **dict.fromkeys(CLASSIFICATION_FIELDS, FieldLookups(IDENTIFYING)),
    **dict.fromkeys(("name", "ticker", "exchange_code", "asset_ticker_group_id"), FieldLookups(IDENTIFYING)),
    **dict.fromkeys(("is_tradable", "is_custom_by_organization"), FieldLookups(EXACT_ONLY, bool)),
}
"""What assets can be filtered by."""

SNAPSHOT_FIELDS = ("name", "ticker", "exchange_code", "asset_ticker_group_id", "venue_specific_properties")
ASSET_ALIASES = {f"current_snapshot__{field}": field for field in SNAPSHOT_FIELDS[:4]}


class SnapshotFields(Value):
    """What an instrument is called: these change over its life."""

    name: Name
    ticker: Label | None = None
    exchange_code: Label | None = Field(None, description="Composite exchange code (US, LN, …) or MIC (XNYS, XLON, …)")
    asset_ticker_group_id: Figi | None = Field(None, description="Share-class FIGI: one per share class worldwide")
    venue_specific_properties: JsonObject = Field(default_factory=dict)


class AssetSnapshot(SnapshotFields):
    """The names of an instrument over ``[effective_from, effective_to)``; ``None`` is open."""

    effective_from: Instant | None = None
    effective_to: Instant | None = None


class AssetClassification(Value):
    """What kind of instrument an asset is over ``[effective_from, effective_to)``; ``None`` is open."""

    security_type: Label | None = None
    security_type_2: Label | None = None
    security_market_sector: Label | None = None
    effective_from: Instant | None = None
    effective_to: Instant | None = None


class AssetFields(Value):
    """The identity of an instrument."""

    unique_identifier: UniqueIdentifier
    figi: Figi | None = None
    composite: Figi | None = None
    share_class: Figi | None = None
    isin: Isin | None = None
    security_type: Label | None = None
    security_type_2: Label | None = None
    security_market_sector: Label | None = None
    is_tradable: bool = True
    is_custom_by_organization: bool = True
    calendar_name: Label | None = Field(None, description="Trading calendar; by default that of the exchange")


class AssetRegistration(AssetFields):
    """What registers an asset; without a snapshot its name is its unique identifier."""

    snapshot: SnapshotFields | None = None


class PricingDetail(Value):
    """The terms with which an instrument is priced."""

    instrument_dump: JsonObject
    pricing_details_date: Instant


class AssetRecord(AssetFields):
    """An asset as it is stored."""

    id: int
    current_snapshot: AssetSnapshot
    current_pricing_detail: PricingDetail | None = None
    retired_at: Instant | None = Field(None, description="When the asset was deleted; it stays readable by id")

    @property
    def name(self) -> str:
        """What the instrument is called now."""
        return self.current_snapshot.name

    @property
    def ticker(self) -> str | None:
        """The ticker now."""
        return self.current_snapshot.ticker

    @property
    def exchange_code(self) -> str | None:
        """The exchange now: composite code or MIC."""
        return self.current_snapshot.exchange_code

    @property
    def asset_ticker_group_id(self) -> str | None:
        """The share-class FIGI that groups listings of one share."""
        return self.current_snapshot.asset_ticker_group_id
