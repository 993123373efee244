"""Plans: what a change would do is what it does, to members, to readers, and to their results."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import mainsequence.client as msc
from mainsequence.tdag import DataNode
from mainsequence.virtualfundbuilder import PortfolioStrategy
from tests.virtualfundbuilder.market import SESSIONS, TABLE, UNIVERSE, bars, configuration, market, register

FLAT = {name: [100.0] * 8 for name in "ABC"}


def names(assets: list[Any]) -> list[str]:
    return [each.unique_identifier for each in assets]


def by_name(*unique_identifiers: str) -> list[msc.Asset]:
    return [msc.Asset.get(unique_identifier=each) for each in unique_identifiers]


def build(name: str, *args: Any, force: bool = False, **kwargs: Any) -> PortfolioStrategy:
    node = PortfolioStrategy(portfolio_configuration=configuration(*args, name=name, **kwargs))
    node.run(add_portfolio_to_markets_backend=True, force_update=force, show_progress=False)
    return node


def results(node: PortfolioStrategy) -> pd.DataFrame:
    """Everything that a portfolio stores, one row for each stamp."""
    weights = node.weights()["weight_current"].unstack("unique_identifier").fillna(0.0)
    return node.values()[["close", "cash", "turnover"]].join(weights)


def first_difference(before: pd.DataFrame, after: pd.DataFrame) -> datetime | None:
    """The first stamp whose row differs, or that only one of the two has."""
    columns = before.columns.union(after.columns)
    for stamp in before.index.union(after.index):
        if stamp not in before.index or stamp not in after.index:
            return stamp.to_pydatetime()
        old, new = (each.loc[stamp].reindex(columns).fillna(0.0) for each in (before, after))
        if (old - new).abs().max() > 1e-12:
            return stamp.to_pydatetime()
    return None


def weighted(**weights: float) -> dict[str, Any]:
    listed = [{"unique_identifier": name, "weight": weight} for name, weight in weights.items()]
    return {"signal_configuration": {"asset_unique_identifier_weights": listed}}


PORTFOLIOS: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {
    "follows": ((), {}),
    "begins late": ((), {"start_date": SESSIONS[5]}),
    "ends early": ((), {"end_date": SESSIONS[3]}),
    "weekly": ((), {"rebalance": "weekly"}),
    "on signal": ((), {"rebalance": "on_signal"}),
    "pinned": ((), {"universe": f"{UNIVERSE}@1"}),
    "fixed without B": (("FixedWeights",), weighted(A=0.5, C=0.5)),
    "fixed with B": (("FixedWeights",), weighted(A=0.5, B=0.5)),
}

CHANGES: dict[str, Any] = {
    "B leaves on the fourth day": lambda: {"remove": by_name("B"), "effective_from": SESSIONS[3]},
    "B leaves over a weekend": lambda: {
        "remove": by_name("B"),
        "effective_from": "2024-01-06",
        "effective_to": "2024-01-08",
    },
    "B leaves for ever": lambda: {"remove": by_name("B")},
    "D enters on the fourth day": lambda: {"append": register(["D"]), "effective_from": SESSIONS[3]},
    "D, which has older prices, enters for ever": lambda: {"append": register(["D"])},
    "D takes the place of B": lambda: {
        "remove": by_name("B"),
        "append": register(["D"]),
        "effective_from": SESSIONS[4],
    },
    "A weighs something": lambda: {"weights": {by_name("A")[0].id: 0.3}},
    "E, which has no prices, enters": lambda: {"append": register(["E"]), "effective_from": SESSIONS[2]},
}


def foreseen_and_happened(change: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Plan a change, apply it, rebuild every portfolio; from when each was said to differ, and from when it does."""
    category = market(FLAT)
    series = msc.Series.get(unique_identifier="raw bars")
    series.append(bars({"D": [20.0, 21.0, 22.0, 23.0, 24.0, 25.0, 26.0, 27.0, 28.0]}, ["2023-12-29", *SESSIONS]))
    before = {name: results(build(name, *args, **kwargs)) for name, (args, kwargs) in PORTFOLIOS.items()}

    plan = category.plan(**CHANGES[change]())
    said = {each.identifier: each for each in plan.readers if each.role == "portfolio"}
    assert plan.apply(reason="to see").revision == 2

    found = {name: said[name.lower().replace(" ", "_")] for name in PORTFOLIOS}
    foreseen = {name: each.differs_from if each.affected else None for name, each in found.items()}
    rebuilt = {name: build(name, *args, force=True, **kwargs) for name, (args, kwargs) in PORTFOLIOS.items()}
    return foreseen, {name: first_difference(before[name], results(node)) for name, node in rebuilt.items()}


