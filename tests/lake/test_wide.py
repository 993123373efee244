"""The matrix of a column holds every value in its place, at any version."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mainsequence.contract.arrow import WideMatrix
from mainsequence.domain.series import SeriesSchema, WideQuery
from mainsequence.errors import SchemaMismatchError, UnknownFieldError
from mainsequence.platform.lake import Lake
from tests.lake.tables import at, prices

DAY = 86_400_000_000
FIRST = 1_577_836_800_000_000  # 2020-01-01
ROWS = [
    (at(2020, 1, 1), "b", 1.0, 1),
    (at(2020, 1, 2), "a", 2.0, None),
    (at(2020, 1, 2), "b", None, 3),
    (at(2021), "c", 4.0, 4),
]
NAN = float("nan")


def wide(lake: Lake, **query: Any) -> WideMatrix:
    found = lake.wide("prices", WideQuery.parse({"column": "close"} | query))
    through_arrow = WideMatrix.from_table(found.to_table())
    np.testing.assert_array_equal(through_arrow.values, found.values)
    np.testing.assert_array_equal(through_arrow.times, found.times)
    assert (through_arrow.assets, through_arrow.version) == (found.assets, found.version)
    return through_arrow


def check(found: WideMatrix, times: list[int], assets: tuple[str, ...], values: list[list[float]]) -> None:
    assert found.times.tolist() == times
    assert found.times.dtype == np.int64
    assert found.assets == assets
    assert found.values.dtype == np.float64
    assert found.values.shape == (len(times), len(assets))
    np.testing.assert_array_equal(found.values, np.array(values).reshape(len(times), len(assets)))


TIMES = [FIRST, FIRST + DAY, FIRST + 366 * DAY]


@pytest.mark.parametrize("again", [False, True])
def test_values_stand_in_their_places(lake: Lake, again: bool) -> None:
    lake.append("prices", prices(ROWS))
    if again:
        wide(lake)
    check(wide(lake), TIMES, ("a", "b", "c"), [[NAN, 1, NAN], [2, NAN, NAN], [NAN, NAN, 4]])
    check(wide(lake, column="volume"), TIMES, ("a", "b", "c"), [[NAN, 1, NAN], [NAN, 3, NAN], [NAN, NAN, 4]])


def test_a_range_and_assets_in_the_order_asked(lake: Lake) -> None:
    lake.append("prices", prices(ROWS))
    found = wide(lake, start=at(2020, 1, 2), end=at(2021), unique_identifiers=["b", "zz", "a"])
    check(found, TIMES[1:2], ("b", "zz", "a"), [[NAN, NAN, 2]])
    check(wide(lake, end=at(2021), end_inclusive=True, unique_identifiers=["c"]), TIMES, ("c",), [[NAN], [NAN], [4]])
    check(wide(lake, start=at(2022)), [], ("a", "b", "c"), [])
    check(wide(lake, unique_identifiers=[]), TIMES, (), [])


def test_every_version_has_its_own_matrix(lake: Lake) -> None:
    for number in range(4):
        lake.upsert("prices", prices([(at(2020), "a", float(number), 0), (at(2020), f"x{number}", 1.0, 0)]))
    for version in (1, 4, 2, 3, 4, 0):
        found = wide(lake, version=version)
        assert found.version == version
        assert found.assets == (("a", *(f"x{number}" for number in range(version))) if version else ())
        assert found.values[:, :1].tolist() == ([[version - 1.0]] if version else [])
    assert wide(lake).version == 4


def test_a_write_is_seen_at_once(lake: Lake) -> None:
    lake.append("prices", prices(ROWS))
    wide(lake)
    lake.upsert("prices", prices([(at(2020), "b", 7.0, 1)]))
    assert wide(lake).values[0, 1] == 7.0


@pytest.mark.parametrize("damage", ["removed", "garbage", "cut"])
def test_a_damaged_cache_is_computed_again(lake: Lake, tmp_path: Path, damage: str) -> None:
    lake.append("prices", prices(ROWS))
    expected = wide(lake)
    for file in tmp_path.rglob("wide-close/*/*"):
        if damage == "removed":
            file.unlink()
        else:
            file.write_bytes(b"\0\1garbage" if damage == "garbage" else file.read_bytes()[:-3])
    np.testing.assert_array_equal(wide(Lake(lake.root)).values, expected.values)


def test_columns_without_numbers_are_refused(lake: Lake) -> None:
    lake.create("texts", SeriesSchema.of({"name": "string"}))
    lake.create("values", SeriesSchema.of({"close": "float64"}, by_asset=False))
    with pytest.raises(SchemaMismatchError, match="is of string"):
        lake.wide("texts", WideQuery(column="name"))
    with pytest.raises(SchemaMismatchError, match="without assets"):
        lake.wide("values", WideQuery(column="close"))
    with pytest.raises(UnknownFieldError, match="close, volume"):
        wide(lake, column="open")


def test_a_matrix_from_the_lake_cannot_be_changed_by_accident(lake: Lake) -> None:
    lake.append("prices", prices(ROWS))
    with pytest.raises(ValueError, match="read-only"):
        wide(lake).values[0, 0] = 1.0
