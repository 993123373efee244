from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest

import mainsequence.client as msc
from mainsequence.errors import (
    InvalidIntervalError,
    NaiveTimestampError,
    NotFoundError,
    UnknownFieldError,
    ValidationError,
)
from mainsequence.tdag import APIDataNode, DataNode
from mainsequence.tdag.reading import ReadableNode
from tests.tdag.nodes import Days, Emitting, day, frame

ALL = [(day(n), name) for n in range(4) for name in "ab"]


@pytest.fixture(params=["node", "series"])
def stored(request: pytest.FixtureRequest) -> ReadableNode:
    """Four days of two assets, read through their node and through the series alone."""
    node = Days()
    node.run(now=day(3))
    return node if request.param == "node" else APIDataNode.build_from_identifier(node.identifier)


def keys(rows: pd.DataFrame) -> list[tuple[datetime, str]]:
    return [(time.to_pydatetime(), name) for time, name in rows.index]


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        ({}, ALL),
        ({"start_date": day(2)}, ALL[4:]),
        ({"start_date": day(2), "great_or_equal": False}, ALL[6:]),
        ({"end_date": day(1)}, ALL[:4]),
        ({"end_date": day(1), "less_or_equal": False}, ALL[:2]),
        ({"start_date": "2024-01-02", "end_date": "2024-01-02"}, ALL[2:4]),
        ({"start_date": day(1), "end_date": day(1), "great_or_equal": False}, []),
        ({"start_date": day(1), "end_date": day(1), "less_or_equal": False}, []),
        ({"start_date": day(1), "end_date": day(1), "great_or_equal": False, "less_or_equal": False}, []),
        ({"start_date": day(2), "end_date": day(1), "great_or_equal": False}, []),
        ({"unique_identifier_list": ["b", "stranger"]}, ALL[1::2]),
        ({"unique_identifier_list": []}, []),
    ],
    ids=str,
)
def test_a_range_of_time_is_read(stored: ReadableNode, asked: dict[str, Any], wanted: list[Any]):
    rows = stored.get_df_between_dates(**asked)
    assert keys(rows) == wanted
    assert list(rows.columns) == ["close"]


def test_what_a_range_cannot_be_is_refused(stored: ReadableNode):
    with pytest.raises(InvalidIntervalError, match="lies before start_date 2024-01-03"):
        stored.get_df_between_dates(day(2), day(1))
    with pytest.raises(NaiveTimestampError):
        stored.get_df_between_dates(datetime(2024, 1, 1))  # noqa: DTZ001
    with pytest.raises(UnknownFieldError, match="'volume'"):
        stored.get_df_between_dates(columns=["volume"])
    with pytest.raises(ValidationError, match="takes a list"):
        stored.get_df_between_dates(unique_identifier_list="a")


def test_each_asset_is_read_over_its_own_range_in_one_read(stored: ReadableNode, monkeypatch: pytest.MonkeyPatch):
    reads = []
    whole = msc.Series.read_arrow

    def counted(series: msc.Series, *args: Any, **kwargs: Any) -> Any:
        reads.append(kwargs)
        return whole(series, *args, **kwargs)

    monkeypatch.setattr(msc.Series, "read_arrow", counted)
    rows = stored.get_ranged_data_per_asset(
        {
            "a": {"start_date": day(2), "start_date_operand": ">"},
            "b": {"start_date": day(1), "end_date": day(2), "end_date_operand": "<"},
            "stranger": {},
        }
    )
    assert keys(rows) == [(day(1), "b"), (day(3), "a")]
    assert len(reads) == 1


@pytest.mark.parametrize(
    ("descriptor", "wanted"),
    [
        ({}, []),
        ({"a": {"start_date": day(3)}}, ALL[6:7]),
        ({"a": {"start_date": day(3), "start_date_operand": ">", "end_date": day(3)}}, []),
        ({"a": {"start_date": day(3), "start_date_operand": ">", "end_date": day(1)}, "b": {}}, ALL[1::2]),
        ({"a": {"start_date": None}, "b": {"start_date": day(3)}}, [ALL[0], ALL[2], ALL[4], ALL[6], ALL[7]]),
    ],
    ids=str,
)
def test_ranges_may_be_open_or_empty(stored: ReadableNode, descriptor: dict[str, Any], wanted: list[Any]):
    assert keys(stored.get_ranged_data_per_asset(descriptor)) == wanted


