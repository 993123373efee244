"""The picture of the main job: what the portfolios were worth, and who was in the universe when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator
from numpy.typing import NDArray

from mainsequence.demo.membership import Company

INK, MUTED, RULE, PAPER = "#1b2433", "#6b7689", "#e9ecf1", "#ffffff"
IN_BLUE, PALE_BLUE = "#1f5fbf", "#9dbce8"
EPOCH = date(1970, 1, 1)
STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 9.5,
    "text.color": INK,
    "axes.edgecolor": RULE,
    "axes.labelcolor": MUTED,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "figure.facecolor": PAPER,
    "axes.facecolor": PAPER,
}


@dataclass(frozen=True, slots=True)
class Line:
    """One curve: values over time, each starting at 1."""

    label: str
    values: pd.Series
    color: str
    width: float = 1.4


@dataclass(frozen=True, slots=True)
class Caption:
    """What the picture shows, in a line, and how to read it, in another."""

    title: str
    reading: str


def draw(
    lines: Sequence[Line], ahead: tuple[Line, Line], companies: Sequence[Company], caption: Caption, path: Path
) -> None:
    """Draw net asset values on a log scale above a timeline of membership, and write it as PNG.

    Parameters
    ----------
    lines
        Curves in the order of importance; each begins at 1 on its first stamp.
    ahead
        The pair of curves whose gap is shaded: the one ahead, and the one behind it.
    companies
        Whose spells in the universe the timeline shows, in the order of joining.
    caption
        The two lines above the picture.
    path
        Where to write it.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(11.5, 9.2), dpi=130)
        FigureCanvasAgg(figure)
        worth, members = figure.subplots(
            2, 1, sharex=True, height_ratios=(1.25, 1), gridspec_kw={"hspace": 0.16, "left": 0.065, "right": 0.79}
        )
        figure.subplots_adjust(top=0.885, bottom=0.045)
        figure.text(0.065, 0.964, caption.title, fontsize=15, fontweight="bold")
        figure.text(0.065, 0.940, caption.reading, fontsize=10, color=MUTED)
        _draw_worth(worth, lines, ahead)
        start, end = lines[0].values.index[0], lines[0].values.index[-1]
        _draw_members(members, companies, (start.date(), end.date()))
        figure.savefig(path, format="png", metadata={"Software": None})


def _draw_worth(axes: Axes, lines: Sequence[Line], ahead: tuple[Line, Line]) -> None:
    upper, lower = ahead
    days, ceiling = _days(upper.values), upper.values.to_numpy()
    axes.fill_between(days, lower.values.to_numpy(), ceiling, color=upper.color, alpha=0.10, linewidth=0)
    for line in lines:
        axes.plot(_days(line.values), line.values.to_numpy(), color=line.color, linewidth=line.width)
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(FixedLocator([0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500]))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set_ylim(bottom=min(line.values.min() for line in lines) * 0.9)
    axes.set_title("Net asset value, 1 at the start, after fees (log scale)", loc="left", fontsize=10, color=MUTED)
    axes.grid(axis="y", color=RULE, linewidth=0.8)
    _name_lines(axes, lines)
    _strip(axes)


def _name_lines(axes: Axes, lines: Sequence[Line], gap: float = 0.095) -> None:
    """Write each curve's name and last value beside its end, pushed down where two would touch."""
    low, high = np.log(axes.get_ylim())
    ends = [((float(np.log(line.values.iloc[-1])) - low) / (high - low), line) for line in lines]
    ceiling = 1.0 + gap
    for height, line in sorted(ends, key=lambda end: -end[0]):
        ceiling = min(height, ceiling - gap)
        beside: dict[str, Any] = {"xycoords": "axes fraction", "color": line.color, "va": "center"}
        axes.annotate(f"{line.label}\n", (1.012, ceiling), fontweight="bold", **beside)
        axes.annotate(f"\n×{line.values.iloc[-1]:,.1f}", (1.012, ceiling), **beside)


def _draw_members(axes: Axes, companies: Sequence[Company], window: tuple[date, date]) -> None:
    for row, company in enumerate(companies):
        _draw_bar(axes, row, window, RULE)
        _draw_spells(axes, row, company, window)
        beside: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "va": "center", "fontsize": 8}
        axes.annotate(company.ticker, (1.012, row), **beside)
        axes.annotate(company.name, (1.068, row), color=MUTED, **beside)
    axes.set_yticks([])
    axes.set_ylim(len(companies) - 0.4, -0.6)
    axes.set_xlim(_day(window[0]), _day(window[1]))
    axes.xaxis_date()
    reading = "Members of the universe (dark: joined or left in these years)"
    axes.set_title(reading, loc="left", fontsize=10, color=MUTED)
    _strip(axes)


def _draw_spells(axes: Axes, row: int, company: Company, window: tuple[date, date]) -> None:
    first_day, last_day = window
    moved = any(first_day < spell.start or (spell.end or last_day) < last_day for spell in company.spells)
    for spell in company.spells:
        start, end = max(spell.start, first_day), min(spell.end or last_day, last_day)
        _draw_bar(axes, row, (start, end), IN_BLUE if moved else PALE_BLUE)
        if start > first_day:
            _write_date(axes, row, start, "left")
        if end < last_day:
            _write_date(axes, row, end, "right")


def _draw_bar(axes: Axes, row: int, span: tuple[date, date], color: str) -> None:
    start, end = map(_day, span)
    axes.barh(row, end - start, left=start, height=0.62, color=color)


def _write_date(axes: Axes, row: int, at: date, side: Literal["left", "right"]) -> None:
    axes.annotate(f" {at} ", (_day(at), row), color=PAPER, fontsize=6.8, ha=side, va="center_baseline")


def _day(at: date) -> float:
    """Matplotlib's own unit for dates: days since 1970."""
    return float((at - EPOCH).days)


def _days(values: pd.Series) -> NDArray[np.float64]:
    return pd.DatetimeIndex(values.index).tz_localize(None).to_numpy("datetime64[s]").astype(np.float64) / 86_400


def _strip(axes: Axes) -> None:
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(length=0)