@pytest.mark.slow
@pytest.mark.embedded
@pytest.mark.parametrize("change", CHANGES)
def test_the_portfolios_that_a_plan_names_are_those_that_differ_and_from_that_stamp_on(change: str):
    foreseen, happened = foreseen_and_happened(change)
    assert foreseen == happened


@pytest.mark.embedded
def test_a_portfolio_that_begins_later_without_its_first_prices_differs_from_its_first_stamp():
    category = market(FLAT)
    series = msc.Series.get(unique_identifier="raw bars")
    series.append(bars({"D": [20.0, 21.0, 22.0]}, ["2023-12-29", *SESSIONS[:2]]))
    d = register(["D"])
    category.append_assets(d, effective_from="2024-01-03")
    wanted: dict[str, Any] = {
        "fixed": (("FixedWeights",), weighted(A=0.5, C=0.5)),
        "late": ((), {"start_date": SESSIONS[4]}),
    }
    before = {name: results(build(name, *args, **kwargs)) for name, (args, kwargs) in wanted.items()}
    for change in ({"remove": d, "effective_from": "2024-01-04"}, {"remove": d}):
        plan = category.plan(**change)
        plan.apply()
        foreseen = {each.identifier: each.differs_from for each in plan.readers if each.role == "portfolio"}
        after = {name: results(build(name, *args, force=True, **kwargs)) for name, (args, kwargs) in wanted.items()}
        assert foreseen == {name: first_difference(before[name], after[name]) for name in wanted}
        before = after
    assert foreseen["fixed"] == datetime(2023, 12, 29, 21, tzinfo=UTC)


def test_a_plan_names_who_differs_and_from_when_on_every_carrier():
    foreseen, happened = foreseen_and_happened("B leaves on the fourth day")
    assert foreseen == happened
    assert {name for name, at in happened.items() if at is None} == {"ends early", "pinned", "fixed without B"}
    assert happened["follows"] == datetime(2024, 1, 5, 21, tzinfo=UTC)


def test_a_plan_changes_nothing_and_applying_it_does_exactly_what_it_says():
    category = market(FLAT)
    d, *_ = register(["D"])
    plan = category.plan(
        append=[d], remove=by_name("A"), weights=[0.25], effective_from="2024-01-05", effective_to="2024-02-01"
    )
    assert category.refresh().revision == 1
    spells = [(each.unique_identifier, each.valid_from, each.valid_to) for each in (*plan.enters, *plan.leaves)]
    window = (datetime(2024, 1, 5, tzinfo=UTC), datetime(2024, 2, 1, tzinfo=UTC))
    assert spells == [("D", *window), ("A", *window)]
    assert (plan.enters[0].weight, plan.is_empty, plan.change.revision) == (0.25, False, 1)
    assert plan.summary.startswith("Plan: 1 to enter, 1 to leave, 0 reweighted; ")

    plan.apply(reason="both at once")
    history = category.history()
    assert [(each.operation, each.added, each.removed, each.reason) for each in history[1:]] == [
        ("change", 1, 1, "both at once")
    ]
    assert names(category.get_assets("2024-01-10")) == ["B", "C", "D"]
    assert names(category.get_assets("2024-02-01")) == ["A", "B", "C"]
    assert category.weights("2024-01-10") == {"B": None, "C": None, "D": 0.25}


