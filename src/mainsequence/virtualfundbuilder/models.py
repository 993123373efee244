"""What a portfolio is built from: universe, prices, signal, rebalancing, costs. Unknown fields are refused by name."""

from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import Field, SerializeAsAny, field_validator, model_validator

from mainsequence.domain.frequency import DAILY, Frequency
from mainsequence.domain.identifiers import Description, Label, Name, UniqueIdentifier
from mainsequence.domain.pins import check_pin
from mainsequence.domain.times import Instant, check_interval, end_micros, start_micros
from mainsequence.domain.values import Value
from mainsequence.errors import ValidationError
from mainsequence.tdag import DataNodeConfiguration, DisplayOnly
from mainsequence.virtualfundbuilder.factory import rebalance_strategy, signal
from mainsequence.virtualfundbuilder.rebalancing import RebalanceStrategyBase
from mainsequence.virtualfundbuilder.weights import WeightsBase


class PriceType(StrEnum):
    """Which price of a bar a portfolio trades at."""

    OPEN = "open"
    HIGH = "high"
    LOW = "low"
    CLOSE = "close"
    VWAP = "vwap"


class PricesConfiguration(DataNodeConfiguration):
    """How raw bars become prices on a calendar's grid (METHODOLOGY section 2).

    Parameters
    ----------
    bar_frequency_id
        What the raw bars are, such as ``1d`` or ``5m``.
    upsample_frequency_id
        What the prices shall be, where that is coarser than the bars; by default the same.
    intraday_bar_interpolation_rule
        ``ffill`` carries the last observed close forward, ``none`` leaves gaps.
    is_live
        Whether prices are kept current, up to the last finished stamp; the same as ``forward_fill_to_now``.
    translation_table_unique_id
        The translation table that says which series serves each asset.
    forward_fill_to_now
        Whether the grid runs on to the last finished stamp where bars are late. Otherwise an asset's prices end with
        its bars, until it counts as stale.
    staleness_limit
        Sessions for which an observation is carried; by default 5 for daily prices, 1 for intraday ones.
    calendar_name
        The calendar of all assets; by default each asset's own, and one that has none is refused.
    midnight
        What a daily bar stamped at midnight means on calendars that close at midnight UTC (``24/7``): the date of its
        session, or its end. Other calendars do not need it.
    start_date
        Bars stamped before are not used; by default all are, and bars from before a calendar is known are refused.
    """

    bar_frequency_id: Frequency = DAILY
    upsample_frequency_id: Frequency | None = None
    intraday_bar_interpolation_rule: Literal["ffill", "none"] = "ffill"
    is_live: bool = False
    translation_table_unique_id: UniqueIdentifier
    forward_fill_to_now: bool = False
    staleness_limit: int | None = Field(None, ge=0)
    calendar_name: Label | None = None
    midnight: Literal["session_date", "bar_end"] | None = None
    start_date: Instant | None = None

    @model_validator(mode="after")
    def _coarser(self) -> Self:
        target = self.frequency
        if not target.is_multiple_of(self.bar_frequency_id):
            raise ValidationError(
                f"Bars of {self.bar_frequency_id} do not make up prices of {target}.",
                hint="upsample_frequency_id must be a multiple of bar_frequency_id.",
            )
        return self

    @property
    def frequency(self) -> Frequency:
        """What the prices are."""
        return self.upsample_frequency_id or self.bar_frequency_id

    @property
    def runs_to_now(self) -> bool:
        """Whether the grid runs on to the last finished stamp."""
        return self.is_live or self.forward_fill_to_now


class AssetsConfiguration(Value):
    """Which assets, and which of their prices.

    Parameters
    ----------
    assets_category_unique_id
        The universe: an asset category by its identifier, as it was at each date, at the revision that is the head when
        a run begins. ``name@12`` pins revision 12 for good, ``name@2024-06-28`` what was known at the start of that
        day. Not set: the signal's ``get_asset_list()`` is the universe.
    price_type
        The price of a bar that is traded at.
    prices_configuration
        How bars become prices.
    """

    assets_category_unique_id: str | None = None
    price_type: PriceType = PriceType.CLOSE
    prices_configuration: PricesConfiguration

    @field_validator("assets_category_unique_id")
    @classmethod
    def _pin(cls, value: str | None) -> str | None:
        return None if value is None else check_pin(value)


