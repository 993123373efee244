"""Pictures as SVG: how many members over time, and what a portfolio was worth."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from io import BytesIO
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from mainsequence.compute.intervals import Floats, Ints
from mainsequence.compute.membership_changes import members_over_time
from mainsequence.domain.times import MAX_MICROS, MICROS_PER_DAY, MIN_MICROS, to_micros

if TYPE_CHECKING:
    import pyarrow as pa
    from matplotlib.axes import Axes

INK, LINE = "#7b8794", "#2f6fd0"
"""Colours that can be read on a light and on a dark page."""

SIZE = (9.6, 2.6)
"""Inches; the page scales it."""

DRAWN = (to_micros(datetime(1800, 1, 1, tzinfo=UTC)), to_micros(datetime(2200, 1, 1, tzinfo=UTC)))
"""What lies outside is as good as open: axes of time cannot show every year that a universe may name."""

LARGEST = 1e300
"""What is larger, or no number, is not drawn: axes compute with more than that."""

_ONE_AT_A_TIME = Lock()
"""Settings of matplotlib are those of the process."""


def members(table: "pa.Table", now: int) -> bytes:
    """Draw the number of members over time, from validity intervals, before the first change and until now at least."""
    start, end = _micros(table, "valid_from", MIN_MICROS), _micros(table, "valid_to", MAX_MICROS)
    at, count = members_over_time(np.clip(start, *DRAWN), np.clip(end, *DRAWN))
    inside = (at > DRAWN[0]) & (at < DRAWN[1])
    with _axes() as (axes, picture):
        if inside.any():
            before = int(count[0]) if at[0] == DRAWN[0] else 0
            _draw_steps(axes, at[inside], np.array([before, *count[inside]]), now)
        else:
            always = int(count[0]) if len(count) else 0
            _say(axes, f"The same {always:,} at all times")
    return picture.getvalue()


def _draw_steps(axes: "Axes", at: Ints, count: Ints, now: int) -> None:
    """Draw how many there were before the first of some times, and from each of them on."""
    from matplotlib.ticker import MaxNLocator

    first, last = min(int(at[0]), now), max(int(at[-1]), now)
    margin = max((last - first) // 25, MICROS_PER_DAY)
    times = np.array([first - margin, *at, last + margin]).astype("M8[us]")
    axes.step(times, [*count, count[-1]], where="post", color=LINE, linewidth=1.4)
    axes.set_xlim(times[0], times[-1])
    axes.set_ylim(0, max(1, int(count.max())) * 1.08)
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))


def _micros(table: "pa.Table", name: str, open_at: int) -> Ints:
    filled: Ints = table[name].cast("int64").fill_null(open_at).to_numpy()
    return filled


def values(table: "pa.Table | None") -> bytes:
    """Draw the net asset value of a portfolio: columns ``time_index`` and ``close``; ``None`` where none is stored."""
    at, close = (np.empty(0, np.int64), np.empty(0)) if table is None else _points(table)
    with _axes() as (axes, picture):
        if len(at):
            axes.plot(at.astype("M8[us]"), close, color=LINE, linewidth=1.4, marker="." if len(at) == 1 else "")
        else:
            _say(axes, "No values yet")
    return picture.getvalue()


def _points(table: "pa.Table") -> tuple[Ints, Floats]:
    """Give the values that can be drawn, and when."""
    at = table["time_index"].cast("int64").to_numpy()
    close = table["close"].cast("float64").to_numpy()
    kept = (at > DRAWN[0]) & (at < DRAWN[1]) & (np.abs(close) < LARGEST)
    return at[kept], close[kept]


def _say(axes: "Axes", text: str) -> None:
    axes.set_axis_off()
    axes.text(0.5, 0.5, text, color=INK, ha="center", va="center", transform=axes.transAxes)


@contextmanager
def _axes() -> Iterator[tuple["Axes", BytesIO]]:
    """Give axes to draw on, and the picture, which is written behind it."""
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    buffer = BytesIO()
    with _ONE_AT_A_TIME, mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "mainsequence", "font.size": 9}):
        figure = Figure(figsize=SIZE, layout="constrained")
        FigureCanvasSVG(figure)
        axes = figure.add_subplot()
        axes.tick_params(colors=INK, length=0)
        axes.grid(axis="y", color=INK, alpha=0.25, linewidth=0.8)
        for spine in axes.spines.values():
            spine.set_visible(False)
        yield axes, buffer
        axes.patch.set_alpha(0)
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
