"""Portfolios: what ends them, what is sold, what they refuse, and how they are published."""

import json
from typing import Any

import pandas as pd
import pytest

import mainsequence.client as msc
from mainsequence.errors import (
    AlreadyExistsError,
    InvalidWeightsError,
    NotFoundError,
    PortfolioRuinedError,
    UnknownAssetsError,
    UnknownCalendarError,
    UnknownFieldError,
    ValidationError,
)
from mainsequence.virtualfundbuilder import (
    AssetsConfiguration,
    AUIDWeight,
    BacktestingWeightsConfig,
    EqualWeights,
    FixedWeights,
    FrontEndDetails,
    ImmediateSignal,
    PortfolioConfiguration,
    PortfolioExecutionConfiguration,
    PortfolioMarketsConfig,
    PortfolioStrategy,
    PricesConfiguration,
    rebuild,
)
from tests.virtualfundbuilder.market import (
    SESSIONS,
    TABLE,
    UNIVERSE,
    closes,
    configuration,
    held,
    market,
    play,
    portfolio,
    register,
    routes,
    same_bytes,
    store,
)


def fixed(**weights: float) -> FixedWeights:
    return FixedWeights(
        asset_unique_identifier_weights=[{"unique_identifier": name, "weight": each} for name, each in weights.items()]
    )


# -- the end of a portfolio, and prices that end


def test_the_end_is_the_last_stamp_for_which_its_own_assets_are_priced():
    market({"A": [1, 2, 3, 4], "B": [10, 11, None, None], "C": [5, 6, 7, 8]})
    node = play(fixed(A=0.5, B=0.5))
    assert [str(day) for day in node.values()["session"]] == SESSIONS[:2]
    assert len(play(fixed(A=0.5, C=0.5)).values()) == 4
    assert len(play(fixed(A=0.5, B=0.5), universe=None).values()) == 2


def test_a_late_asset_only_delays():
    market({"A": [1, 2, 3, 4], "B": [10, 11, None, None]})
    play(fixed(A=0.5, B=0.5))
    store({"B": [12, 13]}, SESSIONS[2:4])
    node = play(fixed(A=0.5, B=0.5))
    assert len(node.values()) == 4
    assert same_bytes(node, play(fixed(A=0.5, B=0.5), namespace="all at once"))


def test_an_asset_whose_prices_end_is_sold_at_its_last_price_and_listed():
    market({"A": [100.0] * 5, "B": [50.0, 40.0, None, None, None]})
    node = play(fixed(A=0.5, B=0.5), fee=0.01, rebalance="monthly", prices={"staleness_limit": 1})
    values, weights = node.values(), held(node)
    # B: 0.5 falls to 0.5·0.8/0.9 = 4/9 on the second day, is carried on the third, and sold on the fourth.
    assert weights["B"].tolist() == pytest.approx([1 / 2, 4 / 9, 4 / 9, 0, 0])
    assert list(values["cash"]) == pytest.approx([0, 0, 0, 4 / 9, 4 / 9])
    assert list(values["turnover"]) == pytest.approx([1, 0, 0, 4 / 9, 0])
    assert list(values["close"]) == pytest.approx(
        [0.99, 0.891, 0.891, 0.891 * (1 - 0.01 * 4 / 9), 0.891 * (1 - 0.01 * 4 / 9)]
    )
    assert node.report is not None
    sold = node.report.stale_sales
    assert [(each.unique_identifier, each.price) for each in sold] == [("B", 40.0)]
    assert sold[0].weight == pytest.approx(4 / 9)
    assert f"{sold[0].time:%Y-%m-%d}" == SESSIONS[3]
    assert node.report.flag("stale_sales") is not None
    row = node.weights().loc[(values.index[3], "B")]
    assert pd.isna(row["price_current"])
    assert row["price_before"] == 40.0


def test_a_portfolio_that_loses_everything_names_the_stamp():
    market({"A": [100, 40]})
    with pytest.raises(PortfolioRuinedError, match=SESSIONS[1]):
        portfolio(fixed(A=2.0)).run(show_progress=False)


def test_short_and_levered_weights_are_allowed():
    market({"A": [100, 110], "B": [50, 55]})
    assert closes(play(fixed(A=1.5, B=-0.5))) == pytest.approx([1.0, 1.1])


