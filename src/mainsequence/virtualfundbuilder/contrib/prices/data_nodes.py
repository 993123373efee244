"""``InterpolatedPrices``: raw bars of a universe, routed by a translation table, on the grid of their calendars."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Self

import numpy as np
import numpy.typing as npt
from pydantic import field_validator, model_validator

from mainsequence.client.assets import Asset
from mainsequence.compute.bar_columns import VALUE_COLUMNS, Bars
from mainsequence.compute.bars import BarState
from mainsequence.compute.sessions import schedule
from mainsequence.domain.pins import check_pin
from mainsequence.domain.readers import ReaderAbout
from mainsequence.domain.series import DType
from mainsequence.domain.times import from_micros, to_micros
from mainsequence.errors import RoutingError, ValidationError
from mainsequence.tdag import (
    DataNode,
    DataNodeConfiguration,
    DataNodeMetaData,
    RecordDefinition,
    UpdateOnly,
    WrapperDataNode,
)
from mainsequence.tdag.routed import RoutedAssets
from mainsequence.virtualfundbuilder.columns import by_asset, labelled, nullable, positions
from mainsequence.virtualfundbuilder.contrib.data_nodes.registered import registered
from mainsequence.virtualfundbuilder.contrib.prices.gridding import Gridding, named, stale_state
from mainsequence.virtualfundbuilder.contrib.prices.raw import RawBars, read_raw
from mainsequence.virtualfundbuilder.contrib.prices.resuming import Stored, newest_bars
from mainsequence.virtualfundbuilder.models import PricesConfiguration
from mainsequence.virtualfundbuilder.universe import PinnedUniverse

if TYPE_CHECKING:
    import pyarrow as pa

MARGIN = timedelta(days=3)
"""How far before a grid raw bars are read: a daily bar may be stamped at midnight of its date."""


class InterpolatedPricesConfiguration(DataNodeConfiguration):
    """Which assets, and how their bars become prices; nodes with the same rules fill one series together.

    Parameters
    ----------
    prices_configuration
        The rules, and the translation table.
    assets_category_unique_id
        The universe: everyone who is or ever was a member. ``name@12`` pins a revision.
    asset_unique_identifiers
        The assets, where no category names them.
    """

    prices_configuration: PricesConfiguration
    assets_category_unique_id: Annotated[str | None, UpdateOnly] = None
    asset_unique_identifiers: Annotated[tuple[str, ...] | None, UpdateOnly] = None

    @field_validator("asset_unique_identifiers", mode="before")
    @classmethod
    def _distinct(cls, value: Any) -> Any:
        if value is None or isinstance(value, str):
            return value
        return tuple(sorted({getattr(each, "unique_identifier", each) for each in value}))

    @model_validator(mode="after")
    def _one_universe(self) -> Self:
        if (self.assets_category_unique_id is None) == (self.asset_unique_identifiers is None):
            raise ValidationError(
                "Give the assets once.", hint="assets_category_unique_id='…', or asset_unique_identifiers=[…]."
            )
        if self.assets_category_unique_id is not None:
            check_pin(self.assets_category_unique_id)
        return self


class InterpolatedPrices(DataNode):
    """Prices of a universe on the grids of its calendars (METHODOLOGY section 2).

    Each asset is read from the series that the translation table routes it to and put on the session closes (or bar
    ends) of its calendar, independently of the others. An asset that cannot be served is left out and named in
    ``routing_errors``; where none can, the run fails. A second run computes only what is new, with the same bits.

    Bars that arrive late are taken in; a correction of bars that were used already is taken in by
    ``run(force_update=True)``.
    """

    config: InterpolatedPricesConfiguration
    _pinned: PinnedUniverse | None = None
    _also: Callable[[], Iterable[str]] | None = None
    routing_errors: Mapping[str, RoutingError] = {}
    """Why some assets were not served in the last run, by unique identifier."""

    # -- what it is

    def get_table_metadata(self) -> DataNodeMetaData:
        """Describe the series."""
        rules = self.config.prices_configuration
        return DataNodeMetaData(
            description=f"Prices routed by {rules.translation_table_unique_id!r} on a {rules.frequency} grid",
            frequency=rules.frequency,
            by_asset=True,
        )

    def get_column_metadata(self) -> list[RecordDefinition]:
        """Declare open, high, low, close, volume, vwap, trade_count and interpolated."""
        prices = [RecordDefinition(column_name=name, dtype=DType.FLOAT64) for name in VALUE_COLUMNS]
        return [*prices, RecordDefinition(column_name="interpolated", dtype=DType.BOOL, nullable=False)]

    def universes(self) -> list[str]:
        """Name the asset category, where there is one."""
        given = self.config.assets_category_unique_id
        return [] if given is None else [given]

    def as_reader(self) -> ReaderAbout:
        """Tell the universe which table routes the prices, and from when."""
        rules = self.config.prices_configuration
        table = rules.translation_table_unique_id
        return ReaderAbout(role="prices", translation_table=table, start_date=rules.start_date)

    def pin(self, universe: PinnedUniverse | None) -> None:
        """Read the universe at this revision in the runs that follow; ``None`` pins the head at each run."""
        self._pinned = universe

    def also(self, names: Callable[[], Iterable[str]]) -> None:
        """Price these assets too, whoever is in the universe: a portfolio must be able to sell what it holds."""
        self._also = names

    def get_asset_list(self) -> list[Asset]:
        """Give the assets: those of the configuration, or everyone who ever was a member of the category."""
        category = self.config.assets_category_unique_id
        if category is None:
            found = registered(self.config.asset_unique_identifiers or ())
        else:
            found = (self._pinned or PinnedUniverse.pin(category)).assets
        known = {each.unique_identifier for each in found}
        more = () if self._also is None else sorted(set(self._also()) - known)
        return found + registered(more) if more else found

    def calendars(self, assets: list[Asset] | None = None) -> dict[str, str]:
        """Name the calendar of each asset, by unique identifier.

        Raises
        ------
        UnknownCalendarError
            An asset has none, or nobody knows it; there is no default.
        """
        given = self.config.prices_configuration.calendar_name
        chosen = self.get_asset_list() if assets is None else assets
        if given is not None:
            return dict.fromkeys((each.unique_identifier for each in chosen), schedule(given).calendar)
        return {each.unique_identifier: schedule(each.get_calendar().name).calendar for each in chosen}

    # -- what it does

    def update(self) -> "pa.Table | None":
        """Put what is new on the grids."""
        assets = {each.unique_identifier: each for each in self.update_statistics.asset_list or ()}
        if not assets:
            return None
        routed = self._routed(tuple(assets))
        served = tuple(name for name in assets if name not in self.routing_errors)
        groups = self._groups({name: assets[name] for name in served}, routed)
        tables = [table for group in self._read(groups, routed) for table in group.tables(self) if table is not None]
        if not tables:
            return None
        import pyarrow as pa

        return pa.concat_tables(tables)

    def _routed(self, names: tuple[str, ...]) -> RoutedAssets:
        node = WrapperDataNode(self.config.prices_configuration.translation_table_unique_id)
        routed, errors = node.routed(names)
        self.routing_errors = dict(sorted(errors.items()))
        if len(errors) == len(names):
            raise next(iter(self.routing_errors.values()))
        return routed

    def _groups(self, assets: dict[str, Asset], routed: RoutedAssets) -> list["_Group"]:
        """Part the assets by calendar, and those that can be resumed from those that begin anew."""
        parts: dict[str, list[str]] = {}
        for name, calendar in self.calendars(list(assets.values())).items():
            parts.setdefault(calendar, []).append(name)
        rules = self.config.prices_configuration
        return [
            group
            for calendar, names in sorted(parts.items())
            for group in self._parted(Gridding.of(calendar, rules), tuple(names), routed)
        ]

    def _parted(self, gridding: Gridding, names: tuple[str, ...], routed: RoutedAssets) -> list["_Group"]:
        last = {name: to_micros(at) for name, at in self.update_statistics.last.items()}
        series = self.series
        if series is None or not any(name in last for name in names):
            return [_Group(gridding, names, None)]
        resumed, session = Stored(series, last).resumable(gridding, names, newest_bars(routed))
        anew = tuple(name for name in names if name not in set(resumed))
        groups = [_Group(gridding, anew, None), _Group(gridding, resumed, session)]
        return [group for group in groups if group.names]

    def _read(self, groups: list["_Group"], routed: RoutedAssets) -> Iterator["_Group"]:
        """Read the bars of all groups, and then let them all reach as far as the newest bar of any."""
        newest = self.update_statistics.max_time_index_value
        reach = to_micros(newest) if newest is not None else None
        if self.config.prices_configuration.runs_to_now:
            reach = max(reach or 0, to_micros(self.now))
        for group in groups:
            group.read(routed)
            reach = max(
                (each for each in (reach, group.gridding.reach(group.stamped)) if each is not None), default=None
            )
        for group in groups:
            group.reach = reach
            yield group

    def state_before(self, names: tuple[str, ...], gridding: Gridding, session: int) -> BarState:
        """Give what was last observed of assets before a session, from what is stored."""
        series = self.series
        assert series is not None  # noqa: S101 - assets that have prices have a series
        end = gridding.close(session - 1) + 1
        start = gridding.close(session - gridding.staleness - 2) + 1
        table = series.read_arrow(
            ["close", "interpolated"], unique_identifiers=names, start=from_micros(start), end=from_micros(end)
        )
        first = series.statistics().assets
        begun = np.array([to_micros(first[name].first) < end for name in names])
        state, long_stale = BarState.nothing(len(names)), stale_state(len(names))
        state.closes[begun], state.ordinals[begun] = long_stale.closes[begun], long_stale.ordinals[begun]
        return _last_observed(state, table, names, gridding)


def _last_observed(state: BarState, table: "pa.Table", names: tuple[str, ...], gridding: Gridding) -> BarState:
    rows = labelled(table)
    closes = rows.floats("close")
    observed = ~rows.flags("interpolated") & ~np.isnan(closes)
    own = positions(rows.labels, names)[rows.codes[observed]] if rows.labels else np.empty(0, np.int64)
    # Rows ascend in time, so that of several assignments to one asset the last one stays.
    state.closes[own] = closes[observed]
    state.ordinals[own] = gridding.sessions.first + gridding.sessions.position_of(rows.times[observed])
    return state


class _Group:
    """Assets of one calendar that begin together: all anew, or all resumed from one session."""

    def __init__(self, gridding: Gridding, names: tuple[str, ...], session: int | None) -> None:
        self.gridding, self.names, self.session = gridding, names, session
        self.reach: int | None = None
        self.raw: RawBars
        self.stamped: npt.NDArray[np.int64]

    def read(self, routed: RoutedAssets) -> None:
        """Read the bars that matter, and give them their stamps."""
        self.raw = read_raw(routed, self.names, self._since())
        self.stamped = self.gridding.stamped(self.raw.times)

    def _since(self) -> datetime | None:
        first = self.gridding.configuration.start_date
        if self.session is None:
            return first
        since = from_micros(self.gridding.close(self.session - 1)) - MARGIN
        return since if first is None else max(first, since)

    def tables(self, node: InterpolatedPrices) -> Iterator["pa.Table | None"]:
        """Give the rows of the group."""
        if self.session is None and not len(self.raw):
            return
        state = None if self.session is None else node.state_before(self.names, self.gridding, self.session)
        session = self.gridding.first_session(self.stamped) if self.session is None else self.session
        grid = None if self.reach is None else self.gridding.grid(session, self.reach)
        if grid is None or not len(grid):
            return
        bars = self.raw.of(np.arange(len(self.names)), self.stamped)
        try:
            rows = self.gridding.rows(bars, grid, len(self.names), state)
        except ValidationError as error:
            raise named(error, self.names) from error
        yield _table(rows, self.names) if len(rows) else None


def _table(rows: Bars, names: tuple[str, ...]) -> "pa.Table":
    import pyarrow as pa

    values: dict[str, Any] = {name: nullable(column) for name, column in rows.values()}
    return by_asset(rows.time, rows.asset, names, {**values, "interpolated": pa.array(rows.interpolated)})
