"""Interpolated prices: routed, on their calendar's grid, filled, never from the future (METHODOLOGY sections 1, 2)."""

from typing import Any

import pandas as pd
import pytest

import mainsequence.client as msc
from mainsequence.errors import (
    NoRouteError,
    SchemaMismatchError,
    StaleRouteError,
    UnknownAssetsError,
    UnknownCalendarError,
    UnknownFieldError,
    ValidationError,
)
from mainsequence.virtualfundbuilder import InterpolatedPrices, PricesConfiguration
from tests.virtualfundbuilder.market import SERIES, SESSIONS, TABLE, UNIVERSE, bars, market, register, routes, store


def prices(*names: str, universe: str | None = None, **rules: Any) -> InterpolatedPrices:
    given: dict[str, Any] = {"assets_category_unique_id": universe} if universe else {"asset_unique_identifiers": names}
    configuration = PricesConfiguration(**({"translation_table_unique_id": TABLE} | rules))
    return InterpolatedPrices(prices_configuration=configuration, **given)


def run(*names: str, **given: Any) -> InterpolatedPrices:
    node = prices(*names, **given)
    node.run(show_progress=False)
    return node


def column(node: InterpolatedPrices, name: str, of: str = "close") -> list[Any]:
    rows = node.get_df_between_dates(unique_identifier_list=[name])
    return [None if pd.isna(each) else each for each in rows[of]]


def stamps(node: InterpolatedPrices, name: str) -> list[str]:
    rows = node.get_df_between_dates(unique_identifier_list=[name])
    return [f"{stamp:%Y-%m-%d %H:%M}" for stamp in rows.index.get_level_values(0)]


def test_daily_bars_at_midnight_are_moved_to_the_close_of_their_session():
    market({"A": [1, 2, 3]}, ["2024-07-02", "2024-07-03", "2024-07-05"])  # the 3rd closes early, the 4th is a holiday
    node = run("A")
    assert stamps(node, "A") == ["2024-07-02 20:00", "2024-07-03 17:00", "2024-07-05 20:00"]
    assert column(node, "A") == [1, 2, 3]


def test_gaps_take_the_last_observed_close_and_say_so():
    market({"A": [1, None, 3], "B": [10, 11, 12]})
    node = run("A", "B")
    assert column(node, "A") == [1, 1, 3]
    assert column(node, "A", "interpolated") == [False, True, False]
    filled = node.get_df_between_dates(unique_identifier_list=["A"]).iloc[1]
    assert filled[["open", "high", "low", "vwap"]].tolist() == [1] * 4
    assert filled[["volume", "trade_count"]].tolist() == [0, 0]


def test_none_leaves_gaps():
    market({"A": [1, None, 3], "B": [10, 11, 12]})
    assert column(run("A", "B", intraday_bar_interpolation_rule="none"), "A") == [1, None, 3]


def test_nothing_exists_before_the_first_bar():
    market({"A": [None, None, 3, 4], "B": [10, 11, 12, 13]})
    assert stamps(run("A", "B"), "A") == [f"{day} 21:00" for day in SESSIONS[2:4]]


def test_a_bar_keeps_its_own_open_high_low_and_volume():
    register("A")
    whole = {"open": 9.0, "high": 12.0, "low": 8.0, "close": 10.0, "volume": 7.0}
    series = msc.Series.create(SERIES, dict.fromkeys(whole, "float64"))
    series.append(pd.DataFrame([{"time_index": pd.Timestamp(SESSIONS[0], tz="UTC"), "unique_identifier": "A"} | whole]))
    routes()
    row = run("A").get_df_between_dates().iloc[0]
    assert row[list(whole)].to_dict() == whole
    assert pd.isna(row["vwap"])


