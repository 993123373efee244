"""Which rules match which assets, on coded columns. DESIGN section 5.

The values that filters name are numbered from 1, field by field; 0 stands for every other value and for none. Matching
is then a comparison of small integers, whole columns at a time; one asset is a column of length 1.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Bools: TypeAlias = npt.NDArray[np.bool_]
Codes: TypeAlias = npt.NDArray[np.unsignedinteger[Any]]
Ints: TypeAlias = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Matches:
    """What evaluating R rules for N assets found.

    Parameters
    ----------
    count
        How many rules match each asset, int32, shape (N,).
    rule
        The position of the rule where exactly one matches, else -1; int32, shape (N,).
    hits
        How many assets each rule matches, int64, shape (R,).
    """

    count: npt.NDArray[np.int32]
    rule: npt.NDArray[np.int32]
    hits: Ints


@dataclass(frozen=True, slots=True)
class Rulebook:
    """Filters as codes.

    Parameters
    ----------
    vocabulary
        For each field that some filter names: the code of each value named.
    patterns
        For each filter: the (field, code) pairs that an asset must have.
    """

    vocabulary: dict[str, dict[str | None, int]]
    patterns: tuple[tuple[tuple[str, int], ...], ...]

    @classmethod
    def of(cls, filters: Iterable[Mapping[str, str]]) -> "Rulebook":
        """Code filters, each given as field → value."""
        vocabulary: dict[str, dict[str | None, int]] = {}
        patterns = []
        for conditions in filters:
            pattern = []
            for field, value in conditions.items():
                codes = vocabulary.setdefault(field, {})
                pattern.append((field, codes.setdefault(value, len(codes) + 1)))
            patterns.append(tuple(pattern))
        return cls(vocabulary, tuple(patterns))

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that matter; no other column needs to be read."""
        return tuple(self.vocabulary)

    def encode(self, columns: Mapping[str, Sequence[str | None]]) -> dict[str, Codes]:
        """Code the columns of N assets that matter; shapes (N,)."""
        return {field: _coded(columns[field], codes) for field, codes in self.vocabulary.items()}

    def evaluate(self, codes: Mapping[str, Codes], length: int) -> Matches:
        """Match every rule against N = ``length`` assets."""
        # The narrow sums may wrap around, but not where one rule matches, and nowhere else is the place read.
        kind: type[np.unsignedinteger[Any]] = np.uint8 if len(self.patterns) < 256 else np.uint32
        count, places = np.zeros(length, kind), np.zeros(length, kind)
        hits = np.zeros(len(self.patterns), np.int64)
        conditions = _Conditions(codes, length)
        for place, pattern in enumerate(self.patterns):
            matched = conditions.all_of(pattern)
            hits[place] = np.count_nonzero(matched)
            if hits[place]:
                ones = matched.view(np.uint8)
                count += ones
                places += ones * kind(place)
        return Matches(count.astype(np.int32), np.where(count == 1, places.astype(np.int32), np.int32(-1)), hits)

    def table(self, codes: Mapping[str, Codes], positions: Ints) -> Bools:
        """Say for some assets which rules match; shape (R, len(positions))."""
        some = {field: column[positions] for field, column in codes.items()}
        conditions = _Conditions(some, len(positions))
        rows = [conditions.all_of(pattern) for pattern in self.patterns]
        return np.array(rows, np.bool_).reshape(len(self.patterns), len(positions))

    def compatible(self) -> Bools:
        """Say which pairs of rules no field tells apart, so that an asset could match both; symmetric, shape (R, R)."""
        size = len(self.patterns)
        together = np.ones((size, size), np.bool_)
        for field in self.vocabulary:
            asked = np.array([dict(pattern).get(field, 0) for pattern in self.patterns], np.int64)
            together &= (asked == asked[:, None]) | (asked == 0) | (asked[:, None] == 0)
        return together


class _Conditions:
    """Conditions on coded columns, each compared once however many rules ask for it."""

    def __init__(self, codes: Mapping[str, Codes], length: int) -> None:
        self._codes = codes
        self._everyone = np.ones(length, np.bool_)
        self._known: dict[tuple[str, int], Bools] = {}

    def all_of(self, pattern: tuple[tuple[str, int], ...]) -> Bools:
        """Say who fulfils every condition of a pattern."""
        if not pattern:
            return self._everyone
        found = self._one(pattern[0])
        for condition in pattern[1:]:
            found = found & self._one(condition)
        return found

    def _one(self, condition: tuple[str, int]) -> Bools:
        found = self._known.get(condition)
        if found is None:
            field, code = condition
            found = self._known[condition] = self._codes[field] == code
        return found


def _coded(values: Sequence[str | None], codes: Mapping[str | None, int]) -> Codes:
    kind: type[np.unsignedinteger[Any]] = np.uint8 if len(codes) < 256 else np.uint32
    return np.fromiter(map(codes.get, values, repeat(0)), kind, len(values))


def overlapping(matched: Bools) -> list[tuple[int, int, int]]:
    """Give each pair of rules (the lower first) that match an asset together, and the position of the first such asset.

    Parameters
    ----------
    matched
        Which rules match which assets, shape (R, N).
    """
    together = matched.astype(np.int64) @ matched.T.astype(np.int64)
    first, second = np.nonzero(np.triu(together, 1))
    pairs = zip(first.tolist(), second.tolist(), strict=True)
    return [(a, b, int(np.argmax(matched[a] & matched[b]))) for a, b in pairs]
