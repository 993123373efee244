"""Plans, followed into universes that are made from the one that changes, and to what reads those."""

from datetime import UTC, datetime
from typing import Any

import pytest

import mainsequence.client as msc
from tests.universes.test_plans import FLAT, build, by_name, first_difference, names, results, weighted
from tests.virtualfundbuilder.market import SESSIONS, TABLE, UNIVERSE, bars, market, register

PORTFOLIOS: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {
    "core": ((), {"universe": "core"}),
    "weekly": ((), {"universe": "core", "rebalance": "weekly"}),
    "fixed": (("FixedWeights",), weighted(A=0.5, B=0.5) | {"universe": "core"}),
    "nested": ((), {"universe": "nested"}),
    "cut": ((), {"universe": "cut"}),
}

CHANGES: dict[str, Any] = {
    "B is restricted": lambda: {"append": by_name("B"), "effective_from": SESSIONS[3]},
    "B is restricted for a weekend": lambda: {
        "append": by_name("B"),
        "effective_from": "2024-01-06",
        "effective_to": "2024-01-08",
    },
    "C is free again": lambda: {"remove": by_name("C"), "effective_from": SESSIONS[4]},
    "C is free for ever": lambda: {"remove": by_name("C")},
    "D, whom nobody holds, is restricted": lambda: {"append": register(["D"])},
}


def a_restricted_list() -> msc.AssetCategory:
    """A universe of A and B: A, B and C but for C, which is restricted; and what is made from it."""
    market(FLAT)
    restricted = msc.AssetCategory.create(unique_identifier="restricted", assets=by_name("C"))
    msc.AssetCategory.from_expression("core", f"{UNIVERSE} - restricted")
    msc.AssetCategory.from_expression("nested", "core | restricted@1")
    msc.AssetCategory.create(unique_identifier="a", assets=by_name("A"))
    msc.AssetCategory.from_expression("cut", "core & a")
    return restricted