def test_the_rules_column_is_the_close():
    register("AB")
    series = msc.Series.create(SERIES, {"close": "float64", "adjusted": "float64", "open": "float64"})
    frame = bars({"A": [10.0], "B": [20.0]})
    series.append(frame.assign(adjusted=frame["close"] / 2, open=frame["close"] + 1))
    rule = {"markets_time_serie_unique_identifier": SERIES}
    own = [
        rule | {"asset_filter": {"unique_identifier": "A"}, "default_column_name": "adjusted"},
        rule | {"asset_filter": {"unique_identifier": "B"}},
    ]
    msc.AssetTranslationTable.get_or_create(TABLE, rules=own)
    node = run("A", "B")
    assert (column(node, "A"), column(node, "B")) == ([5.0], [20.0])
    assert (column(node, "A", "open"), column(node, "B", "open")) == ([None], [21.0])


def test_a_late_asset_is_not_guessed_and_holds_nobody_up():
    market({"A": [1, 2, 3, 4], "B": [10, 11, None, None]})
    node = run("A", "B")
    assert (column(node, "A"), column(node, "B")) == ([1, 2, 3, 4], [10, 11])
    store({"B": [13]}, SESSIONS[3:4])
    run("A", "B")
    assert column(node, "B") == [10, 11, 11, 13]
    assert column(node, "B", "interpolated") == [False, False, True, False]


def test_an_asset_without_bars_for_longer_than_the_limit_is_stale():
    market({"A": [1, 2, 3, 4, 5], "B": [10, 11, None, None, None]})
    assert column(run("A", "B", staleness_limit=2), "B") == [10, 11, 11, 11, None]


def test_a_stale_asset_stays_stale_from_run_to_run_until_it_is_seen_again():
    market({"A": [1] * 8, "B": [10, None, None, None, None, None, None, 17]}, SESSIONS)
    whole = column(run("A", "B", staleness_limit=1), "B")
    assert whole == [10, 10, None, None, None, None, None, 17]


def test_bars_that_come_in_batches_are_taken_in_however_late():
    """B is delivered once in a while, long after it counted as stale: as if all had been there from the beginning."""
    a, b = [float(each) for each in range(1, 9)], [10.0, 11.0, 12.0, 13.0, 14.0, 15.0, 16.0, 17.0]
    market({"A": a, "B": b[:1]})
    node = run("A", "B", staleness_limit=1)
    assert column(node, "B") == [10, 10, None, None, None, None, None, None]
    store({"B": b[1:3]}, SESSIONS[1:3])
    run("A", "B", staleness_limit=1)
    assert column(node, "B") == [10, 11, 12, 12, None, None, None, None]
    store({"B": b[3:]}, SESSIONS[3:])
    run("A", "B", staleness_limit=1)
    assert column(node, "B") == b
    assert not any(column(node, "B", "interpolated"))


def test_an_asset_that_nobody_asked_for_in_between_has_no_hole():
    a = [float(each) for each in range(1, 9)]
    market({"A": a[:1], "B": a[:1]}, SESSIONS[:1])
    run("A", "B", staleness_limit=0)
    store({"A": a[1:], "B": a[1:]}, SESSIONS[1:])
    run("A", staleness_limit=0)
    assert column(run("A", "B", staleness_limit=0), "B") == a


def test_hourly_prices_resume_within_a_session():
    register("A")
    hours = [*(f"{hour}:30" for hour in range(15, 21)), "21:00"]
    open_hours = [pd.Timestamp(f"{day} {hour}", tz="UTC") for day in SESSIONS[:2] for hour in hours]
    frame = pd.DataFrame({"time_index": open_hours, "unique_identifier": "A", "close": range(len(open_hours))})
    series = msc.Series.create(SERIES, {"close": "int64"})
    routes()
    for rows in (frame.iloc[:3], frame.iloc[3:9], frame.iloc[9:]):
        series.append(rows)
        node = run("A", bar_frequency_id="1h")
    assert stamps(node, "A") == [f"{at:%Y-%m-%d %H:%M}" for at in open_hours]
    assert column(node, "A") == list(range(len(open_hours)))