def test_a_no_trade_band_leaves_small_drifts_alone():
    market({"A": [100, 101, 150], "B": [100, 100, 100]})
    strategy = ImmediateSignal(tolerance=0.05)
    turnover = play(fixed(A=0.5, B=0.5), rebalance=strategy).values()["turnover"]
    assert [bool(each) for each in turnover] == [True, False, True]


def test_start_and_end_dates_bound_the_stamps():
    market({"A": [1, 2, 3, 4, 5]})
    node = play(start_date=SESSIONS[1], end_date=SESSIONS[3])
    assert [str(day) for day in node.values()["session"]] == SESSIONS[1:3]
    assert closes(node) == [1.0, 1.5]


def test_revised_prices_are_flagged_and_taken_in_when_begun_anew():
    market({"A": [100, 110], "B": [50, 55]})
    play()
    raw = msc.Series.get(unique_identifier="raw bars")
    raw.upsert(
        pd.DataFrame({"time_index": [pd.Timestamp(SESSIONS[1], tz="UTC")], "unique_identifier": ["A"], "close": [99.0]})
    )
    store({"A": [120], "B": [60]}, SESSIONS[2:3])
    node = play()
    assert node.report is not None
    flag = node.report.flag("revised_prices")
    assert flag is not None
    assert flag.facts["assets"] == ["A"]
    node.run(show_progress=False, force_update=True)
    assert closes(node)[1] == pytest.approx(1 + (0.5 * -0.01 + 0.5 * 0.1))


# -- several calendars


def two_markets() -> None:
    register(["US"])
    register(["LN"], snapshot={"name": "LN", "exchange_code": "LN"})
    store(
        {"US": [100, 110, 121, 121], "LN": [50, None, 60, 66]}, ["2024-05-03", "2024-05-06", "2024-05-07", "2024-05-08"]
    )
    routes()
    msc.AssetCategory.get_or_create(unique_identifier=UNIVERSE, assets=msc.Asset.filter())


def test_assets_of_several_calendars_need_a_calendar_key():
    two_markets()
    with pytest.raises(ValidationError, match=r"XLON, XNYS.*calendar_key"):
        portfolio().run(show_progress=False)


def test_an_asset_of_another_calendar_has_its_own_last_price():
    two_markets()
    node = play(fixed(US=0.5, LN=0.5), rebalance=ImmediateSignal(calendar_key="XNYS"))
    # London was closed on the 6th: its price of the 3rd holds there.
    assert closes(node) == pytest.approx([1.0, 1.05, 1.05 * (1 + 0.05 + 0.1), 1.05 * 1.15 * 1.05])
    assert [f"{at:%d %H:%M}" for at in node.values().index] == ["03 20:00", "06 20:00", "07 20:00", "08 20:00"]
    assert node.manifest is not None
    assert node.manifest.asset_calendars == {"XLON": ["LN"]}


def test_an_unknown_calendar_is_refused_by_name():
    market({"A": [1, 2]})
    with pytest.raises(UnknownCalendarError, match="XNYZ"):
        portfolio(rebalance=ImmediateSignal(calendar_key="XNYZ")).run(show_progress=False)


# -- what is refused


@pytest.mark.parametrize("weight", [float("nan"), float("inf"), None])
def test_null_and_infinite_weights_are_refused_at_once(weight: float | None):
    with pytest.raises(ValidationError):
        FixedWeights(asset_unique_identifier_weights=[{"unique_identifier": "A", "weight": weight}])


@pytest.mark.parametrize(
    "weights", [[], [{"unique_identifier": "A", "weight": 1}, {"unique_identifier": "A", "weight": 0}]]
)
def test_fixed_weights_name_each_asset_once(weights: list[dict[str, Any]]):
    with pytest.raises(InvalidWeightsError):
        FixedWeights(asset_unique_identifier_weights=weights)


def test_weights_of_unknown_assets_are_refused_and_nothing_is_stored():
    market({"A": [1, 2]})
    node = portfolio(fixed(A=0.5, NOBODY=0.5))
    with pytest.raises(UnknownAssetsError, match="NOBODY"):
        node.run(show_progress=False)
    assert node.weights_series is None
    assert node.series is None