def test_reweighting_is_told_apart_from_entering_and_leaving():
    category = market(FLAT)
    a, b, c = by_name("A", "B", "C")
    category.update_assets([a, b, c], weights=[0.2, 0.3, 0.5])
    plan = category.plan(replace=[a, b], weights={a.id: 0.2, b.id: 0.8})
    assert [(each.unique_identifier, each.before, each.after) for each in plan.reweighted] == [("B", 0.3, 0.8)]
    assert ([each.unique_identifier for each in plan.leaves], plan.enters) == (["C"], [])


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"replace": [], "append": [1]},
        {"append": [1], "remove": [1]},
        {"remove": [1], "weights": [0.5]},
        {"append": "A"},
        {"append": [1, 2], "weights": [0.5]},
        {"append": [1], "effective_from": "2024-01-02", "effective_to": "2024-01-01"},
    ],
)
def test_what_cannot_be_planned_is_refused(asked: dict[str, Any]):
    category = market(FLAT)
    with pytest.raises(msc.ValidationError):
        category.plan(**asked)
    with pytest.raises(msc.UnknownAssetsError):
        category.plan(append=[999])


def test_a_plan_that_would_change_nothing_says_so_and_makes_no_revision():
    category = market(FLAT)
    plan = category.plan(append=by_name("A"))
    assert (plan.is_empty, plan.summary, plan.affected) == (True, "Plan: nothing would change", [])
    assert plan.apply().revision == 1


def test_a_plan_is_refused_once_the_universe_has_moved():
    category = market(FLAT)
    plan = category.plan(remove=by_name("A"))
    category.remove_assets(by_name("B"))
    with pytest.raises(msc.StaleRevisionError) as refused:
        plan.apply()
    assert refused.value.context == {"expected": 1, "found": 2}
    with pytest.raises(msc.StaleRevisionError):
        category.plan(remove=by_name("A"), if_revision=1)
    again = category.plan(remove=by_name("A"))
    again.apply()
    with pytest.raises(msc.StaleRevisionError):
        again.apply()
    assert names(category.get_assets()) == ["C"]


def test_a_plan_goes_through_a_file_and_an_edited_one_is_refused(tmp_path: Path):
    category = market(FLAT)
    plan = category.plan(remove=by_name("A"), effective_from="2024-01-05T12:00:00.000001Z")
    file = tmp_path / "plan.json"
    file.write_text(plan.to_json())
    assert msc.Plan.from_json(file) == plan == msc.Plan.from_json(file.read_text())

    written = json.loads(file.read_text())
    written["plan"]["leaves"][0]["unique_identifier"] = "B"
    with pytest.raises(msc.AlteredPlanError):
        msc.Plan.from_json(json.dumps(written))
    for nonsense in ("{}", "no plan", json.dumps({"format": "x"})):
        with pytest.raises(msc.ValidationError):
            msc.Plan.from_json(nonsense)
    applied = msc.Plan.from_json(file).apply(reason="later")
    assert isinstance(applied, msc.AssetCategory)
    assert applied.history()[-1].reason == "later"


def _reclosed(change: Any, **columns: Any) -> Any:
    return change.model_copy(update={"closed": change.closed.model_copy(update=columns)})


def _reopened(change: Any, **columns: Any) -> Any:
    return change.model_copy(update={"opened": change.opened.model_copy(update=columns)})


@pytest.mark.parametrize(
    "forge",
    [
        lambda change: _reclosed(change, asset_id=[2]),  # leaves more open than it says
        lambda change: _reclosed(change, valid_to=[5]),  # closes what is not there
        lambda change: _reopened(change, asset_id=[2], valid_from=[None], valid_to=[5], weight=[None]),  # overlaps
        lambda change: _reopened(change, asset_id=[1], valid_from=[9], valid_to=[5], weight=[None]),  # no time
        lambda change: change.model_copy(update={"category_id": 2}),
        lambda change: change.model_copy(update={"operation": "refresh"}),
    ],
)
def test_a_forged_change_never_reaches_the_ledger(forge: Any):
    from mainsequence.client.connection import carrier
    from mainsequence.contract import plans as contract

    category = market(FLAT)
    msc.AssetCategory.create(unique_identifier="other")
    change = forge(category.plan(remove=by_name("A"), effective_from="2024-01-05").change)
    for content_hash in (change.content_hash, "0" * 64):
        body = contract.PlanApplication(change=change, content_hash=content_hash)
        with pytest.raises((msc.AlteredPlanError, msc.StaleRevisionError)):
            carrier().call(contract.APPLY, body, key=category.id)
    assert category.refresh().revision == 1
    assert names(category.get_assets()) == ["A", "B", "C"]


