"""Filters and rules as values: a closed set of fields, identity by filter, a hash of what the rules say."""

from collections.abc import Callable

import pytest

import mainsequence.client as msc
from mainsequence.domain.routing import plan_every_rule, plan_rules, rules_hash
from mainsequence.errors import InvalidIdentifierError, UnknownFieldError, ValidationError
from tests.routing.tables import a_rule

FIELDS = [
    "asset_ticker_group_id",
    "exchange_code",
    "security_market_sector",
    "security_type",
    "security_type_2",
    "unique_identifier",
]


def test_the_fields_of_filters_are_a_closed_set():
    assert sorted(msc.AssetFilter.model_fields) == FIELDS


@pytest.mark.parametrize("build", [lambda: msc.AssetFilter(sector="Equity"), lambda: a_rule(sector="Equity")])
def test_an_unknown_filter_field_is_refused_and_the_allowed_ones_are_listed(build: Callable[[], object]):
    with pytest.raises(UnknownFieldError, match="sector") as refused:
        build()
    assert ", ".join(FIELDS) in str(refused.value)


def test_an_unknown_field_inside_a_rule_lists_the_fields_of_filters():
    with pytest.raises(UnknownFieldError, match=", ".join(FIELDS)):
        msc.AssetTranslationRule.parse(
            {"asset_filter": {"sector": "Equity"}, "markets_time_serie_unique_identifier": "bars"}
        )


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"asset_filter": {"security_type": ""}}, ValidationError),
        ({"asset_filter": {"security_type": "x" * 5_000}}, ValidationError),
        ({"asset_filter": {"security_type": 3}}, ValidationError),
        ({"asset_filter": {"asset_ticker_group_id": "BBG001S5N8V9"}}, InvalidIdentifierError),
        ({"asset_filter": None}, ValidationError),
        ({"markets_time_serie_unique_identifier": "  "}, InvalidIdentifierError),
        ({"default_column_name": "not a column"}, ValidationError),
        ({"target_exchange_code": ""}, ValidationError),
        ({"exchange": "US"}, UnknownFieldError),
    ],
)
def test_bad_rules_are_refused(fields: dict[str, object], error: type[Exception]):
    good = {"asset_filter": {"security_type": "Bond"}, "markets_time_serie_unique_identifier": "bars"}
    assert msc.AssetTranslationRule.parse(good).default_column_name == "close"
    with pytest.raises(error):
        msc.AssetTranslationRule.parse(good | fields)


def test_rules_are_equal_when_they_route_alike():
    rule = a_rule("bars", security_type="Bond")
    kept = rule.model_copy(update={"id": 7})
    assert rule == kept
    assert hash(rule) == hash(kept)
    assert rule != a_rule("bars", "US", security_type="Bond")
    assert rule != a_rule("bars", security_type_2="Bond")
    assert rule != "bars"


def test_giving_rules_adds_replaces_and_leaves_alone():
    stored = [a_rule("a", security_type="A").model_copy(update={"id": 1}), a_rule("b", security_type="B")]
    plan = plan_rules(stored, [a_rule("x", security_type="A"), a_rule("b", security_type="B"), a_rule("c")])
    assert plan.added == [a_rule("c")]
    assert plan.replaced == [a_rule("x", security_type="A")]
    assert plan.replaced[0].id == 1
    assert not plan.dropped
    assert plan_rules(stored, stored).is_empty


def test_one_filter_with_two_targets_in_one_call_is_refused():
    with pytest.raises(ValidationError, match="two targets"):
        plan_rules([], [a_rule("a", security_type="A"), a_rule("b", security_type="A")])
    assert len(plan_rules([], [a_rule("a", security_type="A")] * 2).added) == 1


def test_where_rules_of_one_filter_may_stand_beside_each_other_only_known_ones_are_left_out():
    stored = [a_rule("a", security_type="A")]
    plan = plan_every_rule(stored, [a_rule("a", security_type="A"), a_rule("b", security_type="A")])
    assert (plan.added, plan.replaced, plan.dropped) == ([a_rule("b", security_type="A")], [], [])


def test_a_rule_given_plainly_takes_the_place_of_all_of_its_filter():
    stored = [a_rule(series, security_type="A").model_copy(update={"id": n}) for n, series in enumerate("ab")]
    plan = plan_rules(stored, [a_rule("a", security_type="A")])
    assert (plan.added, plan.replaced, [rule.id for rule in plan.dropped]) == ([], [], [1])


def test_the_hash_says_what_the_rules_say():
    one, other = a_rule("a", security_type="A"), a_rule("b", "US", security_type="B")
    assert rules_hash([one, other]) == rules_hash([other.model_copy(update={"id": 9}), one])
    different = [
        [],
        [one],
        [one, a_rule("b", security_type="B")],
        [one, a_rule("b", "US", security_type_2="B")],
        [one, other.model_copy(update={"default_column_name": "vwap"})],
    ]
    assert len({rules_hash(rules) for rules in [[one, other], *different]}) == 6