def prices() -> PricesConfiguration:
    return PricesConfiguration(translation_table_unique_id=TABLE)


@pytest.mark.parametrize(
    ("make", "wrong"),
    [
        (lambda: PricesConfiguration(translation_table_unique_id=TABLE, calendar="XNYS"), "calendar"),
        (lambda: AssetsConfiguration(prices_configuration=prices(), category="u"), "category"),
        (lambda: BacktestingWeightsConfig(signal="FixedWeights"), "signal"),
        (lambda: PortfolioExecutionConfiguration(fee=0.1), "fee"),
        (lambda: PortfolioMarketsConfig(portfolio_name="P", colour="red"), "colour"),
        (lambda: FrontEndDetails(title="T"), "title"),
        (lambda: PortfolioConfiguration(build={}), "build"),
        (lambda: configuration(masked="cash"), "masked"),
        (lambda: ImmediateSignal(frequency="daily"), "frequency"),
        (lambda: FixedWeights(weights=[]), "weights"),
        (lambda: EqualWeights(universe="u"), "universe"),
        (lambda: PortfolioStrategy(configuration=configuration()), "configuration"),
        (lambda: configuration("FixedWeights", signal_configuration={"weight": []}), "weight"),
    ],
)
def test_unknown_fields_are_refused_and_the_allowed_ones_listed(make: Any, wrong: str):
    with pytest.raises(UnknownFieldError, match=f"{wrong}.*Allowed: "):
        make()


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: configuration(masked_weight="drop"), "renormalize"),
        (lambda: configuration(portfolio_prices_frequency="1h"), "daily in this release"),
        (lambda: configuration(prices={"bar_frequency_id": "1h"}), "daily in this release"),
        (lambda: configuration(fee=-0.1), "commission_fee"),
        (lambda: configuration(fee=1.0), "commission_fee"),
        (lambda: configuration(rebalance="yearly"), "quarterly"),
        (lambda: configuration(start_date="2024-01-02", end_date="2024-01-01"), "is not after"),
        (lambda: configuration(name=" "), "portfolio_name"),
        (lambda: configuration(name="n" * 5_000), "portfolio_name"),
        (lambda: BacktestingWeightsConfig(rebalance_strategy_name="ImmediateSignal"), "signal_weights"),
        (
            lambda: BacktestingWeightsConfig(
                signal_weights_name="EqualWeights",
                signal_weights_instance=EqualWeights(),
                rebalance_strategy_name="ImmediateSignal",
            ),
            "once",
        ),
    ],
)
def test_bad_configurations_are_refused_when_written(make: Any, match: str):
    with pytest.raises(ValidationError, match=match):
        make()


def test_unknown_signals_and_strategies_name_near_ones():
    with pytest.raises(NotFoundError, match="FixedWeights"):
        configuration("FixedWeight")
    with pytest.raises(NotFoundError, match="ImmediateSignal"):
        BacktestingWeightsConfig(signal_weights_name="EqualWeights", rebalance_strategy_name="InmediateSignal")
    with pytest.raises(NotFoundError, match=r"no\.such"):
        configuration("no.such:Signal")


def test_a_portfolio_of_nobody_is_refused():
    msc.AssetCategory.get_or_create(unique_identifier=UNIVERSE)
    routes()
    with pytest.raises(ValidationError, match="universe@0 never had a member"):
        portfolio().run(show_progress=False)


# -- identity


def test_a_portfolio_is_the_same_by_name_or_by_instance_and_whatever_it_is_called():
    by_name = portfolio(
        "FixedWeights",
        signal_configuration={"asset_unique_identifier_weights": [{"unique_identifier": "A", "weight": 1}]},
    )
    by_instance = portfolio(
        FixedWeights(asset_unique_identifier_weights=[AUIDWeight(unique_identifier="A", weight=1)]), name="Other"
    )
    assert by_name.identifier == by_instance.identifier
    assert by_name.identifier != portfolio(fixed(A=0.9)).identifier
    assert by_name.identifier != portfolio(fixed(A=1), fee=0.1).identifier
    assert by_name.identifier != portfolio(fixed(A=1), universe="other").identifier