def test_what_is_held_today_and_what_is_missing_is_told():
    category = market(FLAT)
    build("held")
    d, e = register(["D", "E"])
    msc.Series.get(unique_identifier="raw bars").append(bars({"D": [1.0, 1.0]}, SESSIONS[-2:]))
    plan = category.plan(replace=[*by_name("A", "C"), d, e], effective_from=SESSIONS[2])
    assert [(each.portfolio, each.unique_identifier, round(each.weight, 6)) for each in plan.held] == [
        ("held", "B", round(1 / 3, 6))
    ]
    assert plan.held[0].at == datetime(2024, 1, 11, 21, tzinfo=UTC)
    gaps = {each.unique_identifier: (each.series, each.first) for each in plan.unpriced}
    assert gaps == {"D": ("raw bars", datetime(2024, 1, 10, tzinfo=UTC)), "E": ("raw bars", None)}
    assert plan.unrouted == []
    assert "held: 33.33% B" in repr(plan)


def test_portfolios_that_others_compute_are_told_by_the_stamps_that_they_have():
    """Their series hold a NAV alone: neither when they traded nor what they hold is known."""
    a, b = register(["A", "B"])
    universe = msc.AssetCategory.create(unique_identifier="read by others", assets=[a, b])
    times = pd.DatetimeIndex(pd.to_datetime(["2024-01-02T21:00Z", "2024-01-05T21:00Z"]), name="time_index")
    values = msc.Series.create("own values", {"nav": "float64"}, by_asset=False)
    values.append(pd.DataFrame({"nav": [1.0, 1.1]}, index=times))
    held = pd.MultiIndex.from_product([times, ["A", "B"]], names=["time_index", "unique_identifier"])
    weights = msc.Series.create("own weights", {"held": "float64"})
    weights.append(pd.DataFrame({"held": [0.5] * 4}, index=held))
    stored = {"values_series": "own values", "weights_series": "own weights"}
    about = {"role": "portfolio", "values_series": "own values", "weights_series": "own weights"}
    msc.Portfolio.create(unique_identifier="own", universe="read by others", reader=about, **stored)
    plan = universe.plan(remove=[b], effective_from="2024-01-03")
    (reader,) = plan.readers
    assert (reader.affected, reader.differs_from, reader.exact) == (True, datetime(2024, 1, 5, 21, tzinfo=UTC), False)
    assert plan.held == []


def test_members_without_a_route_are_named_with_the_reason():
    category = market(FLAT)
    build("routed")
    table = msc.AssetTranslationTable.get(unique_identifier=TABLE)
    table.remove_rules(table.rules)
    table.add_rules([{"asset_filter": {"exchange_code": "US"}, "markets_time_serie_unique_identifier": "raw bars"}])
    swiss = register(["S"], snapshot={"name": "S", "ticker": "S", "exchange_code": "SW"})
    plan = category.plan(append=swiss)
    assert [(each.unique_identifier, each.table, each.status) for each in plan.unrouted] == [("S", TABLE, "no_route")]
    assert "matches the asset 'S'" in plan.unrouted[0].reason


def test_the_size_is_compared_with_the_history_of_the_universe():
    assets = register([f"a{number:02}" for number in range(10)])
    category = msc.AssetCategory.create(unique_identifier="sized", assets=assets[:5])
    assert str(category.plan(append=assets[5:7]).size) == "no earlier change to compare with"
    category.append_assets(assets[5:6])
    category.append_assets(assets[6:8])
    size = category.plan(remove=assets[:2], append=assets[8:]).size
    assert (size.changed, size.members, size.fraction, size.revisions, size.smaller) == (4, 8, 0.5, 2, 2)
    assert str(size) == "the largest of 3 changes"
    assert str(category.plan(append=assets[8:]).size) == "larger than 1 of 2 changes"


