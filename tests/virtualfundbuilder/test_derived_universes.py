"""Portfolios over universes that are made from others, and over those that rules fill."""

import json

import mainsequence.client as msc
from mainsequence.virtualfundbuilder import rebuild
from tests.virtualfundbuilder.market import SESSIONS, held, market, play, same_bytes, store

PRICES = {
    "A": [100, 110, 99, 100, 103, 101, 99, 105],
    "B": [50, 50, 55, 44, 46, 47, 45, 44],
    "C": [7, 8, 9, 8, 7, 6, 7, 8],
}


def first(count: int, start: int = 0) -> tuple[dict[str, list[float]], list[str]]:
    return {name: column[start:count] for name, column in PRICES.items()}, SESSIONS[start:count]


def asset(name: str) -> msc.Asset:
    return msc.Asset.get(unique_identifier=name)


def test_a_portfolio_follows_the_members_of_its_operands_at_each_date():
    everyone = market(*first(8))
    restricted = msc.AssetCategory.create(unique_identifier="restricted")
    restricted.append_assets([asset("B")], effective_from="2024-01-04", effective_to="2024-01-09")
    msc.AssetCategory.from_expression("allowed", everyone - restricted)
    weights = held(play(universe="allowed", name="Derived"))
    invested = (weights["B"] != 0).tolist()
    assert invested == [True, True, False, False, False, True, True, True]


def test_a_portfolio_over_a_derived_universe_equals_one_over_the_same_members():
    everyone = market(*first(8))
    restricted = msc.AssetCategory.create(unique_identifier="restricted")
    restricted.append_assets([asset("C")], effective_from="2024-01-05")
    derived = msc.AssetCategory.from_expression("allowed", everyone - restricted)
    plain = msc.AssetCategory.create(unique_identifier="by hand", assets=[asset("A"), asset("B"), asset("C")])
    plain.remove_assets([asset("C")], effective_from="2024-01-05")
    assert derived.members().equals(plain.members())
    one, other = (play(universe=name, name=name, fee=0.001, namespace=name) for name in ("allowed", "by hand"))
    assert same_bytes(one, other)


def test_it_is_rebuilt_whatever_became_of_its_operands():
    everyone = market(*first(5))
    restricted = msc.AssetCategory.create(unique_identifier="restricted", assets=[asset("C")])
    derived = msc.AssetCategory.from_expression("allowed", everyone - restricted)
    node = play(universe="allowed", fee=0.001, rebalance="weekly")
    assert node.manifest is not None
    manifest = json.loads(json.dumps(node.manifest.model_dump(mode="json")))
    assert node.series is not None
    stored = node.series.read_arrow().combine_chunks()
    everyone.update_assets([asset("B")])
    restricted.update_assets([asset("A")])
    derived.redefine("restricted")
    again = rebuild(manifest).values_table
    assert again.select(stored.column_names).cast(stored.schema).equals(stored)


def test_runs_with_nothing_new_in_between_read_the_same_pin():
    everyone = market(*first(3))
    msc.AssetCategory.from_expression("allowed", everyone)
    play(universe="allowed")
    store(*first(6, 3))
    node = play(universe="allowed")
    assert node.manifest is not None
    assert len({segment.universe for segment in node.manifest.segments}) == 1
