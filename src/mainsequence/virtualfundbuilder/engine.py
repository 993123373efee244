"""From a pinned universe, stored prices and a signal to what a portfolio did: no tables are written here."""

from dataclasses import dataclass, field, replace
from datetime import timedelta

import numpy as np
import numpy.typing as npt

from mainsequence.compute.rebalance import Simulation, simulate
from mainsequence.compute.sessions import Grid, daily_grid, schedule
from mainsequence.compute.weights import Postings, Targets, resolve_targets
from mainsequence.domain.times import MAX_MICROS, MIN_MICROS, end_micros, start_micros
from mainsequence.domain.values import listed
from mainsequence.errors import InvalidWeightsError, MainSequenceError, ValidationError
from mainsequence.virtualfundbuilder.models import PortfolioBuildConfiguration
from mainsequence.virtualfundbuilder.output import Resume
from mainsequence.virtualfundbuilder.pricing import PriceTable
from mainsequence.virtualfundbuilder.rebalancing import Moments
from mainsequence.virtualfundbuilder.universe import PinnedUniverse
from mainsequence.virtualfundbuilder.weights import check_known

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, eq=False)
class Sources:
    """What a run reads, each at one recorded state.

    Parameters
    ----------
    universe
        The category at a revision; ``None`` where the signal defines the universe.
    prices
        The prices at a version.
    signal_version
        The version of the signal's series; ``None`` where it stores nothing.
    members
        The signal's own assets, where it defines the universe.
    """

    universe: PinnedUniverse | None
    prices: PriceTable
    signal_version: int | None
    members: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Played:
    """What a portfolio did over its new stamps.

    Parameters
    ----------
    grid
        The T new stamps.
    columns
        N unique identifiers, sorted.
    prices, volumes
        float64[T, N].
    before
        float64[N], prices at the stamp before the first one.
    targets
        Target weights at the new stamps.
    rebalance
        bool[T], the rebalance times.
    done
        The numbers.
    """

    grid: Grid
    columns: tuple[str, ...]
    prices: Floats
    volumes: Floats
    before: Floats
    targets: Targets
    rebalance: Flags
    done: Simulation