def test_forward_fill_to_now_runs_to_the_last_finished_stamp():
    market({"A": [1, 2]})
    node = prices("A", forward_fill_to_now=True)
    node.run(show_progress=False, now="2024-01-05T20:00Z")
    assert stamps(node, "A") == [f"{day} 21:00" for day in SESSIONS[:3]]
    assert column(node, "A") == [1, 2, 2]
    store({"A": [3]}, SESSIONS[2:3])
    node.run(show_progress=False, now="2024-01-05T21:00Z")
    assert column(node, "A") == [1, 2, 3, 3]


def test_each_asset_follows_its_own_calendar():
    register(["US"])
    register(["LN"], snapshot={"name": "LN", "exchange_code": "LN"})
    register(["BTC"], security_type="Crypto", snapshot={"name": "BTC"})
    days = ["2024-05-03", "2024-05-06", "2024-05-07"]  # 6 May 2024 was a holiday in London; the 4th a Saturday
    store({"US": [1, 2, 3], "LN": [10, None, 12]}, days)
    store({"BTC": [100, 101]}, ["2024-05-04", "2024-05-07"])
    routes()
    node = run("US", "LN", "BTC", midnight="session_date")
    assert stamps(node, "US") == ["2024-05-03 20:00", "2024-05-06 20:00", "2024-05-07 20:00"]
    assert stamps(node, "LN") == ["2024-05-03 15:30", "2024-05-07 15:30"]
    assert stamps(node, "BTC") == [f"2024-05-0{day} 00:00" for day in (5, 6, 7, 8)]
    assert column(node, "BTC") == [100, 100, 100, 101]


def test_where_midnight_ends_the_session_the_caller_must_say_what_it_means():
    register(["BTC"], security_type="Crypto", snapshot={"name": "BTC"})
    store({"BTC": [100.0]})
    routes()
    with pytest.raises(ValidationError, match="ambiguous"):
        run("BTC")


def test_bars_from_before_the_calendar_is_known_are_refused_unless_a_start_says_so():
    register("A")
    store({"A": [1.0, 2.0]}, ["1960-01-05", "2024-01-02"])
    routes()
    with pytest.raises(ValidationError, match=r"1960-01-05.*XNYS"):
        run("A")
    assert column(run("A", start_date="2024-01-01"), "A") == [2.0]


def test_there_is_no_silent_calendar():
    register(["X"], snapshot={"name": "X"})
    store({"X": [1.0]})
    routes()
    with pytest.raises(UnknownCalendarError, match="'X'"):
        run("X")
    with pytest.raises(UnknownCalendarError, match="XNYZ"):
        run("X", calendar_name="XNYZ")
    assert column(run("X", calendar_name="XNYS"), "X") == [1.0]


def test_one_stale_rule_fails_only_the_assets_that_need_it_by_name():
    market({"A": [1, 2], "B": [10, 11]})
    register("C")
    node = run("A", "B", "C")
    assert column(node, "A") == [1, 2]
    assert list(node.routing_errors) == ["C"]
    assert isinstance(node.routing_errors["C"], StaleRouteError)


def test_a_run_that_serves_nobody_fails():
    register("A")
    msc.AssetTranslationTable.get_or_create(TABLE)
    with pytest.raises(NoRouteError, match="'A'"):
        run("A")


def test_assets_that_do_not_exist_are_named():
    with pytest.raises(UnknownAssetsError, match="nobody"):
        run("nobody")


def test_a_rule_that_leads_to_words_is_refused():
    register("A")
    series = msc.Series.create(SERIES, {"close": "string"})
    series.append(bars({"A": [1.0]}).astype({"close": str}))
    routes()
    with pytest.raises(SchemaMismatchError, match="no prices"):
        run("A")


def test_two_bars_of_one_session_are_refused_by_name():
    market({"A": [1.0]})
    twice = pd.DataFrame(
        {"time_index": [pd.Timestamp("2024-01-02T21:00Z")], "unique_identifier": ["A"], "close": [2.0]}
    )
    msc.Series.get(unique_identifier=SERIES).append(twice)
    with pytest.raises(ValidationError, match="'A' has two bars"):
        run("A")