class BacktestingWeightsConfig(Value):
    """The signal, and when the portfolio trades to follow it: each by name and configuration, or ready made.

    Parameters
    ----------
    signal_weights_name, signal_weights_configuration
        The class of the signal, such as ``"FixedWeights"``, and its arguments.
    signal_weights_instance
        A signal of your own, or a ready one.
    rebalance_strategy_name, rebalance_strategy_configuration
        The class of the strategy, such as ``"ImmediateSignal"``, and its fields.
    rebalance_strategy_instance
        A strategy of your own, or a ready one.
    """

    signal_weights_name: str | None = None
    signal_weights_configuration: dict[str, Any] = Field(default_factory=dict)
    signal_weights_instance: WeightsBase | None = None
    rebalance_strategy_name: str | None = None
    rebalance_strategy_configuration: dict[str, Any] = Field(default_factory=dict)
    rebalance_strategy_instance: SerializeAsAny[RebalanceStrategyBase] | None = None

    @model_validator(mode="after")
    def _resolve(self) -> Self:
        """Make both from their names, so that a portfolio is the same however it was written down."""
        self._one_of("signal_weights")
        self._one_of("rebalance_strategy")
        if self.signal_weights_name is not None:
            made = signal(self.signal_weights_name, self.signal_weights_configuration)
            self._becomes("signal_weights", made)
        if self.rebalance_strategy_name is not None:
            chosen = rebalance_strategy(self.rebalance_strategy_name, self.rebalance_strategy_configuration)
            self._becomes("rebalance_strategy", chosen)
        return self

    def _becomes(self, what: str, instance: object) -> None:
        self.__dict__.update({f"{what}_name": None, f"{what}_configuration": {}, f"{what}_instance": instance})

    def _one_of(self, what: str) -> None:
        named, made = getattr(self, f"{what}_name") is not None, getattr(self, f"{what}_instance") is not None
        if named == made or (made and getattr(self, f"{what}_configuration")):
            raise ValidationError(
                f"{what} must be given once: by name and configuration, or as an instance.",
                hint=f"Give {what}_name=… with {what}_configuration={{…}}, or {what}_instance=….",
            )

    @property
    def signal(self) -> WeightsBase:
        """The signal."""
        assert self.signal_weights_instance is not None  # noqa: S101 - the validator made it
        return self.signal_weights_instance

    @property
    def rebalance_strategy(self) -> RebalanceStrategyBase:
        """The strategy."""
        assert self.rebalance_strategy_instance is not None  # noqa: S101 - the validator made it
        return self.rebalance_strategy_instance


class PortfolioExecutionConfiguration(Value):
    """What trading costs: ``commission_fee`` per unit of turnover (0.001 is ten basis points of what is traded)."""

    commission_fee: float = Field(0.0, ge=0.0, lt=1.0)


class PortfolioBuildConfiguration(Value):
    """Everything that decides a portfolio's numbers.

    Parameters
    ----------
    assets_configuration
        Universe and prices.
    portfolio_prices_frequency
        How often the portfolio has a stamp; in this release ``1d``: the session closes of its calendar.
    backtesting_weights_configuration
        Signal and rebalancing.
    execution_configuration
        Costs.
    masked_weight
        What happens to target weight on an asset that is no member at that time, or has no price: ``cash`` keeps it,
        ``renormalize`` spreads it over the rest pro rata, ``error`` fails the run.
    start_date, end_date
        The stamps are in the half-open range ``[start_date, end_date)``; by default all that the prices allow.
    """

    assets_configuration: AssetsConfiguration
    portfolio_prices_frequency: Frequency = DAILY
    backtesting_weights_configuration: BacktestingWeightsConfig
    execution_configuration: PortfolioExecutionConfiguration = PortfolioExecutionConfiguration()
    masked_weight: Literal["cash", "renormalize", "error"] = "cash"
    start_date: Instant | None = None
    end_date: Instant | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        check_interval(start_micros(self.start_date), end_micros(self.end_date), ("start_date", "end_date"))
        rules = self.assets_configuration.prices_configuration
        if rules.intraday_bar_interpolation_rule == "none":
            raise ValidationError(
                "Prices with the rule 'none' have gaps, and a portfolio needs a price of what it holds at every stamp.",
                hint="Use intraday_bar_interpolation_rule='ffill'; staleness_limit says for how long.",
            )
        prices = rules.frequency
        for name, found in (("portfolio_prices_frequency", self.portfolio_prices_frequency), ("prices", prices)):
            if not found.is_daily:
                raise ValidationError(
                    f"{name} of {found} are not supported: portfolios are daily in this release.", hint="Use '1d'."
                )
        return self


class FrontEndDetails(Value):
    """What a portfolio says of itself; for people, changes no number."""

    description: Description | None = None
    signal_name: Name | None = None
    signal_description: Description | None = None
    rebalance_strategy_name: Name | None = None


class PortfolioMarketsConfig(Value):
    """How the portfolio is called when it is published.

    Parameters
    ----------
    portfolio_name
        For people.
    unique_identifier
        The stable name, also of the index asset; derived from ``portfolio_name`` where left out.
    front_end_details
        What it says of itself.
    """

    portfolio_name: Name
    unique_identifier: UniqueIdentifier | None = None
    front_end_details: FrontEndDetails | None = None


class PortfolioConfiguration(Value):
    """A portfolio: how it is built, and how it is called."""

    portfolio_build_configuration: PortfolioBuildConfiguration
    portfolio_markets_configuration: Annotated[PortfolioMarketsConfig, DisplayOnly]
