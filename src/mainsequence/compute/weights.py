"""From posted signals to the targets in force at each stamp (METHODOLOGY section 3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from mainsequence.domain.times import open_datetime
from mainsequence.errors import InvalidWeightsError, UnpricedWeightError, ValidationError

Floats: TypeAlias = npt.NDArray[np.float64]
Integers: TypeAlias = npt.NDArray[np.int64]
Flags: TypeAlias = npt.NDArray[np.bool_]

MissingWeight: TypeAlias = Literal["cash", "renormalize", "error"]
"""What happens to weight on an asset that is masked or unpriced: kept as cash, spread pro rata, or the run fails."""

MISSING_WEIGHT: tuple[MissingWeight, ...] = ("cash", "renormalize", "error")
NO_POSTING = -1


@dataclass(frozen=True, slots=True, eq=False)
class Postings:
    """Complete cross-sections of signal weights, one per time.

    Parameters
    ----------
    times
        int64[K], microseconds UTC, strictly increasing.
    weights
        float64[K, N]; 0 for an asset that a posting does not name. Cash is what is missing to 1.

    Raises
    ------
    InvalidWeightsError
        Null or infinite weights.
    ValidationError
        Times that do not increase, or shapes that do not fit.
    """

    times: Integers
    weights: Floats

    def __post_init__(self) -> None:
        if self.weights.shape[:1] != self.times.shape or self.weights.ndim != 2:
            raise ValidationError(f"{len(self.times)} posting times do not fit weights of shape {self.weights.shape}.")
        _check_increasing(self.times, "Postings")
        _check_finite(self.weights, self.times)


def _check_increasing(times: Integers, what: str) -> None:
    wrong = np.flatnonzero(np.diff(times) <= 0)
    if len(wrong):
        at = open_datetime(int(times[wrong[0] + 1]))
        raise ValidationError(f"{what} must have strictly increasing times; {at} does not follow.", time=str(at))


def _check_finite(weights: Floats, times: Integers) -> None:
    bad = np.argwhere(~np.isfinite(weights))
    if len(bad):
        row, column = (int(at) for at in bad[0])
        raise InvalidWeightsError(
            f"The posting at {open_datetime(int(times[row]))} has weight {weights[row, column]} for asset {column}.",
            hint="Leave an asset out to give it weight 0; null and infinite weights are refused.",
            column=column,
        )


def postings_from_long(times: Integers, columns: Integers, weights: Floats, asset_count: int) -> Postings:
    """Gather long rows (time, asset, weight) into postings; an asset absent from a posting has weight 0.

    Parameters
    ----------
    times, columns, weights
        One entry per row: int64 microseconds UTC, int64 position of the asset, float64. Any order.
    asset_count
        Number of assets; columns are in ``[0, asset_count)``.

    Raises
    ------
    InvalidWeightsError
        Null or infinite weights, unknown assets, an asset named twice in one posting.
    """
    unknown = np.flatnonzero((columns < 0) | (columns >= asset_count))
    if len(unknown):
        raise InvalidWeightsError(
            f"Weights name asset {int(columns[unknown[0]])}, known are {asset_count} assets from 0.",
            columns=[int(column) for column in np.unique(columns[unknown])],
        )
    stamps, row = np.unique(times, return_inverse=True)
    _check_unique(row * asset_count + columns, times, columns)
    matrix = np.zeros((len(stamps), asset_count))
    matrix[row, columns] = weights
    return Postings(stamps, matrix)


def _check_unique(keys: Integers, times: Integers, columns: Integers) -> None:
    order = np.argsort(keys, kind="stable")
    twice = order[1:][keys[order][1:] == keys[order][:-1]]
    if len(twice):
        at = open_datetime(int(times[twice[0]]))
        raise InvalidWeightsError(f"The posting at {at} names asset {int(columns[twice[0]])} twice.", time=str(at))


def active_postings(posting_times: Integers, stamps: Integers, maximum_forward_fill: int | None = None) -> Integers:
    """Position of the posting active at each stamp, -1 for none: the last one at or before it that is young enough.

    Parameters
    ----------
    posting_times
        int64[K], strictly increasing, also from before the first stamp.
    stamps
        int64[T].
    maximum_forward_fill
        Oldest age at which a posting still counts, in microseconds, inclusive; None for ever.
    """
    active: Integers = posting_times.searchsorted(stamps, side="right") - 1
    if maximum_forward_fill is None or not len(posting_times):
        return active
    age = stamps - posting_times[np.maximum(active, 0)]
    return np.where((active >= 0) & (age <= maximum_forward_fill), active, NO_POSTING)


@dataclass(frozen=True, slots=True, eq=False)
class Targets:
    """Target weights at every stamp, each distinct cross-section stored once.

    Parameters
    ----------
    weights
        float64[K, N], the distinct cross-sections.
    rows
        int64[T], which of them is the target at each stamp; -1 where none is: the portfolio holds cash.
    changed
        bool[T], does a new posting or a new universe come into force at this stamp? The first stamp counts as one.
    """

    weights: Floats
    rows: Integers
    changed: Flags

    @classmethod
    def dense(cls, weights: Floats) -> Targets:
        """One cross-section per stamp, float64[T, N]."""
        return cls(weights, np.arange(len(weights), dtype=np.int64), np.ones(len(weights), dtype=np.bool_))

    @property
    def in_cash(self) -> Flags:
        """Stamps at which no posting is active, bool[T]."""
        idle: Flags = self.rows == NO_POSTING
        return idle

    def after(self, count: int) -> Targets:
        """Leave out the first stamps: how a resumed run knows whether its own first stamp brings a change."""
        return Targets(self.weights, self.rows[count:], self.changed[count:])

    def at_stamps(self) -> Floats:
        """Targets as a full matrix, float64[T, N], zeros where none is active."""
        if not len(self.weights):
            return np.zeros((len(self.rows), self.weights.shape[1]))
        return np.where(self.in_cash[:, None], 0.0, self.weights[np.maximum(self.rows, 0)])


def resolve_targets(
    postings: Postings,
    stamps: Integers,
    *,
    maximum_forward_fill: int | None = None,
    mask: Flags | None = None,
    masked_weight: MissingWeight = "cash",
) -> Targets:
    """Find the target weights at each stamp: the active posting, masked by the universe as it was then.

    Parameters
    ----------
    postings
        The signal, also from before the first stamp. What comes after a stamp never counts at it.
    stamps
        int64[T], strictly increasing.
    maximum_forward_fill
        See `active_postings`.
    mask
        bool[T, N], is the asset a member at the stamp? None for no universe.
    masked_weight
        What happens to the weight of non-members.

    Raises
    ------
    UnpricedWeightError
        A non-member has weight and ``masked_weight`` is ``"error"``, or the rest cannot be scaled up to its sum.
    """
    check_policy(masked_weight)
    active = active_postings(postings.times, stamps, maximum_forward_fill)
    if mask is None:
        return Targets(postings.weights, active, _changes(active))
    _check_mask(mask, stamps, postings)
    universe = np.cumsum(np.concatenate(([False], np.any(mask[1:] != mask[:-1], axis=1)))) if len(mask) else active
    pair = np.where(active == NO_POSTING, NO_POSTING, active * (len(stamps) + 1) + universe)
    pairs, first, rows = np.unique(pair, return_index=True, return_inverse=True)
    chosen = first[pairs != NO_POSTING]
    weights = _masked(postings.weights[active[chosen]], mask[chosen], stamps[chosen], masked_weight)
    shift = int(len(pairs) - len(chosen))
    return Targets(weights, rows.astype(np.int64) - shift, _changes(pair))


def _changes(rows: Integers) -> Flags:
    changed = np.ones(len(rows), dtype=np.bool_)
    changed[1:] = rows[1:] != rows[:-1]
    return changed


def check_policy(policy: str) -> None:
    """Refuse a policy for missing weight that does not exist."""
    if policy not in MISSING_WEIGHT:
        raise ValidationError(f"{policy!r} is not a policy for missing weight.", hint=f"One of {MISSING_WEIGHT}.")


def _check_mask(mask: Flags, stamps: Integers, postings: Postings) -> None:
    expected = (len(stamps), postings.weights.shape[1])
    if mask.shape != expected or mask.dtype != np.bool_:
        raise ValidationError(f"The universe mask must be bool{expected}, got {mask.dtype}{mask.shape}.")


def _masked(weights: Floats, mask: Flags, stamps: Integers, policy: MissingWeight) -> Floats:
    kept = np.where(mask, weights, 0.0)
    lost = np.any(~mask & (weights != 0.0), axis=1)
    if policy == "cash" or not lost.any():
        return kept
    if policy == "error":
        raise _masked_weight(weights, mask, stamps, lost)
    for row in np.flatnonzero(lost):
        kept[row] = spread(weights[row], kept[row], int(stamps[row]))
    return kept


def _masked_weight(weights: Floats, mask: Flags, stamps: Integers, lost: Flags) -> UnpricedWeightError:
    row = int(np.flatnonzero(lost)[0])
    columns = np.flatnonzero(~mask[row] & (weights[row] != 0.0))
    at = open_datetime(int(stamps[row]))
    return UnpricedWeightError(
        f"At {at} the signal gives weight to {len(columns)} assets outside the universe, first asset {columns[0]}.",
        hint="Choose 'cash' or 'renormalize' for such weight, or correct the signal.",
        time=str(at),
        columns=[int(column) for column in columns],
    )


def in_order_sum(values: Floats) -> float:
    """Sum from left to right, so that zeros anywhere change no bit (NumPy's own sum works in pairs)."""
    return float(np.add.accumulate(values)[-1]) if len(values) else 0.0


def spread(wanted: Floats, kept: Floats, stamp: int) -> Floats:
    """Scale the weights that are left so that they sum to what was wanted; nothing left is all cash.

    Raises
    ------
    UnpricedWeightError
        What is left sums to zero without being zero: pro rata has no meaning.
    """
    if not kept.any():
        return kept
    rest = in_order_sum(kept)
    if rest == 0.0:
        raise cannot_spread(stamp)
    return kept * (in_order_sum(wanted) / rest)


def cannot_spread(stamp: int) -> UnpricedWeightError:
    """Build the error for weights that cancel out and so cannot be scaled."""
    at = open_datetime(stamp)
    return UnpricedWeightError(
        f"At {at} missing weight cannot be spread pro rata: the remaining weights sum to zero.",
        hint="Use the policy 'cash' for portfolios whose weights cancel out.",
        time=str(at),
    )


def equal_weights(mask: Flags) -> Floats:
    """Give 1/n to the members in each row of a universe mask, float64[T, N]; an empty universe has no weight."""
    counts = mask.sum(axis=1, keepdims=True)
    return np.where(mask, 1.0 / np.maximum(counts, 1), 0.0)
