"""The lake against a plain model: a dict of rows, and a list of what it was at each version."""

import math
import shutil
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from mainsequence.domain.series import RowSelection, SeriesQuery, WideQuery
from mainsequence.errors import ExistingRowsError
from mainsequence.platform.lake import Lake
from tests.lake.tables import PRICES, prices, rows_of

Key = tuple[datetime, str]
Values = tuple[float | None, int | None]
Rows = dict[Key, Values]

NEW_YEAR = datetime(2020, 1, 1, tzinfo=UTC)
STAMPS = [NEW_YEAR + timedelta(days=200 * step, microseconds=part) for step in range(-3, 4) for part in (-1, 0, 1)]
ASSETS = ["a", "b", "c"]

keys = st.tuples(st.sampled_from(STAMPS), st.sampled_from(ASSETS))
values = st.tuples(st.none() | st.floats(), st.none() | st.integers(-(2**63), 2**63 - 1))
tables = st.dictionaries(keys, values, max_size=12)
bounds = st.none() | st.sampled_from(STAMPS)
assets = st.none() | st.lists(st.sampled_from([*ASSETS, "zz"]), unique=True).map(tuple)


def same(found: list[tuple[object, ...]], rows: Rows) -> bool:
    expected = [(str(time), asset, *rows[time, asset]) for time, asset in sorted(rows)]
    return repr([(str(time), *rest) for time, *rest in found]) == repr(expected)  # repr: NaN equals itself


def positive_zero(rows: Rows) -> Rows:
    return {key: (0.0 if close == 0 else close, volume) for key, (close, volume) in rows.items()}


class LakeModel(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.lake = Lake(self.folder)
        self.lake.create("prices", PRICES)
        self.versions: list[Rows] = [{}]

    def teardown(self) -> None:
        shutil.rmtree(self.folder)

    @property
    def now(self) -> Rows:
        return self.versions[-1]

    def becomes(self, rows: Rows) -> None:
        if repr(sorted(rows.items())) != repr(sorted(self.now.items())):
            self.versions.append(rows)

    @rule(rows=tables.map(positive_zero))
    def upsert(self, rows: Rows) -> None:
        outcome = self.lake.upsert("prices", self.table(rows))
        assert outcome.inserted == len(rows.keys() - self.now.keys())
        self.becomes(self.now | rows)
        assert outcome.version == len(self.versions) - 1

    @rule(rows=tables.map(positive_zero))
    def append(self, rows: Rows) -> None:
        if rows.keys() & self.now.keys():
            with pytest.raises(ExistingRowsError):
                self.lake.append("prices", self.table(rows))
        else:
            self.lake.append("prices", self.table(rows))
            self.becomes(self.now | rows)

    @rule(rows=tables.map(positive_zero), chosen=st.tuples(bounds, bounds, assets))
    def replace(self, rows: Rows, chosen: tuple[datetime | None, datetime | None, tuple[str, ...] | None]) -> None:
        selection = self.selection(chosen)
        inside = {key: row for key, row in rows.items() if self.selects(selection, key)}
        self.lake.replace("prices", self.table(inside), selection)
        self.becomes({key: row for key, row in self.now.items() if not self.selects(selection, key)} | inside)

    @rule(chosen=st.tuples(bounds, bounds, assets))
    def delete(self, chosen: tuple[datetime | None, datetime | None, tuple[str, ...] | None]) -> None:
        selection = self.selection(chosen)
        kept = {key: row for key, row in self.now.items() if not self.selects(selection, key)}
        assert self.lake.delete_rows("prices", selection).deleted == len(self.now) - len(kept)
        self.becomes(kept)

    @rule(which=st.integers(0, 1_000))
    def read_the_past(self, which: int) -> None:
        version = which % len(self.versions)
        assert same(rows_of(self.lake.read("prices", SeriesQuery(version=version))), self.versions[version])

    @rule(chosen=st.tuples(bounds, bounds, assets))
    def read_a_selection(self, chosen: tuple[datetime | None, datetime | None, tuple[str, ...] | None]) -> None:
        selection = self.selection(chosen)
        query = SeriesQuery(start=selection.start, end=selection.end, unique_identifiers=selection.unique_identifiers)
        expected = {key: row for key, row in self.now.items() if self.selects(selection, key)}
        assert same(rows_of(self.lake.read("prices", query)), expected)
        last = {asset: max(time for time, each in expected if each == asset) for _, asset in expected}
        found = rows_of(self.lake.read("prices", query.model_copy(update={"last_per_asset": True})))
        assert same(found, {(time, asset): expected[time, asset] for asset, time in last.items()})

    @rule()
    def open_again(self) -> None:
        self.lake = Lake(self.folder)

    @rule()
    def read_the_matrix(self) -> None:
        wide = self.lake.wide("prices", WideQuery(column="close"))
        assert list(wide.assets) == sorted({asset for _, asset in self.now})
        assert len(wide.times) == len({time for time, _ in self.now})
        stamps = sorted({time for time, _ in self.now})
        for row, time in enumerate(stamps):
            for column, asset in enumerate(wide.assets):
                expected = self.now.get((time, asset), (None, None))[0]
                assert repr(float(wide.values[row, column])) == repr(math.nan if expected is None else expected)

    @invariant()
    def is_the_same(self) -> None:
        assert self.lake.version("prices") == len(self.versions) - 1
        assert same(rows_of(self.lake.read("prices")), self.now)
        statistics = self.lake.statistics("prices")
        assert statistics.count == len(self.now)
        for asset in ASSETS:
            stamps = [time for time, each in self.now if each == asset]
            found = statistics.assets.get(asset)
            told = (found.first, found.last, found.count) if found else None
            assert told == ((min(stamps), max(stamps), len(stamps)) if stamps else None)

    @staticmethod
    def table(rows: Rows) -> object:
        return prices((time, asset, *row) for (time, asset), row in rows.items())

    @staticmethod
    def selection(chosen: tuple[datetime | None, datetime | None, tuple[str, ...] | None]) -> RowSelection:
        start, end, identifiers = chosen
        if start is not None and end is not None and start >= end:
            end = None
        return RowSelection(start=start, end=end, unique_identifiers=identifiers)

    @staticmethod
    def selects(selection: RowSelection, key: Key) -> bool:
        time, asset = key
        return (
            (selection.start is None or time >= selection.start)
            and (selection.end is None or time < selection.end)
            and (selection.unique_identifiers is None or asset in selection.unique_identifiers)
        )


TestLakeModel = pytest.mark.slow(LakeModel.TestCase)
TestLakeModel.settings = settings(max_examples=25, stateful_step_count=25)
