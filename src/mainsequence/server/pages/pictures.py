"""Pictures as SVG: how many members over time, and what a portfolio was worth."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from mainsequence.compute.membership_changes import members_over_time
from mainsequence.domain.times import MAX_MICROS, MIN_MICROS

if TYPE_CHECKING:
    import pyarrow as pa
    from matplotlib.axes import Axes

INK, LINE = "#7b8794", "#2f6fd0"
"""Colours that can be read on a light and on a dark page."""

SIZE = (9.6, 2.6)
"""Inches; the page scales it."""

_ONE_AT_A_TIME = Lock()
"""Settings of matplotlib are those of the process."""


def members(table: "pa.Table") -> bytes:
    """Draw the number of members over time, from validity intervals; open bounds lie beyond the picture."""
    start, end = _micros(table, "valid_from", MIN_MICROS), _micros(table, "valid_to", MAX_MICROS)
    at, count = members_over_time(start, end)
    inside = (at > MIN_MICROS) & (at < MAX_MICROS)
    with _axes() as (axes, picture):
        from matplotlib.ticker import MaxNLocator

        if inside.any():
            axes.step(at[inside].astype("M8[us]"), count[inside], where="post", color=LINE, linewidth=1.4)
            axes.set_ylim(bottom=0)
            axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
        else:
            _say(axes, f"The same {len(start):,} at all times")
    return picture.getvalue()


def _micros(table: "pa.Table", name: str, open_at: int) -> "np.ndarray[Any, np.dtype[np.int64]]":
    filled: np.ndarray[Any, np.dtype[np.int64]] = table[name].cast("int64").fill_null(open_at).to_numpy()
    return filled


def values(table: "pa.Table | None") -> bytes:
    """Draw the net asset value of a portfolio: columns ``time_index`` and ``close``; ``None`` where none is stored."""
    with _axes() as (axes, picture):
        if table is not None and len(table):
            axes.plot(table["time_index"].to_numpy(), table["close"].to_numpy(), color=LINE, linewidth=1.4)
        else:
            _say(axes, "No values yet")
    return picture.getvalue()


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