def test_readers_through_other_universes_are_found():
    category = market(FLAT)
    msc.AssetCategory.from_expression("derived", f"{UNIVERSE} & {UNIVERSE}")
    msc.AssetCategory.from_expression("pinned", f"{UNIVERSE}@1 & {UNIVERSE}@1")
    build("below", universe="derived")
    build("beside", universe="pinned")
    plan = category.plan(remove=by_name("B"), effective_from=SESSIONS[3])
    found = {each.identifier: each for each in plan.readers}
    assert (found["derived"].affected, found["derived"].role) == (True, "universe")
    assert (found["pinned"].affected, "beside" in found) == (False, False)
    below = found["below"]
    assert (below.affected, below.through, below.exact) == (True, ("derived",), True)
    assert below.differs_from == datetime(2024, 1, 5, 21, tzinfo=UTC)


def test_price_nodes_and_other_nodes_are_told_apart_from_portfolios():
    from mainsequence.virtualfundbuilder import InterpolatedPrices

    category = market(FLAT)
    register(["D", "E"])
    msc.Series.get(unique_identifier="raw bars").append(bars({"D": [1.0, 1.0]}, SESSIONS[4:6]))
    rules = {"translation_table_unique_id": TABLE}
    prices = InterpolatedPrices(prices_configuration=rules, assets_category_unique_id=UNIVERSE)
    prices.run(show_progress=False)
    counter = Counter(universe=UNIVERSE)
    counter.run(show_progress=False)

    def foreseen(**change: Any) -> dict[str, datetime | str | None]:
        plan = category.plan(**change)
        return {each.role: each.differs_from if each.affected else "spared" for each in plan.readers}

    begins = datetime(2024, 1, 3, tzinfo=UTC)
    assert foreseen(remove=by_name("A"), effective_from=begins) == {"prices": "spared", "node": begins}
    assert foreseen(append=by_name("E"), effective_from=begins) == {"prices": "spared", "node": begins}
    entered = foreseen(append=by_name("D"), effective_from=begins)
    assert entered == {"prices": datetime(2024, 1, 8, tzinfo=UTC), "node": begins}
    counter.delete()
    prices.delete()
    assert foreseen(append=by_name("D")) == {}


def test_a_reader_that_names_a_universe_pinned_and_not_pinned_is_affected():
    from mainsequence.virtualfundbuilder import InterpolatedPrices

    category = market(FLAT)
    msc.Series.get(unique_identifier="raw bars").append(bars({"D": [1.0]}, SESSIONS[:1]))
    rules = {"translation_table_unique_id": TABLE}
    for name, affected in ((f"{UNIVERSE}@1", False), (UNIVERSE, True), (f"{UNIVERSE}@1", True)):
        InterpolatedPrices(prices_configuration=rules, assets_category_unique_id=name).run(show_progress=False)
        plan = category.plan(append=register(["D"]))
        assert [each.affected for each in plan.readers] == [affected]


class Counter(DataNode):
    """Counts the members of a universe."""

    def __init__(self, universe: str) -> None:
        self.universe = universe
        super().__init__()

    def universes(self) -> list[str]:
        return [self.universe]

    def update(self) -> pd.DataFrame:
        members = msc.AssetCategory.get(unique_identifier=self.universe).assets
        index = pd.DatetimeIndex([pd.Timestamp("2024-01-02", tz="UTC")], name="time_index")
        return pd.DataFrame({"members": [len(members)]}, index=index)


def test_a_plan_shows_itself_everywhere():
    category = market(FLAT)
    plan = category.plan(remove=by_name("A"), append=register(["<D>"]), effective_from="2024-01-05")
    text = repr(plan)
    assert text.splitlines()[0].startswith("universe at revision 1, planned ")
    assert "  + <D> from 2024-01-05" in text
    assert "  - A from 2024-01-05" in text
    assert text.splitlines()[-1] == plan.summary == str(plan).splitlines()[-1]
    html = plan._repr_html_()
    assert "&lt;D&gt;" in html
    assert "<D>" not in html


