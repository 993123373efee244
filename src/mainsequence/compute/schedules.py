"""When a portfolio trades (METHODOLOGY section 4): flags on its grid, decided by session dates alone."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from mainsequence.compute.sessions import Grid
from mainsequence.domain.times import MICROS_PER_DAY
from mainsequence.errors import ValidationError

Integers: TypeAlias = npt.NDArray[np.int64]
Flags: TypeAlias = npt.NDArray[np.bool_]

RebalanceFrequency: TypeAlias = Literal["every_stamp", "on_signal", "weekly", "monthly", "quarterly"]
REBALANCE_FREQUENCIES: tuple[RebalanceFrequency, ...] = ("every_stamp", "on_signal", "weekly", "monthly", "quarterly")

_THURSDAY = 3  # 1970-01-01, counted from Monday


def rebalance_times(
    grid: Grid,
    frequency: RebalanceFrequency,
    *,
    previous_session: int | None = None,
    signal_changed: Flags | None = None,
) -> Flags:
    """Tell which stamps of a grid are rebalance times, bool[T].

    * ``every_stamp``: all.
    * ``on_signal``: where a new posting or a new universe comes into force (`Targets.changed`).
    * ``weekly``, ``monthly``, ``quarterly``: the first stamp of the first session of a new ISO week, month or
      quarter, by session date. It follows from dates up to that session only: there is no look-ahead.

    Parameters
    ----------
    grid
        The portfolio's grid.
    frequency
        One of `REBALANCE_FREQUENCIES`.
    previous_session
        Date of the session of the stamp before the first one (its midnight UTC, microseconds), when a run is resumed.
        None starts a portfolio: its first stamp is then a rebalance time.
    signal_changed
        bool[T], needed by ``on_signal``.

    Raises
    ------
    ValidationError
        An unknown frequency, or ``on_signal`` without ``signal_changed``.
    """
    if frequency == "every_stamp":
        return np.ones(len(grid), dtype=np.bool_)
    if frequency == "on_signal":
        return _signal(grid, signal_changed)
    if frequency not in REBALANCE_FREQUENCIES:
        raise ValidationError(f"{frequency!r} is not a rebalance frequency.", hint=f"One of {REBALANCE_FREQUENCIES}.")
    periods = period_numbers(grid.sessions, frequency)
    first = None if previous_session is None else period_numbers(np.array([previous_session]), frequency)
    starts = np.ones(len(grid), dtype=np.bool_)
    starts[1:] = periods[1:] != periods[:-1]
    if first is not None and len(grid):
        starts[0] = periods[0] != first[0]
    return starts


def _signal(grid: Grid, changed: Flags | None) -> Flags:
    if changed is None or changed.shape != grid.stamps.shape:
        raise ValidationError("Rebalancing on signal needs to know, for each stamp, whether the signal changed.")
    return changed


def period_numbers(dates: Integers, frequency: Literal["weekly", "monthly", "quarterly"]) -> Integers:
    """Give each date (midnight UTC, microseconds) the number of its ISO week, month or quarter."""
    days = np.asarray(dates, dtype=np.int64) // MICROS_PER_DAY
    if frequency == "weekly":
        weeks: Integers = (days + _THURSDAY) // 7
        return weeks
    months = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    return months if frequency == "monthly" else months // 3
