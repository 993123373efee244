"""The universe of a run: an asset category read once, at one revision, as it was at each date (DESIGN section 8)."""

from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from mainsequence.client.assets import Asset
from mainsequence.client.categories import AssetCategory, find_pinned
from mainsequence.client.connection import carrier
from mainsequence.compute.intervals import coverage
from mainsequence.contract.categories import MEMBERS, Span
from mainsequence.domain.categories import Revision
from mainsequence.domain.pins import written
from mainsequence.domain.times import MAX_MICROS, MIN_MICROS, to_micros
from mainsequence.virtualfundbuilder.columns import positions

if TYPE_CHECKING:
    import pyarrow as pa

Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

EXPRESSION = "expression"
"""The kind of universes that are made from others."""


@dataclass(frozen=True)
class PinnedUniverse:
    """An asset category as it was recorded at one revision, or, made from others, as it was known at one time.

    Parameters
    ----------
    category
        The category, read at a pin.
    """

    category: AssetCategory

    @classmethod
    def pin(cls, reference: str) -> "PinnedUniverse":
        """Find a universe and hold it at the state that its pin means (``@12``, ``@2024-06-28``), or at its head.

        Raises
        ------
        NotFoundError
            There is no such category.
        UnknownRevisionError
            It never was in that state.
        """
        return cls(find_pinned(reference))

    @property
    def name(self) -> str:
        """The identifier of the category."""
        return self.category.unique_identifier

    @property
    def revision(self) -> int:
        """The revision at which everything is read."""
        return self.category.revision

    @property
    def reference(self) -> str:
        """The identifier with the state: reads the same members for ever."""
        return f"{self.name}@{self.revision}" if self.category.kind != EXPRESSION else str(self.category.pin)

    @cached_property
    def intervals(self) -> "Spells":
        """Every validity interval, read once."""
        state = self.category.pinned
        span = Span() if state is None else Span(revision=state.revision, known_at=state.known_at)
        return Spells.of(carrier().call(MEMBERS, span, key=self.category.id))

    @property
    def identifiers(self) -> tuple[str, ...]:
        """Everyone who was ever a member, sorted."""
        return self.intervals.labels

    @cached_property
    def assets(self) -> list[Asset]:
        """Everyone who was ever a member, retired assets too."""
        ids = np.unique(self.intervals.asset_id).tolist()
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
        rows = self.intervals
        column = positions(rows.labels, columns)[rows.code] if rows.labels else rows.code
        known = column >= 0
        return coverage(stamps, column[known], rows.start[known], rows.end[known], len(columns))

    def hindsight(self, start: int, end: int) -> list[Revision]:
        """List the edits recorded in ``(start, end]`` that changed who was a member for all time.

        A universe that such an edit touched while the period ran has, for the dates before it, members that nobody
        could know then (METHODOLOGY section 3). Dated universes, and edits with dates, are never listed; of a universe
        that is made from others, the edits of those are.
        """
        if self.category.kind == EXPRESSION:
            return [edit for source in self._sources() for edit in source.hindsight(start, end)]
        if self.category.dated:
            return []
        edits = self.category.history()
        inside = [each for each in edits if start < to_micros(each.recorded_at) <= end]
        if not inside or not _for_all_time(self._at(inside[0].revision - 1), self._at(inside[-1].revision)):
            return []
        states = {number: self._at(number) for number in _around(inside)}
        return [each for each in inside if _for_all_time(states[each.revision - 1], states[each.revision])]

    def _sources(self) -> "list[PinnedUniverse]":
        return [self.pin(f"{name}@{revision}") for name, revision in self.category.stamp().sources.items()]

    def before(self, edit: Revision) -> str:
        """Name the state before an edit, as a pin."""
        if self.category.kind != EXPRESSION:
            return f"{self.name}@{edit.revision - 1}"
        return f"{self.name}@{written(edit.recorded_at - timedelta(microseconds=1))}"

    def _at(self, revision: int) -> "Spells":
        if revision == self.revision and "intervals" in self.__dict__:
            return self.intervals
        return Spells.of(carrier().call(MEMBERS, Span(revision=revision), key=self.category.id))


@dataclass(frozen=True, eq=False)
class Spells:
    """Validity intervals ``[start, end)`` of the members of a universe, as arrays of equal length.

    Parameters
    ----------
    labels
        Everyone who has one, sorted.
    code
        Position of the asset among the labels.
    asset_id
        Its id.
    start, end
        Microseconds UTC, infinities as sentinels.
    """

    labels: tuple[str, ...]
    code: Integers
    asset_id: Integers
    start: Integers
    end: Integers

    @classmethod
    def of(cls, table: "pa.Table") -> "Spells":
        """Read them from the answer of the platform."""
        coded = table.column("unique_identifier").combine_chunks().dictionary_encode()
        names = np.array(coded.dictionary.to_pylist(), dtype=object)
        order = np.argsort(names)
        place = np.empty(len(names), dtype=np.int64)
        place[order] = np.arange(len(names))
        code = place[coded.indices.to_numpy(zero_copy_only=False).astype(np.int64)]
        ids = np.asarray(table.column("asset_id").to_numpy(), dtype=np.int64)
        start, end = _bounds(table, "valid_from", MIN_MICROS), _bounds(table, "valid_to", MAX_MICROS)
        return cls(tuple(names[order].tolist()), code, ids, start, end)

    def always(self) -> set[str]:
        """Name those who are members for all time."""
        whole = (self.start == MIN_MICROS) & (self.end == MAX_MICROS)
        return {self.labels[at] for at in self.code[whole]}


def _bounds(table: "pa.Table", name: str, infinity: int) -> Integers:
    return np.asarray(table.column(name).cast("int64").fill_null(infinity).to_numpy(), dtype=np.int64)


def _around(edits: list[Revision]) -> set[int]:
    return {each.revision - 1 for each in edits} | {each.revision for each in edits}


def _for_all_time(before: Spells, after: Spells) -> bool:
    """Tell whether, from one state to the next, assets became members for all time or lost all their time."""
    return bool(after.always() - before.always() or set(before.labels) - set(after.labels))


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