@pytest.mark.parametrize(
    ("asked", "different"),
    [
        ({"remove": [3]}, {"both", "without"}),
        ({"remove": [0]}, {"either", "nested"}),
        ({"append": [4]}, {"both", "without"}),
        ({"append": [6]}, {"either", "nested"}),
        ({"remove": [3], "append": [6]}, {"either", "nested", "both", "without"}),
    ],
)
def test_universes_made_from_others_are_told_apart_by_whether_they_differ(
    asked: dict[str, list[int]], different: set[str]
):
    assets = msc.Asset.batch_get_or_register_custom_assets([{"unique_identifier": f"m{n}"} for n in range(7)])
    category = msc.AssetCategory.create(unique_identifier="x", assets=assets[:4])
    msc.AssetCategory.create(unique_identifier="y", assets=assets[2:6])
    made = {
        "either": "x | y",
        "both": "x & y",
        "without": "y - x",
        "past": "x@1 | y",
        "nested": "(either | y) | either",
    }
    before = {}
    for name, expression in made.items():
        before[name] = msc.AssetCategory.from_expression(name, expression).asset_ids()
    since = datetime(2024, 3, 1, tzinfo=UTC)
    plan = category.plan(**{verb: [assets[n] for n in chosen] for verb, chosen in asked.items()}, effective_from=since)
    plan.apply(reason="as planned")
    told = {each.identifier: each for each in plan.readers}
    after = {name: msc.AssetCategory.get(unique_identifier=name).asset_ids() for name in made}
    assert {name for name in made if after[name] != before[name]} == different
    assert {name for name, each in told.items() if each.affected} == different
    assert all(each.exact for each in told.values())
    assert {each.differs_from for each in told.values() if each.affected} == {since}


def test_where_another_operand_decides_the_difference_begins_later():
    [asset] = msc.Asset.batch_get_or_register_custom_assets([{"unique_identifier": "late"}])
    category = msc.AssetCategory.create(unique_identifier="x", dated=True)
    other = msc.AssetCategory.create(unique_identifier="y", dated=True)
    other.append_assets([asset], effective_from="2022-01-01", effective_to="2023-01-01")
    msc.AssetCategory.from_expression("both", "x & y")
    plan = category.plan(append=[asset], effective_from="2020-01-01")
    [told] = plan.readers
    assert (told.affected, told.differs_from, told.exact) == (True, datetime(2022, 1, 1, tzinfo=UTC), True)
    [told] = category.plan(append=[asset], effective_from="2024-01-01").readers
    assert (told.affected, told.exact, told.why) == (False, True, "it holds the same members")


def test_what_a_rule_fills_follows_at_its_next_date():
    [asset] = msc.Asset.batch_get_or_register_custom_assets([{"unique_identifier": "a"}])
    category = msc.AssetCategory.create(unique_identifier="x")
    rule = msc.UniverseRule(base="x", calendar="XNYS", frequency="monthly", start="2024-01-01")
    msc.AssetCategory.from_rule("ruled", rule)
    [told] = category.plan(append=[asset]).readers
    assert (told.affected, told.exact) == (True, False)


def test_prices_of_a_universe_between_may_gain_whom_this_one_loses():
    from mainsequence.virtualfundbuilder import InterpolatedPrices

    category = market(FLAT)
    msc.AssetCategory.create(unique_identifier="whole", assets=by_name("A", "B"))
    msc.AssetCategory.from_expression("rest", f"whole - {UNIVERSE}")
    rules = {"translation_table_unique_id": TABLE}
    InterpolatedPrices(prices_configuration=rules, assets_category_unique_id="rest").run(show_progress=False)
    plan = category.plan(remove=by_name("A"), effective_from=datetime(2024, 1, 3, tzinfo=UTC))
    [prices] = [each for each in plan.readers if each.role == "prices"]
    assert (prices.affected, prices.exact, prices.through) == (True, True, ("rest",))
    assert prices.differs_from == datetime(2024, 1, 2, tzinfo=UTC)
