"""``PortfolioStrategy``: universe + routed prices + signal + rebalance = portfolio."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from mainsequence.client.portfolios import Portfolio
from mainsequence.client.series import Series
from mainsequence.domain.frequency import DAILY
from mainsequence.domain.readers import ReaderAbout
from mainsequence.domain.series import WriteOutcome
from mainsequence.domain.times import TimeLike, from_micros
from mainsequence.errors import ConfigurationError, NotFoundError
from mainsequence.logs import get_logger
from mainsequence.tdag import DataNode, DataNodeConfiguration, DataNodeMetaData, RecordDefinition, RunResult
from mainsequence.tdag.reading import ReadableNode
from mainsequence.virtualfundbuilder.contrib.prices.data_nodes import InterpolatedPrices
from mainsequence.virtualfundbuilder.engine import Engine, Played, Sources
from mainsequence.virtualfundbuilder.flags import flags_of, sold_assets
from mainsequence.virtualfundbuilder.manifest import Manifest, Segment, package_version
from mainsequence.virtualfundbuilder.models import PortfolioBuildConfiguration, PortfolioConfiguration
from mainsequence.virtualfundbuilder.output import (
    VALUES_COLUMNS,
    WEIGHTS_COLUMNS,
    Resume,
    resume_from,
    values_table,
    weights_table,
)
from mainsequence.virtualfundbuilder.pricing import price_table
from mainsequence.virtualfundbuilder.provenance import routing_facts
from mainsequence.virtualfundbuilder.publishing import names, publish, refresh
from mainsequence.virtualfundbuilder.reading import portfolio_reader
from mainsequence.virtualfundbuilder.report import PortfolioReport
from mainsequence.virtualfundbuilder.spelling import written_configuration
from mainsequence.virtualfundbuilder.universe import PinnedUniverse

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

logger = get_logger(__name__)

MANIFEST = "manifest"
"""Where the metadata of the values series keeps the manifest."""


class PortfolioStrategyConfiguration(DataNodeConfiguration):
    """What `PortfolioStrategy` is made with."""

    portfolio_configuration: PortfolioConfiguration


class PortfolioStrategy(DataNode):
    """Builds a portfolio and stores its values and weights (METHODOLOGY sections 3 to 5).

    ``PortfolioStrategy(portfolio_configuration=…).run(add_portfolio_to_markets_backend=True)`` updates prices and
    signal, computes the stamps that are new, stores them, and publishes the portfolio. A run reads its universe at one
    revision, the head when it began. A second run with nothing new writes nothing; many runs give the same bits as one.
    """

    config: PortfolioStrategyConfiguration
    report: PortfolioReport | None = None
    """What the last run had to say."""
    _prices: InterpolatedPrices | None = None
    _pinned: PinnedUniverse | None = None
    _fresh: Manifest | None = None

    # -- what it is

    @property
    def configuration(self) -> PortfolioConfiguration:
        """The configuration of the portfolio."""
        return self.config.portfolio_configuration

    @property
    def build(self) -> PortfolioBuildConfiguration:
        """The part of the configuration that decides the numbers."""
        return self.configuration.portfolio_build_configuration

    @property
    def universe_reference(self) -> str | None:
        """The asset category in the configuration, ``None`` where the signal defines the universe."""
        return self.build.assets_configuration.assets_category_unique_id

    @property
    def prices(self) -> InterpolatedPrices:
        """The node of the prices that the portfolio trades at."""
        if self._prices is None:
            self._prices = self._price_node()
            self._prices.also(self._held)
        return self._prices

    def _held(self) -> tuple[str, ...]:
        """Name what the portfolio holds where its output ends; nobody where it begins anew."""
        resume = None if self._anew or self.series is None else self._resume()
        return () if resume is None else resume.names

    def _price_node(self) -> InterpolatedPrices:
        rules = self.build.assets_configuration.prices_configuration
        if self.universe_reference is not None:
            return InterpolatedPrices(
                prices_configuration=rules,
                assets_category_unique_id=self.universe_reference,
                hash_namespace=self.hash_namespace,
            )
        return InterpolatedPrices(
            prices_configuration=rules, asset_unique_identifiers=self._own_members(), hash_namespace=self.hash_namespace
        )

    def _own_members(self) -> tuple[str, ...]:
        signal = self.build.backtesting_weights_configuration.signal
        assets = signal.get_asset_list()
        if assets is None:
            raise ConfigurationError(
                "Nothing defines the universe: assets_category_unique_id is not set, and "
                f"{type(signal).__name__} has no get_asset_list().",
                hint="Set assets_category_unique_id, or let the signal name its assets.",
            )
        return tuple(sorted(each.unique_identifier for each in assets))

    def dependencies(self) -> Mapping[str, ReadableNode]:
        """Give the signal and the prices."""
        return {"signal": self.build.backtesting_weights_configuration.signal, "prices": self.prices}

    def universes(self) -> list[str]:
        """Name the asset category, where there is one."""
        return [] if self.universe_reference is None else [self.universe_reference]

    def as_reader(self) -> ReaderAbout:
        """Tell the universe how the portfolio reads it."""
        return portfolio_reader(
            self.build,
            prices_series=self.prices.identifier,
            values_series=self.identifier,
            weights_series=self.weights_identifier,
        )

    def get_table_metadata(self) -> DataNodeMetaData:
        """Describe the series of the values."""
        identifier = f"portfolio_values_{self.storage_hash[:16]}"
        return DataNodeMetaData(identifier=identifier, description="Portfolio values", frequency=DAILY, by_asset=False)

    def get_column_metadata(self) -> list[RecordDefinition]:
        """Declare close, return, turnover, fees, cash, session and last_rebalance_date."""
        return [
            RecordDefinition(
                column_name=each.name, dtype=each.dtype, nullable=each.nullable, description=each.description
            )
            for each in VALUES_COLUMNS
        ]

    @property
    def weights_identifier(self) -> str:
        """The ``unique_identifier`` of the series of the weights."""
        return self.identifier.replace("portfolio_values_", "portfolio_weights_", 1)

    @property
    def weights_series(self) -> Series | None:
        """The series of the weights; ``None`` before anything was stored."""
        return Series.get_or_none(unique_identifier=self.weights_identifier)

    def values(self, start: TimeLike | None = None, end: TimeLike | None = None) -> "pd.DataFrame":
        """Read the stored values over ``[start, end)``."""
        return self.get_df_between_dates(start, end, less_or_equal=False)

    def weights(self, start: TimeLike | None = None, end: TimeLike | None = None) -> "pd.DataFrame":
        """Read the stored weights over ``[start, end)``.

        Raises
        ------
        NotFoundError
            Nothing is stored.
        """
        return Series.get(unique_identifier=self.weights_identifier).read(start=start, end=end)

    @property
    def manifest(self) -> Manifest | None:
        """What the stored numbers were computed from; ``None`` before anything was stored."""
        series = self.series
        written = None if series is None else series.metadata.get(MANIFEST)
        return None if written is None else Manifest.parse(written)

    @property
    def target_portfolio(self) -> Portfolio:
        """The published portfolio.

        Raises
        ------
        NotFoundError
            It is not published.
        """
        name = names(self.configuration)["unique_identifier"]
        found = Portfolio.get_or_none(unique_identifier=name)
        if found is None:
            raise NotFoundError(
                f"The portfolio {name!r} is not published.",
                hint="run(add_portfolio_to_markets_backend=True) publishes it.",
            )
        return found

    # -- running

    def run(
        self,
        debug_mode: bool = True,
        update_tree: bool = True,
        force_update: bool = False,
        add_portfolio_to_markets_backend: bool = False,
        *,
        now: TimeLike | None = None,
        show_progress: bool | None = None,
    ) -> RunResult:
        """Update prices and signal, then the portfolio; see `DataNode.run`.

        Parameters
        ----------
        debug_mode, update_tree, force_update, now, show_progress
            As for any node.
        add_portfolio_to_markets_backend
            Whether the portfolio is published: registered with its index asset, in place of what was published under
            its name before.
        """
        reference = self.universe_reference
        self._pinned = None if reference is None else PinnedUniverse.pin(reference)
        self._prices = None
        self.prices.pin(self._pinned)
        self.report = PortfolioReport(universe=self._pinned.reference if self._pinned else None)
        try:
            result = super().run(debug_mode, update_tree, force_update, now=now, show_progress=show_progress)
        finally:
            self._pinned = None
        self._speak()
        if add_portfolio_to_markets_backend:
            self.publish()
        return result

    def _speak(self) -> None:
        """Log the flags of the run; where nothing was new, report those of what is stored."""
        stored = self.manifest
        if self.report is not None and not self.report.rows and stored is not None:
            self.report = self.report.model_copy(update={"flags": stored.flags})
            return
        for flag in self.report.flags if self.report is not None else ():
            logger.warning("%s: %s", self.configuration.portfolio_markets_configuration.portfolio_name, flag)

    def update_once(self, now: datetime, *, force: bool) -> WriteOutcome | None:
        """Update the portfolio alone, and write down what its numbers were computed from."""
        self._begin()
        before = None if force else self.manifest
        written = super().update_once(now, force=force)
        series = self.series
        fresh: Manifest | None = self._fresh  # made by update()
        if fresh is not None and series is not None:
            manifest = fresh if before is None else before.extended(fresh)
            series.patch(metadata={**series.metadata, MANIFEST: manifest.model_dump(mode="json")})
            refresh(manifest)
        return written

    def _begin(self) -> None:
        self._fresh = None

    def update(self) -> "pa.Table | None":
        """Compute the stamps that are new; the weights are stored here, the values by the run."""
        resume = None if self.update_statistics.is_empty else self._resume()
        sources = self._sources()
        engine = Engine(self.build, sources, resume)
        played = engine.play()
        if played is None:
            return None
        self._store_weights(played, anew=resume is None)
        self.report = self._reported(played, sources, resume)
        self._fresh = self._manifest(engine, played)
        return values_table(played.done, played.grid.sessions)

    def _resume(self) -> Resume | None:
        values = self.read_arrow(last_per_asset=True)
        weights = self.weights_series
        if weights is None or not values.num_rows:
            return None
        last = values.column("time_index")[0].as_py()
        return resume_from(values, weights.read_arrow(start=last, end=last, end_inclusive=True))

    def _sources(self) -> Sources:
        reference = self.universe_reference
        universe = self._pinned or (None if reference is None else PinnedUniverse.pin(reference))
        prices = self.prices
        column = self.build.assets_configuration.price_type.value
        signal = self.build.backtesting_weights_configuration.signal.series
        version = None if signal is None else signal.statistics().version
        table = price_table(prices.series, None, column, {})
        priced = [each for each in prices.get_asset_list() if each.unique_identifier in table.statistics.assets]
        table = replace(table, calendars=prices.calendars(priced))
        members = () if universe is not None else prices.config.asset_unique_identifiers or ()
        return Sources(universe, table, version, members)

    def _store_weights(self, played: Played, *, anew: bool) -> None:
        series = Series.get_or_create(
            self.weights_identifier, WEIGHTS_COLUMNS, frequency=str(DAILY), description="Portfolio weights"
        )
        table = weights_table(played.done, played.columns, played.prices, played.before, played.volumes)
        # Rows of these stamps may be there from a run that was killed before it stored the values.
        series.replace(table, start=None if anew else from_micros(int(played.grid.stamps[0])))

    def _reported(self, played: Played, sources: Sources, resume: Resume | None) -> PortfolioReport:
        stamps = played.grid.stamps
        return PortfolioReport(
            first=from_micros(int(stamps[0])),
            last=from_micros(int(stamps[-1])),
            rows=len(stamps),
            universe=None if sources.universe is None else sources.universe.reference,
            flags=flags_of(played, sources.universe, self.prices.routing_errors, resume),
            stale_sales=sold_assets(played.done, played.columns),
        )

    def _manifest(self, engine: Engine, played: Played) -> Manifest:
        sources, rules = engine.sources, self.build.assets_configuration.prices_configuration
        signal = self.build.backtesting_weights_configuration.signal
        routing = routing_facts(rules.translation_table_unique_id)
        segment = Segment(
            first=from_micros(int(played.grid.stamps[0])),
            last=from_micros(int(played.grid.stamps[-1])),
            universe=None if sources.universe is None else sources.universe.reference,
            members=sources.members,
            prices_version=sources.prices.version,
            signal_version=sources.signal_version,
        )
        return Manifest(
            package=package_version(),
            configuration=written_configuration(self.build),
            calendar=engine.calendar,
            asset_calendars=_others(sources.prices.calendars, engine.calendar),
            translation_table=rules.translation_table_unique_id,
            rules_hash=routing.rules_hash,
            sources=routing.versions,
            prices_series=sources.prices.series.unique_identifier,
            price_column=sources.prices.column,
            signal_series=None if sources.signal_version is None else signal.identifier,
            values_series=self.identifier,
            weights_series=self.weights_identifier,
            segments=(segment,),
            flags=() if self.report is None else self.report.flags,
        )

    # -- publishing

    def publish(self) -> Portfolio:
        """Register the portfolio with its index asset, or make the registered one exactly this.

        Raises
        ------
        AlreadyExistsError
            An asset that is no portfolio has its identifier.
        """
        return publish(self.configuration, self.manifest, self.as_reader())

    def delete(self) -> None:
        """Delete both series with all their versions; a published portfolio is deleted by itself."""
        weights = self.weights_series
        super().delete()
        if weights is not None:
            weights.delete()


def _others(calendars: Mapping[str, str], own: str) -> dict[str, list[str]]:
    """Group the assets that do not follow the portfolio's calendar by theirs."""
    groups: dict[str, list[str]] = {}
    for name, calendar in sorted(calendars.items()):
        if calendar != own:
            groups.setdefault(calendar, []).append(name)
    return groups
