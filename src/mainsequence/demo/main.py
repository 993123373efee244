"""The main job, end to end: identity → universe → routing → series → prices → signal → portfolio, on real data."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from rich.console import Console
from rich.text import Text

import mainsequence.client as msc
from mainsequence.demo.closes import IndexCloses, LargeCapCloses
from mainsequence.demo.picture import Caption, Line, draw
from mainsequence.demo.portfolios import (
    build_routes,
    five_fixed_weights,
    members_as_they_were,
    register_group,
    todays_members,
)
from mainsequence.demo.report import Measured, hindsight, measures_table
from mainsequence.demo.universes import build_dated_universe, build_undated_universe, by_joining, register_assets
from mainsequence.errors import ConfigurationError
from mainsequence.virtualfundbuilder.portfolio_nodes import PortfolioStrategy

CAPTION = Caption(
    "Twenty large US stocks, 1990–2022: what hindsight adds",
    "Equal weights, each month, after fees. Shaded: growth that only an investor who knew the later members could have "
    "had.",
)
CAUTION = (
    "The twenty were themselves picked later, and the index leaves dividends out: compare the first two portfolios "
    "with each other, not any of them with the index."
)
COLORS = ("#1f5fbf", "#d9762b", "#2a9d78", "#8a94a6")


@dataclass(frozen=True, slots=True)
class DemoResult:
    """What a run of the demo did.

    Parameters
    ----------
    measured
        The three portfolios and the index.
    rows_written
        Rows stored by this run; 0 where nothing was new.
    picture
        Where the picture is.
    """

    measured: tuple[Measured, ...]
    rows_written: int
    picture: Path


def run(home: Path | None = None, output: Path = Path("demo.png"), console: Console | None = None) -> DemoResult:
    """Run the main job.

    Parameters
    ----------
    home
        Embedded home to work in; by default the platform that the environment names.
    output
        Where to write the picture (PNG); its folder is made.
    console
        Where to show progress, the table and the path of the picture; by default standard output.

    Raises
    ------
    ConfigurationError
        The packages of the ``demo`` extra are missing, or the picture cannot be written there.
    """
    steps = _Steps(console or Console())
    with _platform(home):
        portfolios = _build(steps)
        measured = (*map(_measure, portfolios), _measure_index())
    steps.console.print()
    steps.console.print(measures_table(measured))
    steps.console.print(hindsight(measured[0], measured[1]), highlight=False)
    steps.console.print(CAUTION, style="dim", highlight=False)
    steps.console.print()
    picture = _paint(steps, measured, output)
    steps.console.print(f"\nThe picture: {picture}", soft_wrap=True, highlight=False)
    return DemoResult(measured, steps.rows_written, picture)


def _platform(home: Path | None) -> AbstractContextManager[object]:
    return nullcontext() if home is None else msc.session(str(home))


class _Steps:
    """Shows each step of the job while it runs, and what came of it."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.rows_written = 0
        self._told = ""

    @contextmanager
    def step(self, name: str, doing: str) -> Iterator[None]:
        """Run a step; what it did is told by `done` inside the block."""
        started = perf_counter()
        with self.console.status(f"{name}: {doing}"):
            yield
        seconds = f"{perf_counter() - started:.1f} s"
        self.console.print(Text.assemble((f"{name:<10}", "bold"), f"{self._told:<62}", (f"{seconds:>7}", "dim")))

    def done(self, told: str) -> None:
        """Tell what the step did."""
        self._told = told

    def stored(self, rows: int, of: str) -> None:
        """Tell how many rows the step stored, and count them."""
        self.rows_written += rows
        self._told = f"{of}: {f'{rows:,} rows stored' if rows else 'nothing new'}"


def _build(steps: _Steps) -> list[PortfolioStrategy]:
    with steps.step("identity", "registering twenty companies"):
        assets = register_assets()
        steps.done(f"{len(assets)} companies, each under its FIGI")
    with steps.step("universe", "writing down who was a member when"):
        dated, undated = build_dated_universe(assets), build_undated_universe(assets)
        steps.done(f"{_pinned(dated)} dated, {_pinned(undated)} undated")
    with steps.step("series", "storing daily closes"):
        runs = [node.run(show_progress=False) for node in (LargeCapCloses(), IndexCloses())]
        steps.stored(sum(each.rows_written for each in runs), "daily closes, 1990 to 2022")
    with steps.step("routing", "looking whether every company is served"):
        report = build_routes().coverage(assets=assets)
        report.raise_errors()
        steps.done(f"{len(report)} of {len(assets)} companies served by exactly one series")
    portfolios = [members_as_they_were(), todays_members(), five_fixed_weights()]
    for portfolio in portfolios:
        _run_portfolio(steps, portfolio)
    register_group(portfolios)
    return portfolios


def _pinned(universe: msc.AssetCategory) -> str:
    return f"{universe.unique_identifier}@{universe.revision}"


def _run_portfolio(steps: _Steps, portfolio: PortfolioStrategy) -> None:
    with steps.step("portfolio", f"{_name(portfolio)}: prices, signal, rebalancing"):
        result = portfolio.run(add_portfolio_to_markets_backend=True, show_progress=False)
        steps.stored(result.rows_written, _name(portfolio))
    for flag in portfolio.report.flags if portfolio.report else ():
        steps.console.print(f"{'':10}{flag}", style="yellow")


def _name(portfolio: PortfolioStrategy) -> str:
    return portfolio.configuration.portfolio_markets_configuration.portfolio_name


def _measure(portfolio: PortfolioStrategy) -> Measured:
    return Measured.from_values(_name(portfolio), portfolio.values())


def _measure_index() -> Measured:
    return Measured.from_prices("S&P 500, price index", IndexCloses().get_df_between_dates()["close"])


def _paint(steps: _Steps, measured: tuple[Measured, ...], output: Path) -> Path:
    path = output.expanduser().resolve()
    lines = [
        Line(each.label, each.nav, color, 2.0 if color == COLORS[0] else 1.4)
        for each, color in zip(measured, COLORS, strict=True)
    ]
    with steps.step("picture", "drawing"):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            draw(lines, (lines[1], lines[0]), by_joining(), CAPTION, path)
        except OSError as error:
            raise ConfigurationError(
                f"The picture cannot be written to {path}: {error.strerror}.",
                hint="Choose another place with --output.",
            ) from error
        steps.done(path.name)
    return path