def test_everyone_who_ever_was_a_member_has_prices():
    universe = market({"A": [1, 2, 3], "B": [10, 11, 12]})
    universe.remove_assets([msc.Asset.get(unique_identifier="B")], effective_from=SESSIONS[1])
    assert column(run(universe=UNIVERSE), "B") == [10, 11, 12]


def test_a_new_member_is_filled_in_from_its_beginning():
    universe = market({"A": [1, 2, 3], "B": [10, 11, 12]})
    b = msc.Asset.get(unique_identifier="B")
    universe.remove_assets([b])
    run(universe=UNIVERSE)
    universe.append_assets([b])
    assert column(run(universe=UNIVERSE), "B") == [10, 11, 12]


def test_an_empty_universe_has_no_prices():
    msc.AssetCategory.get_or_create(unique_identifier=UNIVERSE)
    routes()
    node = run(universe=UNIVERSE)
    assert node.get_df_between_dates().empty


@pytest.mark.parametrize(
    ("given", "refused", "match"),
    [
        ({"bar_frequency": "1d"}, UnknownFieldError, "bar_frequency_id"),
        ({"bar_frequency_id": "daily"}, ValidationError, "not a frequency"),
        ({"bar_frequency_id": "1d", "upsample_frequency_id": "1h"}, ValidationError, "do not make up"),
        ({"bar_frequency_id": "4m", "upsample_frequency_id": "10m"}, ValidationError, "do not make up"),
        ({"intraday_bar_interpolation_rule": "linear"}, ValidationError, "ffill"),
        ({"staleness_limit": -1}, ValidationError, "staleness_limit"),
        ({"translation_table_unique_id": " "}, ValidationError, "blank"),
    ],
)
def test_bad_rules_are_refused_when_written(given: dict[str, Any], refused: type[Exception], match: str):
    with pytest.raises(refused, match=match):
        PricesConfiguration(**({"translation_table_unique_id": TABLE} | given))


@pytest.mark.parametrize(
    "given",
    [{}, {"assets_category_unique_id": "u", "asset_unique_identifiers": ["A"]}, {"asset_unique_identifiers": "A"}],
)
def test_the_assets_are_given_once(given: dict[str, Any]):
    with pytest.raises(ValidationError):
        InterpolatedPrices(prices_configuration=PricesConfiguration(translation_table_unique_id=TABLE), **given)


def test_finer_bars_are_aggregated_to_sessions():
    register("A")
    times = pd.to_datetime(["2024-01-02T15:00Z", "2024-01-02T21:00Z", "2024-01-03T18:00Z", "2024-01-03T20:00Z"])
    whole = {"open": [1.0, 2, 3, 4], "high": [5.0, 9, 6, 7], "low": [1.0, 0.5, 2, 3], "close": [2.0, 3, 4, 5]}
    frame = pd.DataFrame({"time_index": times, "unique_identifier": "A", **whole, "volume": [10.0, 20, 30, 40]})
    msc.Series.create(SERIES, {**dict.fromkeys(whole, "float64"), "volume": "float64"}).append(frame)
    routes()
    node = run("A", bar_frequency_id="1h", upsample_frequency_id="1d")
    # The session of the 3rd is not over: its last bar ends an hour before the close.
    assert stamps(node, "A") == ["2024-01-02 21:00"]
    row = node.get_df_between_dates().iloc[0]
    assert row[["open", "high", "low", "close", "volume"]].tolist() == [1.0, 9.0, 0.5, 3.0, 30.0]


def test_nodes_of_the_same_rules_fill_one_series():
    market({"A": [1, 2], "B": [10, 11]})
    one, two = run("A"), run("B")
    assert one.identifier == two.identifier
    assert (column(two, "A"), column(two, "B")) == ([1, 2], [10, 11])
    assert run("A", staleness_limit=3).identifier != one.identifier