@dataclass
class Engine:
    """Plays a portfolio.

    Parameters
    ----------
    build
        The configuration.
    sources
        What is read.
    resume
        Where the stored output ends; ``None`` starts the portfolio.
    until
        Play to exactly this stamp, microseconds UTC, instead of as far as the portfolio's assets are priced.
    calendar
        The calendar of the stamps; by default the strategy's, else the one that all the assets share.
    """

    build: PortfolioBuildConfiguration
    sources: Sources
    resume: Resume | None = None
    until: int | None = None
    calendar: str = ""
    columns: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        self.columns = self._columns()
        if not self.columns:
            raise nobody(self.sources.universe)
        if not self.calendar:
            own = self.build.backtesting_weights_configuration.rebalance_strategy.calendar_key
            self.calendar = self.sources.prices.calendar(self.columns) if own is None else schedule(own).calendar

    def play(self, *, with_volumes: bool = True) -> Played | None:
        """Play the stamps that are new; ``None`` where there are none.

        Raises
        ------
        InvalidWeightsError
            The signal names assets that are not registered, or, where it defines the universe, not its own.
        UnpricedWeightError
            Weight is masked or unpriced, and the configuration says to fail.
        PortfolioRuinedError
            The net asset value reaches zero.
        """
        whole = self._grid()
        if whole is None or len(whole) <= self._old:
            return None
        mask = self._mask(whole.stamps)
        postings = self._postings(whole.stamps, mask)
        prices = self.sources.prices.prices(self.columns, whole.stamps, self.calendar)
        whole, count = self._cut(whole, prices, postings, mask)
        if count <= self._old:
            return None
        return self._simulated(whole, prices[:count], self._targets(postings, whole.stamps, mask[:count]), with_volumes)

    @property
    def _old(self) -> int:
        """How many stamps at the beginning of the grid have been played before."""
        return 0 if self.resume is None else 1

    # -- who

    def _columns(self) -> tuple[str, ...]:
        """Name everyone that can matter: the universe, whom the signal names, what is held."""
        signal = self.build.backtesting_weights_configuration.signal
        posted = signal.posted_assets(self.sources.signal_version)
        held = set() if self.resume is None else set(self.resume.names)
        universe = self.sources.universe
        if universe is not None:
            check_known(sorted(posted - set(universe.identifiers)))
            return tuple(sorted(set(universe.identifiers) | posted | held))
        strangers = sorted(posted - set(self.sources.members))
        if strangers:
            raise InvalidWeightsError(
                f"The signal names {len(strangers)} assets that are not in its get_asset_list(): {listed(strangers)}.",
                hint="Without an asset category, get_asset_list() is the universe: let it name them too.",
                unknown=strangers[:1_000],
            )
        return tuple(sorted(set(self.sources.members) | held))

    def _mask(self, stamps: Integers) -> Flags:
        if self.sources.universe is not None:
            return self.sources.universe.mask(stamps, self.columns)
        own = set(self.sources.members)
        return np.tile(np.array([name in own for name in self.columns], dtype=np.bool_), (len(stamps), 1))

    # -- when

    def _grid(self) -> Grid | None:
        """Give the stamps to play, the last one played before them; ``None`` where no asset has a price."""
        first = self.sources.prices.first(self.columns)
        if first is None:
            return None
        start = max(first, start_micros(self.build.start_date))
        if self.resume is not None:
            start = self.resume.time
        end = self._end()
        return daily_grid(schedule(self.calendar), start, end) if start < end else None

    def _end(self) -> int:
        """Say behind which stamp nothing can be known: no asset of the portfolio is observed there."""
        if self.until is not None:
            return self.until + 1
        prices = self.sources.prices
        if self.build.assets_configuration.prices_configuration.runs_to_now:
            newest = int(prices.reach(self.columns, self.calendar).max(initial=MIN_MICROS))
        else:
            newest = prices.observed(self.columns, self.calendar)
        return min(newest + 1, end_micros(self.build.end_date), MAX_MICROS)

    def _cut(self, whole: Grid, prices: Floats, postings: Postings, mask: Flags) -> tuple[Grid, int]:
        """End the grid where an asset that the portfolio needs is neither priced nor stale (METHODOLOGY section 5)."""
        if self.until is not None:
            return whole, len(whole)
        known = whole.stamps.searchsorted(self.sources.prices.reach(self.columns, self.calendar), side="right")
        late = self._late(known < len(whole))
        if not len(late):
            return whole, len(whole)
        needed = self._needed(whole, prices, postings, mask, late)
        unknown = np.arange(len(whole))[:, None] >= known[late]
        stops = np.flatnonzero((needed & unknown).any(axis=1))
        count = int(stops[0]) if len(stops) else len(whole)
        return _head(whole, count), count

    def _late(self, ended: Flags) -> Integers:
        """Name those of the assets whose prices ended that are not stale at their end, int64[K]."""
        candidates = np.flatnonzero(ended)
        return candidates[self.sources.prices.ends_priced(self.columns, candidates)]

    def _needed(self, whole: Grid, prices: Floats, postings: Postings, mask: Flags, assets: Integers) -> Flags:
        """Tell at which stamps some assets are held, or wanted at a rebalance time; bool[T, K].

        What had no price at or after the last rebalance time was not bought, or was sold as stale: it is held no more.
        """
        targets = self._targets(postings, whole.stamps, mask, forgiving=True)
        rebalance = self._rebalance(whole, targets)
        wanted = (targets.at_stamps()[:, assets] != 0.0) & rebalance[:, None]
        before = _last_row_before(rebalance[:, None])
        unpriced = _last_row_before(np.isnan(prices[:, assets]))
        bought = np.take_along_axis(wanted, np.maximum(before, 0), axis=0)
        held = np.where(before >= 0, bought, self._held_at_start()[assets]) & (unpriced < np.maximum(before, 0))
        needed: Flags = wanted | held
        return needed

    def _held_at_start(self) -> Flags:
        own = set() if self.resume is None else set(self.resume.names)
        return np.array([name in own for name in self.columns], dtype=np.bool_)

    # -- what

    def _postings(self, stamps: Integers, mask: Flags) -> Postings:
        signal = self.build.backtesting_weights_configuration.signal
        try:
            return signal.postings(self.columns, stamps, mask, version=self.sources.signal_version)
        except ValidationError as error:
            raise named(error, self.columns) from error

    def _targets(self, postings: Postings, stamps: Integers, mask: Flags, *, forgiving: bool = False) -> Targets:
        limit = self.build.backtesting_weights_configuration.signal.maximum_forward_fill()
        try:
            targets = resolve_targets(
                postings,
                stamps,
                maximum_forward_fill=None if limit is None else limit // _MICROSECOND,
                mask=mask,
                masked_weight="cash" if forgiving else self.build.masked_weight,
            )
        except MainSequenceError as error:
            raise named(error, self.columns) from error
        return replace(targets, changed=targets.changed | self._expelled(mask))

    def _expelled(self, mask: Flags) -> Flags:
        """Mark the first new stamp if an edit of the universe took out what is held, news for the strategy; bool[T]."""
        marked = np.zeros(len(mask), dtype=np.bool_)
        if self.resume is not None and len(mask) > self._old:
            marked[self._old] = bool((self._held_at_start() & ~mask[self._old]).any())
        return marked

    def _rebalance(self, whole: Grid, targets: Targets) -> Flags:
        """Ask the strategy about the new stamps; the old one is none of them."""
        old = self._old
        new = Grid(whole.stamps[old:], whole.sessions[old:], whole.ordinals[old:], whole.origin)
        session = None if self.resume is None else self.resume.session
        strategy = self.build.backtesting_weights_configuration.rebalance_strategy
        chosen = np.asarray(strategy.rebalance_times(Moments(new, session, targets.changed[old:])))
        if chosen.shape != (len(new),) or chosen.dtype != np.bool_:
            raise ValidationError(
                f"{type(strategy).__name__}.rebalance_times() gave {chosen.dtype}{list(chosen.shape)} for {len(new)} "
                "stamps.",
                hint="It gives bool[T], one for each stamp.",
            )
        return np.concatenate((np.zeros(old, dtype=np.bool_), chosen))

    def _simulated(self, whole: Grid, prices: Floats, targets: Targets, with_volumes: bool) -> Played:
        old = self._old
        rebalance = self._rebalance(whole, targets)[old:]
        grid = _tail(whole, old)
        strategy = self.build.backtesting_weights_configuration.rebalance_strategy
        own = targets.after(old)
        try:
            done = simulate(
                grid.stamps,
                prices[old:],
                own,
                rebalance,
                commission_fee=self.build.execution_configuration.commission_fee,
                tolerance=strategy.tolerance,
                missing_weight=self.build.masked_weight,
                state=None if self.resume is None else self.resume.state(self.columns),
            )
        except MainSequenceError as error:
            raise named(error, self.columns) from error
        volumes = np.empty((0, 0))
        if with_volumes:
            volumes = self.sources.prices.volumes(self.columns, grid.stamps, self.calendar)
        before = prices[0] if old else np.full(len(self.columns), np.nan)
        return Played(grid, self.columns, prices[old:], volumes, before, own, rebalance, done)


