"""Evaluating coded columns equals asking every rule about every asset, one by one."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mainsequence.compute.routing import Rulebook, overlapping

Filters = list[dict[str, str]]
Assets = list[dict[str, str | None]]

FIELDS = ("security_type", "security_market_sector", "exchange_code", "unique_identifier")
values = st.sampled_from(["A", "B", "C", ""])
filters = st.lists(st.dictionaries(st.sampled_from(FIELDS), values, max_size=4), max_size=12)
assets = st.lists(st.fixed_dictionaries({name: st.none() | values for name in FIELDS}), max_size=30)


def naive(filters: Filters, asset: dict[str, str | None]) -> list[int]:
    return [
        place
        for place, conditions in enumerate(filters)
        if all(asset[field] == value for field, value in conditions.items())
    ]


def columns(assets: Assets) -> dict[str, list[str | None]]:
    return {field: [asset[field] for asset in assets] for field in FIELDS}


@given(filters, assets)
def test_evaluation_equals_a_loop_over_assets_and_rules(filters: Filters, assets: Assets):
    expected = [naive(filters, asset) for asset in assets]
    book = Rulebook.of(filters)
    codes = book.encode(columns(assets))
    found = book.evaluate(codes, len(assets))
    assert found.count.tolist() == [len(each) for each in expected]
    assert found.rule.tolist() == [each[0] if len(each) == 1 else -1 for each in expected]
    assert found.hits.tolist() == [sum(place in each for each in expected) for place in range(len(filters))]
    table = book.table(codes, np.arange(len(assets)))
    assert [np.flatnonzero(column).tolist() for column in table.T] == expected


@given(filters, assets)
def test_pairs_that_share_an_asset_are_found_with_the_first_one(filters: Filters, assets: Assets):
    book = Rulebook.of(filters)
    matched = book.table(book.encode(columns(assets)), np.arange(len(assets)))
    hits = [set(naive(filters, asset)) for asset in assets]
    expected = {
        (a, b): min(place for place, each in enumerate(hits) if {a, b} <= each)
        for b in range(len(filters))
        for a in range(b)
        if any({a, b} <= each for each in hits)
    }
    assert {(a, b): first for a, b, first in overlapping(matched)} == expected


@given(filters)
def test_rules_are_compatible_where_no_field_tells_them_apart(filters: Filters):
    found = Rulebook.of(filters).compatible()
    for a, one in enumerate(filters):
        for b, other in enumerate(filters):
            assert found[a, b] == all(one[field] == other[field] for field in one.keys() & other.keys())


def test_more_rules_and_values_than_a_byte_can_count():
    filters = [{"unique_identifier": f"A{number}"} for number in range(600)] + [{}] * 300
    names = [f"A{number}" for number in range(0, 700, 7)]
    found = Rulebook.of(filters).evaluate(Rulebook.of(filters).encode({"unique_identifier": names}), len(names))
    assert found.count.tolist() == [301 if int(name[1:]) < 600 else 300 for name in names]
    alone = Rulebook.of(filters[:600])
    matched = alone.evaluate(alone.encode({"unique_identifier": names}), len(names))
    assert matched.rule.tolist() == [int(name[1:]) if int(name[1:]) < 600 else -1 for name in names]


def test_256_rules_that_all_match_are_not_taken_for_none():
    book = Rulebook.of([{}] * 256)
    assert book.evaluate({}, 2).count.tolist() == [256, 256]
    assert Rulebook.of([{}] * 255).evaluate({}, 1).count.tolist() == [255]


def test_no_rules_match_nothing():
    found = Rulebook.of([]).evaluate({}, 3)
    assert (found.count.tolist(), found.rule.tolist(), found.hits.tolist()) == ([0, 0, 0], [-1, -1, -1], [])
