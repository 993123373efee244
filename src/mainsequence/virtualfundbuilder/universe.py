"""The universe of a run: an asset category read once, at one revision, as it was at each date (DESIGN section 8)."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from mainsequence.client.assets import Asset
from mainsequence.client.categories import AssetCategory, find_universe
from mainsequence.compute.intervals import coverage
from mainsequence.domain.categories import Revision
from mainsequence.domain.identifiers import check_universe_identifier
from mainsequence.domain.times import MAX_MICROS, MIN_MICROS, to_micros
from mainsequence.errors import UnknownRevisionError, ValidationError

if TYPE_CHECKING:
    import pandas as pd

Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


def split_pin(reference: str) -> tuple[str, int | None]:
    """Read ``name`` or ``name@12`` as a name and, where it is pinned, a revision.

    Raises
    ------
    ValidationError
        What follows the ``@`` is no revision.
    """
    name, at, revision = reference.partition("@")
    if at and not revision.isdecimal():
        raise ValidationError(
            f"{reference!r} pins {revision!r}, which is no revision.", hint=f"Write {name}@12, or {name} for the head."
        )
    return name, int(revision) if at else None


def check_pin(reference: str) -> str:
    """Accept ``name`` or ``name@12``.

    Raises
    ------
    ValidationError
        The name is no identifier of a universe, or what follows the ``@`` is no revision.
    """
    check_universe_identifier(split_pin(reference)[0])
    return reference


@dataclass(frozen=True)
class PinnedUniverse:
    """An asset category at one revision.

    Parameters
    ----------
    category
        The category.
    revision
        The revision at which everything is read.
    """

    category: AssetCategory
    revision: int

    @classmethod
    def pin(cls, reference: str) -> "PinnedUniverse":
        """Find a universe and hold it at the revision it names, or at its head.

        Raises
        ------
        NotFoundError
            There is no such category.
        UnknownRevisionError
            It never had that revision.
        """
        name, revision = split_pin(reference)
        category = find_universe(name)
        if revision is not None and revision > category.revision:
            raise UnknownRevisionError(
                f"{name} has no revision {revision}; its head is {category.revision}.",
                hint="history() lists the revisions.",
            )
        return cls(category, category.revision if revision is None else revision)

    @property
    def name(self) -> str:
        """The identifier of the category."""
        return self.category.unique_identifier

    @property
    def reference(self) -> str:
        """The identifier with the revision: reads the same members for ever."""
        return f"{self.name}@{self.revision}"

    @cached_property
    def intervals(self) -> "pd.DataFrame":
        """Every validity interval, read once."""
        return self.category.members(revision=self.revision)

    @cached_property
    def identifiers(self) -> tuple[str, ...]:
        """Everyone who was ever a member, sorted."""
        return tuple(sorted(set(self.intervals["unique_identifier"])))

    @cached_property
    def assets(self) -> list[Asset]:
        """Everyone who was ever a member, retired assets too."""
        ids = sorted({int(each) for each in self.intervals["asset_id"]})
        return Asset.filter(id__in=ids, include_retired=True) if ids else []

    def mask(self, stamps: Integers, columns: tuple[str, ...]) -> Flags:
        """Tell who was a member at each stamp.

        Parameters
        ----------
        stamps
            int64[T], microseconds UTC, ascending.
        columns
            N unique identifiers.

        Returns
        -------
        bool[T, N]
            False for those who never were.
        """
        place = {name: at for at, name in enumerate(columns)}
        rows = self.intervals[self.intervals["unique_identifier"].isin(columns)]
        column = np.array([place[name] for name in rows["unique_identifier"]], dtype=np.int64)
        start, end = _micros(rows["valid_from"], MIN_MICROS), _micros(rows["valid_to"], MAX_MICROS)
        return coverage(stamps, column, start, end, len(columns))

    def hindsight(self, start: int, end: int) -> list[Revision]:
        """List the edits recorded in ``(start, end]`` that changed who was a member for all time.

        A universe that such an edit touched while the period ran has, for the dates before it, members that nobody
        could know then (METHODOLOGY section 3). Dated universes, and edits with dates, are never listed.
        """
        if self.category.dated:
            return []
        edits = [each for each in self.category.history() if each.revision <= self.revision]
        inside = [each for each in edits if start < to_micros(each.recorded_at) <= end]
        if not inside or not _for_all_time(self._at(inside[0].revision - 1), self._at(inside[-1].revision)):
            return []
        states = {number: self._at(number) for number in _around(inside)}
        return [each for each in inside if _for_all_time(states[each.revision - 1], states[each.revision])]

    def _at(self, revision: int) -> "pd.DataFrame":
        return self.intervals if revision == self.revision else self.category.members(revision=revision)


def _around(edits: list[Revision]) -> set[int]:
    return {each.revision - 1 for each in edits} | {each.revision for each in edits}


def _for_all_time(before: "pd.DataFrame", after: "pd.DataFrame") -> bool:
    """Tell whether, from one state to the next, assets became members for all time or lost all their time."""
    return bool(_always(after) - _always(before) or _ever(before) - _ever(after))


def _always(rows: "pd.DataFrame") -> set[str]:
    return _ever(rows[rows["valid_from"].isna() & rows["valid_to"].isna()])


def _ever(rows: "pd.DataFrame") -> set[str]:
    return set(rows["unique_identifier"])


def _micros(column: "pd.Series[Any]", infinity: int) -> Integers:
    stamps = column.dt.as_unit("us").astype("int64").to_numpy(copy=True)
    return np.where(column.isna().to_numpy(), infinity, stamps)


def edit_facts(edit: Revision) -> dict[str, Any]:
    """Write an edit for a report."""
    return {
        "revision": edit.revision,
        "recorded_at": edit.recorded_at.isoformat(),
        "actor": edit.actor,
        "operation": edit.operation,
        "reason": edit.reason,
        "added": edit.added,
        "removed": edit.removed,
    }