def test_two_portfolios_of_one_price_configuration_share_their_prices():
    market({"A": [1, 2], "B": [3, 4]})
    assert play(fixed(A=1), universe=None).prices.identifier == play().prices.identifier


# -- publishing


def test_publishing_registers_the_portfolio_and_its_index_asset():
    market({"A": [100, 110], "B": [50, 50]})
    node = portfolio(fixed(A=0.5, B=0.25), name="Half And Quarter")
    with pytest.raises(NotFoundError, match="add_portfolio_to_markets_backend"):
        node.target_portfolio  # noqa: B018
    node.run(show_progress=False, add_portfolio_to_markets_backend=True)
    found = node.target_portfolio
    assert (found.unique_identifier, found.display_name, found.calendar_name) == (
        "half_and_quarter",
        "Half And Quarter",
        "XNYS",
    )
    assert msc.Asset.get(unique_identifier="half_and_quarter").id == found.index_asset.id
    assert found.values().equals(node.values())
    assert found.weights().equals(node.weights())
    assert found.get_latest_weights().weights == pytest.approx({"A": 0.5, "B": 0.25})
    assert found.about.signal_name == "FixedWeights"
    assert found.about.signal_description == "Holds 50.00% A, 25.00% B for ever."
    assert json.loads(json.dumps(found.manifest)) == found.manifest
    assert found.signal_series is not None


def test_publishing_again_updates_the_same_portfolio():
    market({"A": [100, 110]})
    first = portfolio()
    first.run(show_progress=False, add_portfolio_to_markets_backend=True)
    other = portfolio(fee=0.1)
    other.run(show_progress=False, add_portfolio_to_markets_backend=True)
    assert first.target_portfolio.id == other.target_portfolio.id
    assert other.target_portfolio.values_series == other.identifier != first.identifier


def test_a_published_portfolio_carries_the_manifest_of_what_is_stored():
    market({"A": [100, 110]})
    portfolio().run(show_progress=False, add_portfolio_to_markets_backend=True)
    store({"A": [120]}, SESSIONS[2:3])
    node = play()
    assert node.manifest is not None
    assert node.target_portfolio.manifest == node.manifest.model_dump(mode="json")
    assert len(rebuild(node.target_portfolio.manifest).values) == 3


def test_what_the_front_end_shows_is_kept():
    market({"A": [100, 110]})
    made = configuration()
    details = FrontEndDetails(description="All of it.", signal_name="Everyone")
    markets = PortfolioMarketsConfig(portfolio_name="Everyone Equal", unique_identifier="ee", front_end_details=details)
    node = PortfolioStrategy(
        portfolio_configuration=made.model_copy(update={"portfolio_markets_configuration": markets})
    )
    node.run(show_progress=False, add_portfolio_to_markets_backend=True)
    found = msc.Portfolio.get(unique_identifier="ee")
    assert (found.description, found.about.signal_name) == ("All of it.", "Everyone")
    assert found.about.rebalance_strategy_name == "ImmediateSignal"


def test_an_asset_is_not_overwritten_by_a_portfolio():
    market({"A": [100, 110]})
    node = portfolio(name="A")
    node.config.portfolio_configuration.portfolio_markets_configuration.__dict__["unique_identifier"] = "A"
    with pytest.raises(AlreadyExistsError, match="no portfolio"):
        node.run(show_progress=False, add_portfolio_to_markets_backend=True)


def test_a_portfolio_can_be_held_by_another_one():
    market({"A": [100, 110, 121], "B": [50, 50, 50]})
    inner = portfolio(fixed(A=1.0), name="inner")
    inner.run(show_progress=False, add_portfolio_to_markets_backend=True)
    nav = msc.Series.create("index prices", {"close": "float64"})
    nav.append(inner.values()[["close"]].assign(unique_identifier="inner"))
    rule = {"asset_filter": {"unique_identifier": "inner"}, "markets_time_serie_unique_identifier": "index prices"}
    msc.AssetTranslationTable.get_or_create("indexes", rules=[rule])
    outer = play(
        fixed(inner=0.5), universe=None, prices={"translation_table_unique_id": "indexes", "calendar_name": "XNYS"}
    )
    assert closes(outer) == pytest.approx([1.0, 1.05, 1.1025])