def foreseen_and_happened(change: str, *chosen: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Plan a change, apply it, rebuild portfolios; from when each was said to differ, and from when it does."""
    restricted = a_restricted_list()
    wanted = {name: PORTFOLIOS[name] for name in chosen or PORTFOLIOS}
    before = {name: results(build(name, *args, **kwargs)) for name, (args, kwargs) in wanted.items()}
    plan = restricted.plan(**CHANGES[change]())
    said = {each.identifier: each for each in plan.readers if each.role == "portfolio"}
    assert all(each.exact for each in said.values())
    plan.apply(reason="to see")
    after = {name: results(build(name, *args, force=True, **kwargs)) for name, (args, kwargs) in wanted.items()}
    foreseen = {name: said[name].differs_from if said[name].affected else None for name in wanted}
    return foreseen, {name: first_difference(before[name], after[name]) for name in wanted}


@pytest.mark.slow
@pytest.mark.embedded
@pytest.mark.parametrize("change", CHANGES)
def test_portfolios_of_universes_between_differ_as_the_plan_says(change: str):
    foreseen, happened = foreseen_and_happened(change)
    assert foreseen == happened


def test_portfolios_of_universes_between_differ_as_the_plan_says_on_every_carrier():
    foreseen, happened = foreseen_and_happened("B is restricted", "core", "cut")
    assert foreseen == happened
    assert foreseen == {"core": datetime(2024, 1, 5, 21, tzinfo=UTC), "cut": None}


def test_whoever_enters_a_restricted_list_is_held_by_what_reads_the_rest():
    restricted = a_restricted_list()
    build("core", universe="core")
    plan = restricted.plan(append=by_name("B"), effective_from=SESSIONS[3])
    assert names(plan.enters) == ["B"]
    assert [(each.portfolio, each.unique_identifier, each.weight) for each in plan.held] == [("core", "B", 0.5)]
    assert plan.unrouted == plan.unpriced == []
    assert restricted.plan(remove=by_name("C")).held == []


def test_whoever_leaves_a_restricted_list_needs_routes_and_prices():
    market(FLAT)
    table = msc.AssetTranslationTable.get(unique_identifier=TABLE)
    table.remove_rules(table.rules)
    table.add_rules([{"asset_filter": {"exchange_code": "US"}, "markets_time_serie_unique_identifier": "raw bars"}])
    swiss, late = register(["S"], snapshot={"name": "S", "ticker": "S", "exchange_code": "SW"}) + register(["L"])
    msc.Series.get(unique_identifier="raw bars").append(bars({"L": [1.0, 1.0]}, SESSIONS[-2:]))
    restricted = msc.AssetCategory.create(unique_identifier="restricted", assets=[swiss, late])
    msc.AssetCategory.create(unique_identifier="whole", assets=[*by_name("A", "B"), swiss, late])
    msc.AssetCategory.from_expression("core", "whole - restricted")
    build("core", universe="core")
    plan = restricted.plan(remove=[swiss, late])
    assert [(each.unique_identifier, each.status) for each in plan.unrouted] == [("S", "no_route")]
    assert [(each.unique_identifier, each.first) for each in plan.unpriced] == [
        ("L", datetime(2024, 1, 10, tzinfo=UTC))
    ]
    back = restricted.plan(append=by_name("A"))
    assert back.unrouted == back.unpriced == []


def test_a_reader_that_reads_in_several_ways_differs_by_the_first_of_them():
    a, b = msc.Asset.batch_get_or_register_custom_assets([{"unique_identifier": name} for name in "ab"])
    category = msc.AssetCategory.create(unique_identifier="x", assets=[a, b])
    msc.AssetCategory.create(unique_identifier="only_a", assets=[a])
    msc.AssetCategory.from_expression("between", "x & only_a")
    msc.AssetCategory.from_expression("both", "x@1 & between")
    plan = category.plan(remove=[a], effective_from="2024-03-01")
    told = {each.identifier: (each.affected, each.exact, each.differs_from) for each in plan.readers}
    since = datetime(2024, 3, 1, tzinfo=UTC)
    assert told == {"between": (True, True, since), "both": (True, True, since)}
    spared = category.plan(remove=[b]).readers
    assert {each.identifier: each.affected for each in spared} == {"between": False, "both": False}


def test_what_is_made_from_what_a_rule_fills_may_differ_where_the_rule_may():
    a, b = msc.Asset.batch_get_or_register_custom_assets([{"unique_identifier": name} for name in "ab"])
    category = msc.AssetCategory.create(unique_identifier="x", assets=[a])
    msc.AssetCategory.create(unique_identifier="only_a", assets=[a])
    msc.AssetCategory.from_expression("common", "x & only_a")
    monthly: dict[str, Any] = {"calendar": "XNYS", "frequency": "monthly", "start": "2024-01-01"}
    of_all = msc.AssetCategory.from_rule("of_all", msc.UniverseRule(base="x", **monthly))
    msc.AssetCategory.from_rule("of_common", msc.UniverseRule(base="common", **monthly))
    msc.AssetCategory.from_rule("of_rule", msc.UniverseRule(base="of_all", **monthly))
    msc.AssetCategory.from_expression("behind", "of_rule | of_common")
    of_all.refresh_rule(until="2024-06-15")
    plan = category.plan(append=[b])
    told = {each.identifier: (each.affected, each.exact) for each in plan.readers}
    maybe, spared = (True, False), (False, True)
    assert told == {"of_all": maybe, "of_rule": maybe, "behind": maybe, "common": spared, "of_common": spared}
    dates = {each.identifier: each.differs_from for each in plan.affected}
    assert dates["of_all"] == datetime(2024, 6, 3, tzinfo=UTC), "what is decided stays decided"
    assert dates["of_rule"] == dates["behind"] == dates["of_all"]


def test_weights_are_nothing_to_a_rule():
    [asset] = msc.Asset.batch_get_or_register_custom_assets([{"unique_identifier": "a"}])
    category = msc.AssetCategory.create(unique_identifier="x", assets=[asset])
    rule = msc.UniverseRule(base="x", calendar="XNYS", frequency="monthly", start="2024-01-01")
    msc.AssetCategory.from_rule("ruled", rule)
    assert [each.affected for each in category.plan(weights={asset.id: 0.5}).readers] == [False]
