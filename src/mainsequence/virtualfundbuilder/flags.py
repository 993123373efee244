"""Flags that a run raises: what a reader of its numbers should know."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from mainsequence.compute.rebalance import Simulation
from mainsequence.domain.times import from_micros
from mainsequence.domain.values import listed
from mainsequence.errors import RoutingError
from mainsequence.virtualfundbuilder.engine import Played
from mainsequence.virtualfundbuilder.output import Resume
from mainsequence.virtualfundbuilder.report import (
    CASH,
    HINDSIGHT,
    REVISED,
    STALE_SALES,
    UNPRICED,
    UNSERVED,
    RunFlag,
    SoldAsset,
)
from mainsequence.virtualfundbuilder.universe import PinnedUniverse, edit_facts

Flags = npt.NDArray[np.bool_]

_SHOWN = 100


def flags_of(
    played: Played, universe: PinnedUniverse | None, unserved: Mapping[str, RoutingError], resume: Resume | None
) -> tuple[RunFlag, ...]:
    """Raise the flags of a run."""
    found = [
        _hindsight(universe, played),
        _stale(played),
        _cash(played),
        _unpriced(played),
        _unserved(unserved),
        _revised(played, resume),
    ]
    return tuple(each for each in found if each is not None)


def _hindsight(universe: PinnedUniverse | None, played: Played) -> RunFlag | None:
    """Look for timeless edits behind the first new stamp: no number before it is new."""
    first, last = int(played.grid.stamps[0]), int(played.grid.stamps[-1])
    edits = [] if universe is None else universe.hindsight(first, last)
    if universe is None or not edits:
        return None
    days = listed(f"{each.recorded_at:%Y-%m-%d} ({each.operation}, revision {each.revision})" for each in edits)
    return RunFlag(
        code=HINDSIGHT,
        message=f"The members of {universe.name!r} were changed for all time while the period ran: on {days}. "
        "The numbers before those dates use members that were not known then.",
        hint="Give edits dates with effective_from=, make the universe dated=True, or pin what was known with "
        f"'{universe.before(edits[0])}'.",
        facts={"universe": universe.reference, "edits": [edit_facts(each) for each in edits[:_SHOWN]]},
    )


def sold_assets(done: Simulation, columns: tuple[str, ...]) -> tuple[SoldAsset, ...]:
    """List the assets that were sold because their prices ended."""
    return tuple(
        SoldAsset(
            time=from_micros(each.time), unique_identifier=columns[each.column], weight=each.weight, price=each.price
        )
        for each in done.stale_sales
    )


def _stale(played: Played) -> RunFlag | None:
    sold = sold_assets(played.done, played.columns)
    if not sold:
        return None
    told = listed(
        f"{each.unique_identifier} ({each.time:%Y-%m-%d}, {each.weight:.2%} at {each.price:g})" for each in sold
    )
    return RunFlag(
        code=STALE_SALES,
        message=f"{len(sold)} assets were sold at their last price, because no price followed: {told}.",
        hint="Delisted and halted assets are expected here; otherwise look at their prices.",
        facts={"sales": [each.model_dump(mode="json") for each in sold[:_SHOWN]]},
    )


def stretches(rows: Flags) -> list[tuple[int, int]]:
    """Give the first and last row of each unbroken stretch."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], rows, [False])).astype(np.int8)))
    return [(int(first), int(end) - 1) for first, end in zip(edges[::2], edges[1::2], strict=True)]


def _cash(played: Played) -> RunFlag | None:
    found = stretches(~(played.done.weight_after != 0.0).any(axis=1))
    if not found:
        return None
    stamps = played.grid.stamps
    told = [(from_micros(int(stamps[first])), from_micros(int(stamps[last]))) for first, last in found]
    return RunFlag(
        code=CASH,
        message="The portfolio was all in cash: "
        + listed(f"{first:%Y-%m-%d} to {last:%Y-%m-%d}" for first, last in told)
        + ".",
        hint="No posting was in force, or none of its assets was a member with a price.",
        facts={"stretches": [[first.isoformat(), last.isoformat()] for first, last in told[:_SHOWN]]},
    )


def _unpriced(played: Played) -> RunFlag | None:
    """Look for target weight on members without a price, at the rebalance times."""
    rows = np.flatnonzero(played.rebalance & (played.targets.rows >= 0))
    missing = np.zeros(len(played.columns), dtype=np.int64)
    for at in _blocks(rows):
        wanted = played.targets.weights[played.targets.rows[at]] != 0.0
        missing += (wanted & np.isnan(played.prices[at])).sum(axis=0)
    names = {played.columns[at]: int(missing[at]) for at in np.flatnonzero(missing)}
    if not names:
        return None
    return RunFlag(
        code=UNPRICED,
        message=f"{len(names)} assets were wanted without having a price: "
        + listed(f"{name} ({times} rebalance times)" for name, times in names.items())
        + ".",
        hint="masked_weight says what becomes of such weight: cash, renormalize or error.",
        facts={"assets": dict(list(names.items())[:_SHOWN])},
    )


def _blocks(rows: npt.NDArray[np.int64], size: int = 512) -> list[npt.NDArray[np.int64]]:
    return [rows[at : at + size] for at in range(0, len(rows), size)]


def _unserved(errors: Mapping[str, RoutingError]) -> RunFlag | None:
    if not errors:
        return None
    return RunFlag(
        code=UNSERVED,
        message=f"{len(errors)} assets have no prices, because no series serves them: {listed(errors)}.",
        hint=next(iter(errors.values())).hint,
        facts={"assets": {name: str(error) for name, error in list(errors.items())[:_SHOWN]}},
    )


def _revised(played: Played, resume: Resume | None) -> RunFlag | None:
    """Compare the prices that the portfolio last knew with what the series says of that stamp now."""
    if resume is None or not resume.names:
        return None
    place = {name: at for at, name in enumerate(played.columns)}
    now = played.before[[place[name] for name in resume.names]]
    changed = [name for name, same in zip(resume.names, now == resume.prices, strict=True) if not same]
    if not changed:
        return None
    return RunFlag(
        code=REVISED,
        message=f"Prices of {listed(changed)} at {from_micros(resume.time):%Y-%m-%d} were revised after use.",
        hint="What is stored stays as it was; run(force_update=True) computes it anew.",
        facts={"assets": changed[:_SHOWN], "time": from_micros(resume.time).isoformat()},
    )
