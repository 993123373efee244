"""Statistics are right at once after every kind of write, in this process and in a new one."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mainsequence.domain.series import RowSelection, SeriesSchema
from mainsequence.platform.lake import Lake
from tests.lake.tables import PRICES, at, prices

START = [(at(2020, 1, day), asset, 1.0, 1) for day in (1, 2, 3) for asset in ("a", "b")]
WRITES: dict[str, Callable[[Lake], Any]] = {
    "append": lambda lake: lake.append("prices", prices([(at(2022), "c", 1.0, 1)])),
    "insert before": lambda lake: lake.upsert("prices", prices([(at(2018), "a", 1.0, 1)])),
    "update": lambda lake: lake.upsert("prices", prices([(at(2020), "a", 9.0, 1)])),
    "nothing": lambda lake: lake.upsert("prices", prices(START)),
    "delete the first": lambda lake: lake.delete_rows("prices", RowSelection(end=at(2020, 1, 2))),
    "delete the last of one": lambda lake: lake.delete_rows(
        "prices", RowSelection(start=at(2020, 1, 3), unique_identifiers=("a",))
    ),
    "delete an asset": lambda lake: lake.delete_rows("prices", RowSelection(unique_identifiers=("b",))),
    "delete everything": lambda lake: lake.delete_rows("prices", RowSelection()),
    "replace": lambda lake: lake.replace("prices", prices([(at(2021), "d", 1.0, 1)])),
}
EXPECTED: dict[str, dict[str, tuple[Any, Any, int]]] = {
    "append": {
        "a": (at(2020, 1, 1), at(2020, 1, 3), 3),
        "b": (at(2020, 1, 1), at(2020, 1, 3), 3),
        "c": (at(2022), at(2022), 1),
    },
    "insert before": {"a": (at(2018), at(2020, 1, 3), 4), "b": (at(2020, 1, 1), at(2020, 1, 3), 3)},
    "update": {"a": (at(2020, 1, 1), at(2020, 1, 3), 3), "b": (at(2020, 1, 1), at(2020, 1, 3), 3)},
    "nothing": {"a": (at(2020, 1, 1), at(2020, 1, 3), 3), "b": (at(2020, 1, 1), at(2020, 1, 3), 3)},
    "delete the first": {"a": (at(2020, 1, 2), at(2020, 1, 3), 2), "b": (at(2020, 1, 2), at(2020, 1, 3), 2)},
    "delete the last of one": {"a": (at(2020, 1, 1), at(2020, 1, 2), 2), "b": (at(2020, 1, 1), at(2020, 1, 3), 3)},
    "delete an asset": {"a": (at(2020, 1, 1), at(2020, 1, 3), 3)},
    "delete everything": {},
    "replace": {"d": (at(2021), at(2021), 1)},
}


@pytest.mark.parametrize("kind", WRITES)
@pytest.mark.parametrize("asked_before", [True, False])
def test_statistics_are_right_after_every_kind_of_write(lake: Lake, kind: str, asked_before: bool) -> None:
    lake.append("prices", prices(START))
    if asked_before:
        assert lake.statistics("prices").count == 6
    WRITES[kind](lake)
    for each in (lake, Lake(lake.root)):
        found = each.statistics("prices")
        assets = {name: (asset.first, asset.last, asset.count) for name, asset in found.assets.items()}
        assert assets == EXPECTED[kind]
        assert found.version == each.version("prices")
        assert found.count == sum(count for _, _, count in assets.values())
        assert found.min_time == min((first for first, _, _ in assets.values()), default=None)
        assert found.max_time == max((last for _, last, _ in assets.values()), default=None)
    assert lake.statistics("prices", version=1).count == 6


def test_statistics_of_an_empty_series(lake: Lake) -> None:
    found = lake.statistics("prices")
    assert (found.version, found.count, found.min_time, found.max_time, found.assets) == (0, 0, None, None, {})


def test_statistics_of_a_series_without_assets(lake: Lake) -> None:
    lake.create("values", SeriesSchema.of({"close": "float64"}, by_asset=False))
    lake.append("values", prices(START[::2]).select(["time_index", "close"]))
    found = lake.statistics("values")
    assert (found.count, found.min_time, found.max_time, found.assets) == (3, at(2020), at(2020, 1, 3), {})


@pytest.mark.parametrize("damage", ["removed", "garbage", "cut"])
def test_a_damaged_cache_is_computed_again(tmp_path: Path, damage: str) -> None:
    lake = Lake(tmp_path)
    lake.create("prices", PRICES)
    lake.append("prices", prices(START))
    expected = lake.statistics("prices")
    for file in (tmp_path / ".derived").rglob("*.*"):
        if damage == "removed":
            file.unlink()
        else:
            file.write_bytes(b"\0\1garbage" if damage == "garbage" else file.read_bytes()[:-3])
    assert Lake(tmp_path).statistics("prices") == expected
