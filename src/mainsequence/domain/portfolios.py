"""Portfolios: what is known of one, what registers it, and named groups of them."""

from typing import Annotated

from pydantic import Field, StringConstraints

from mainsequence.domain.assets import AssetRecord
from mainsequence.domain.identifiers import Description, FreeText, JsonObject, Label, Name, UniqueIdentifier
from mainsequence.domain.lookups import IDENTIFYING, LISTED, FieldLookups
from mainsequence.domain.readers import ReaderAbout
from mainsequence.domain.times import Instant
from mainsequence.domain.values import Value

PORTFOLIO_LOOKUPS = {
    "id": FieldLookups(LISTED, int),
    **dict.fromkeys(("unique_identifier", "display_name", "description"), FieldLookups(IDENTIFYING)),
    **dict.fromkeys(("calendar_name", "values_series", "weights_series", "signal_series"), FieldLookups(IDENTIFYING)),
}
"""What portfolios can be filtered by."""

PORTFOLIO_ALIASES = {
    "index_asset__unique_identifier": "unique_identifier",
    "portfolio_name": "display_name",
    "name": "display_name",
}
"""Other spellings: a portfolio and its index asset share their identifier."""

GROUP_LOOKUPS = {
    "id": FieldLookups(LISTED, int),
    **dict.fromkeys(("unique_identifier", "display_name", "description", "source"), FieldLookups(IDENTIFYING)),
}
"""What groups of portfolios can be filtered by."""

PORTFOLIO_REFERENCE = "portfolio"
"""The kind under which a portfolio is named among the readers of a universe."""

INDEX_ASSET_TYPE = "PORTFOLIO"
"""Security type of the asset that stands for a portfolio."""


VenueId = Annotated[int, Field(ge=1, le=2**63 - 1)]
"""A venue, by the id that the system has for it which sends the orders."""


class PortfolioAbout(Value):
    """What a portfolio says of itself: for people, changes no number."""

    description: Description | None = None
    signal_name: Name | None = None
    signal_description: Description | None = None
    rebalance_strategy_name: Name | None = None


class PortfolioFields(Value):
    """What describes a portfolio and where its numbers are stored."""

    display_name: Name
    description: Description | None = None
    calendar_name: Label | None = Field(None, description="Calendar whose session closes are its stamps")
    values_series: UniqueIdentifier | None = Field(None, description="Series of NAV, return, turnover, fees, cash")
    weights_series: UniqueIdentifier | None = Field(None, description="Series of weights before and after each trade")
    signal_series: UniqueIdentifier | None = Field(None, description="Series of the signal's postings")
    backtest_table_price_column_name: Label = "close"
    builds_from_target_weights: bool = True
    builds_from_target_positions: bool = False
    about: PortfolioAbout = PortfolioAbout()
    configuration: JsonObject = Field(default_factory=dict, description="The configuration that built it")
    manifest: JsonObject = Field(default_factory=dict, description="All that is needed to rebuild its numbers")


class PortfolioCreation(PortfolioFields):
    """What registers a portfolio, and the universe that it reads."""

    unique_identifier: UniqueIdentifier
    universe: UniqueIdentifier | None = Field(None, description="Identifier of the asset category that it reads")
    reader: ReaderAbout | None = Field(None, description="What that universe is told of it")


class PortfolioRecord(PortfolioFields):
    """A portfolio as it is stored."""

    id: int
    unique_identifier: UniqueIdentifier
    index_asset: AssetRecord = Field(description="The asset that stands for the portfolio")
    venue_ids: list[VenueId] = Field(
        default_factory=list, description="Venues that it is traded on, sorted; changes no number"
    )
    created_at: Instant

    @property
    def portfolio_name(self) -> str:
        """What the portfolio is called now."""
        return self.index_asset.name

    @property
    def portfolio_ticker(self) -> str | None:
        """The ticker of its index asset."""
        return self.index_asset.ticker


class LatestWeights(Value):
    """The weights that a portfolio holds at its last stamp, by unique identifier; what is missing to 1 is cash."""

    weights: dict[str, float]
    weights_date: Instant | None = Field(None, description="The last stamp; None while nothing is stored")


Source = Annotated[FreeText, StringConstraints(max_length=255)]


class GroupFields(Value):
    """What describes a group of portfolios."""

    display_name: Name
    source: Source = Field("", description="Who keeps the group")
    description: Description | None = None


class GroupCreation(GroupFields):
    """What creates a group."""

    unique_identifier: UniqueIdentifier
    portfolios: list[int] = Field(default_factory=list, description="Ids of the first portfolios")


class GroupRecord(GroupFields):
    """A group as it is stored."""

    id: int
    unique_identifier: UniqueIdentifier
    portfolios: list[int] = Field(description="Ids of its portfolios, sorted")
    created_at: Instant
