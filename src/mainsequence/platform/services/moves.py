"""The changes of a universe over time, as its intervals tell them, with when each was known."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mainsequence.compute.intervals import Bools, Floats, Intervals, Ints
from mainsequence.domain.times import MAX_MICROS
from mainsequence.platform.registry.announcements import Announcements


@dataclass(frozen=True, slots=True)
class Moves:
    """Columns of equal length: who, when, how (``enters``, ``leaves``, ``reweighted``), the new weight, and when it was
    announced (plus infinity where nobody says), recorded, and known: announced, or else recorded.
    """

    asset: Ints
    at: Ints
    kind: npt.NDArray[np.str_]
    weight: Floats
    announced: Ints
    recorded: Ints

    @property
    def known(self) -> Ints:
        """When each was known: the announcement, where there is one; transaction time stands for it where not."""
        return np.where(self.announced < MAX_MICROS, self.announced, self.recorded)

    def take(self, chosen: Ints | Bools) -> "Moves":
        """Select rows."""
        columns = (self.at[chosen], self.kind[chosen], self.weight[chosen])
        return Moves(self.asset[chosen], *columns, self.announced[chosen], self.recorded[chosen])


def moves_of(rows: Intervals, notes: Announcements, recorded: dict[tuple[int, int], int], after: int) -> Moves:
    """Give what changes after a time, at the bounds of intervals.

    Parameters
    ----------
    rows
        Intervals of a universe, sorted by asset and start.
    notes
        What is noted of their bounds.
    recorded
        When each bound after the time was recorded, by asset and bound: microseconds.
    after
        Microseconds.
    """
    follows = np.zeros(len(rows), bool)
    follows[1:] = (rows.asset[1:] == rows.asset[:-1]) & (rows.start[1:] == rows.end[:-1])
    followed = np.append(follows[1:], False) if len(rows) else follows
    starts = np.flatnonzero(rows.start > after)
    ends = np.flatnonzero((rows.end > after) & (rows.end < MAX_MICROS) & ~followed)
    asset = np.concatenate([rows.asset[starts], rows.asset[ends]])
    at = np.concatenate([rows.start[starts], rows.end[ends]])
    kind = np.concatenate([np.where(follows[starts], "reweighted", "enters"), np.full(len(ends), "leaves")])
    weight = np.concatenate([rows.weight[starts], np.full(len(ends), np.nan)])
    bounds = list(zip(asset.tolist(), at.tolist(), strict=True))
    noted = zip(notes.asset.tolist(), notes.effective_at.tolist(), strict=True)
    said = dict(zip(noted, notes.announced_at.tolist(), strict=True))
    announced = np.array([said.get(bound, MAX_MICROS) for bound in bounds], np.int64)
    return Moves(asset, at, kind, weight, announced, np.array([recorded[bound] for bound in bounds], np.int64))