@pytest.mark.parametrize(
    "wrong",
    [{"start": day(0)}, {"start_date": day(0), "start_date_operand": "=>"}, {"start_date": day(2), "end_date": day(1)}],
    ids=str,
)
def test_a_wrong_range_is_refused(stored: ReadableNode, wrong: dict[str, Any]):
    with pytest.raises(ValidationError):
        stored.get_ranged_data_per_asset({"a": wrong})


def test_the_last_observation_of_each_asset_is_read(stored: ReadableNode):
    assert keys(stored.get_last_observation()) == ALL[6:]
    asset = msc.Asset.create(unique_identifier="b")
    assert keys(stored.get_last_observation([asset])) == ALL[7:]
    assert keys(stored.get_last_observation(["a"])) == ALL[6:7]
    with pytest.raises(ValidationError, match="takes a list"):
        stored.get_last_observation("a")


def test_engines_read_arrow_and_matrices(stored: ReadableNode):
    table = stored.read_arrow(["close"], start=day(1), end=day(3))
    assert table.column_names == ["time_index", "unique_identifier", "close"]
    assert table["close"].to_pylist() == [1.0, 2.0, 2.0, 3.0]
    matrix = stored.wide("close", unique_identifiers=["b", "none", "a"], start=day(2))
    np.testing.assert_array_equal(matrix.values, [[3.0, np.nan, 2.0], [4.0, np.nan, 3.0]])
    assert stored.wide("close", start=day(2), end=day(2)).values.shape == (0, 2)


def test_a_series_that_does_not_exist_is_not_empty_but_refused():
    Emitting("prices_daily", frame({(day(0), "a"): 1.0})).run()
    node = APIDataNode("price_daily")
    assert node.series is None
    for read in (node.get_df_between_dates, node.get_last_observation, lambda: node.wide("close")):
        with pytest.raises(NotFoundError, match=r"no series 'price_daily'. Did you mean prices_daily\?"):
            read()
    with pytest.raises(NotFoundError):
        APIDataNode.build_from_identifier("price_daily")


def test_a_series_of_others_cannot_be_run():
    assert not hasattr(APIDataNode("x"), "run")
    assert not APIDataNode("x").updatable
    assert DataNode.updatable


# -- statistics


def test_statistics_say_where_an_update_continues():
    seen = []
    node = Emitting("irregular", lambda each: seen.append(each.update_statistics))
    node.gives = lambda _: frame({(day(0), "a"): 1.0, (day(2), "b"): 2.0})
    node.run()
    found = node.update_statistics
    assert found.max_time_index_value == day(2)
    assert (found.last_of("a"), found.last_of("b"), found.last_of("c")) == (day(0), day(2), None)
    assert found.last_of("c", day(-1)) == day(-1)
    assert (found.start_of(), found.start_of("a"), found.start_of("c", day(-5))) == (day(2), day(0), day(-5))
    assert not found.is_empty
    assert found.range_descriptor() == {
        "a": {"start_date": day(0), "start_date_operand": ">"},
        "b": {"start_date": day(2), "start_date_operand": ">"},
    }


def test_a_series_of_others_says_how_far_it_reaches(stored: ReadableNode):
    assert stored.update_statistics.max_time_index_value == day(3)
    assert stored.update_statistics.last_of("b") == day(3)


def test_statistics_are_those_of_the_assets_of_the_node():
    class Some(Emitting):
        def get_asset_list(self) -> list[msc.Asset]:
            return msc.Asset.filter(unique_identifier__in=["a", "c"])

    msc.Asset.batch_get_or_register_custom_assets([{"unique_identifier": name} for name in "abc"])
    node = Some("some", lambda _: frame({(day(0), "a"): 1.0, (day(2), "b"): 2.0}))
    node.run()
    found = node.update_statistics
    assert [asset.unique_identifier for asset in found.asset_list] == ["a", "c"]
    assert found.max_time_index_value == day(0)
    assert found.last == {"a": day(0)}
    assert found.range_descriptor(day(-3)) == {
        "a": {"start_date": day(0), "start_date_operand": ">"},
        "c": {"start_date": day(-3), "start_date_operand": ">="},
    }