def _last_row_before(marked: Flags) -> Integers:
    """Give for each stamp the last earlier row that is marked, -1 for none, by column; int64[T, K]."""
    rows = np.maximum.accumulate(np.where(marked, np.arange(len(marked))[:, None], -1), axis=0)
    return np.concatenate((np.full((1, marked.shape[1]), -1), rows[:-1]))


def nobody(universe: PinnedUniverse | None) -> ValidationError:
    """Say that there is nobody to hold."""
    what = "The signal's get_asset_list() is empty" if universe is None else f"{universe.reference} never had a member"
    return ValidationError(f"{what}: there is nothing to hold.", hint="Append assets to the universe first.")


def _head(grid: Grid, count: int) -> Grid:
    return Grid(grid.stamps[:count], grid.sessions[:count], grid.ordinals[:count], grid.origin)


def _tail(grid: Grid, old: int) -> Grid:
    origin = int(grid.stamps[old - 1]) if old else grid.origin
    return Grid(grid.stamps[old:], grid.sessions[old:], grid.ordinals[old:], origin)


def named(error: MainSequenceError, columns: tuple[str, ...]) -> MainSequenceError:
    """Say in an error about columns what the assets are called."""
    found = error.context.get("columns", error.context.get("column"))
    places = found if isinstance(found, list) else [found]
    names = [columns[at] for at in places if isinstance(at, int) and 0 <= at < len(columns)]
    if not names:
        return error
    return type(error)(f"{error.message} ({listed(names)})", hint=error.hint, **error.context, assets=names)
