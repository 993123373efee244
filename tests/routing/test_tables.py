"""Translation tables: declared again and again, rules replaced and refused, all or nothing."""

import multiprocessing
import warnings
from typing import Any

import pytest

import mainsequence.client as msc
from mainsequence.client.connection import carrier
from mainsequence.contract import routing as contract
from mainsequence.errors import (
    InUseError,
    InvalidIdentifierError,
    NotFoundError,
    OverlappingRuleError,
    UnknownFieldError,
    UnknownFilterError,
    ValidationError,
)
from tests.routing import workers
from tests.routing.tables import a_rule, a_table, an_asset, stored


def test_get_or_create_finds_what_it_created():
    rules = [a_rule("a", security_type="A"), a_rule("b", "US", security_type="B")]
    first, again = a_table(*rules), a_table(*rules)
    assert (again.id, again.rules, [rule.id for rule in again.rules]) == (first.id, rules, [1, 2])
    assert msc.AssetTranslationTable.get(unique_identifier="prices").rules == rules
    assert msc.AssetTranslationTable.get(first.id).rules == rules
    assert msc.AssetTranslationTable.get_or_create(unique_identifier="prices").rules == rules
    assert again.rules_hash == first.rules_hash


@pytest.mark.filterwarnings("ignore::mainsequence.domain.routing.PossibleOverlapWarning")
def test_the_stored_filter_comes_back_equal_to_what_was_sent():
    sent = msc.AssetFilter(security_type="Common Stock", security_market_sector="Equity")
    a_table(a_rule("bars", security_type="Common Stock", security_market_sector="Equity"), a_rule("everything else"))
    assert [rule.asset_filter for rule in stored()] == [sent, msc.AssetFilter()]
    assert stored()[0].asset_filter.model_dump(exclude_none=True) == {
        "security_type": "Common Stock",
        "security_market_sector": "Equity",
    }


def test_a_changed_target_replaces_the_rule_of_its_filter():
    before = a_table(a_rule("old", security_type="A"), a_rule("b", security_type="B"))
    after = a_table(a_rule("new", "US", security_type="A"))
    assert after.rules == [a_rule("new", "US", security_type="A"), a_rule("b", security_type="B")]
    assert [rule.id for rule in after.rules] == [rule.id for rule in before.rules]
    assert after.rules_hash != before.rules_hash
    assert before.add_rules([a_rule("newer", security_type="A")]).rules[0] == a_rule("newer", security_type="A")


def test_rules_may_be_mappings():
    table = a_table().add_rules(
        [{"asset_filter": {"security_type": "A"}, "markets_time_serie_unique_identifier": "bars"}]
    )
    assert stored() == table.rules == [a_rule("bars", security_type="A")]


def test_rules_are_removed_by_rule_filter_or_id():
    rules = [a_rule(name, security_type=name) for name in "abcd"]
    table = a_table(*rules)
    table.remove_rules([rules[0], rules[1].asset_filter])
    table.remove_rules(rule_ids=[table.rules[0].id])
    assert table.rules == stored() == rules[3:]


@pytest.mark.parametrize(
    "named", [{"rule_ids": [1, 99]}, {"rules": [a_rule("a", security_type="a"), a_rule("z", security_type="z")]}]
)
def test_removing_a_rule_that_is_not_there_removes_none(named: dict[str, Any]):
    table = a_table(a_rule("a", security_type="a"))
    with pytest.raises(NotFoundError, match=r"99|security_type='z'"):
        table.remove_rules(**named)
    assert stored() == [a_rule("a", security_type="a")]


def test_tables_are_listed_with_their_rules():
    for name in ("one", "two", "three"):
        a_table(a_rule(name, security_type=name), name=name)
    found = msc.AssetTranslationTable.query(per_page=2)
    assert [(each.unique_identifier, len(each.rules)) for each in found] == [("one", 1), ("two", 1), ("three", 1)]
    assert [each.unique_identifier for each in msc.AssetTranslationTable.filter(unique_identifier__contains="t")] == [
        "two",
        "three",
    ]
    assert msc.AssetTranslationTable.get_or_none(unique_identifier="four") is None
    with pytest.raises(UnknownFilterError, match="unique_identifier"):
        msc.AssetTranslationTable.filter(rules=1)


# -- overlap


def test_a_rule_that_makes_a_registered_asset_match_two_is_refused_with_the_witness():
    an_asset("KO", security_type="Common Stock", exchange_code="US")
    an_asset("WITNESS", security_type="Common Stock", exchange_code="LN")
    table = a_table(a_rule("equity", security_type="Common Stock"))
    with pytest.raises(OverlappingRuleError, match="WITNESS") as refused:
        table.add_rules([a_rule("fine", security_type="Bond"), a_rule("london", exchange_code="LN")])
    assert refused.value.context["witness"] == "WITNESS"
    assert "equity" in str(refused.value)
    assert "london" in str(refused.value)
    assert table.rules == stored() == [a_rule("equity", security_type="Common Stock")]


def test_a_new_table_whose_rules_overlap_is_not_created():
    an_asset("WITNESS", security_type="A", exchange_code="LN")
    with pytest.raises(OverlappingRuleError, match="WITNESS"):
        a_table(a_rule("one", security_type="A"), a_rule("two", exchange_code="LN"))
    assert msc.AssetTranslationTable.filter() == []


def test_a_rule_for_every_asset_overlaps_with_any_other():
    an_asset("WITNESS", security_type="A")
    with pytest.raises(OverlappingRuleError, match="every asset"):
        a_table(a_rule("a", security_type="A"), a_rule("all"))


def test_a_retired_asset_is_no_witness():
    an_asset("GONE", security_type="A", exchange_code="LN").delete()
    with pytest.warns(msc.PossibleOverlapWarning):
        a_table(a_rule("one", security_type="A"), a_rule("two", exchange_code="LN"))
    assert len(stored()) == 2


def test_an_overlap_that_is_merely_possible_is_a_warning_and_in_the_answer():
    an_asset("KO", security_type="Common Stock", exchange_code="US")
    with pytest.warns(msc.PossibleOverlapWarning, match="security_type='Bond'.*exchange_code='LN'") as warned:
        a_table(a_rule("bonds", security_type="Bond"), a_rule("london", exchange_code="LN"))
    assert warned[0].filename.endswith("tables.py")
    where = carrier()
    edit = contract.RuleEdit(rules=[a_rule("sector", security_market_sector="Corp")])
    answer = where.call(contract.ADD_RULES, edit, key=1)
    assert [rule.id for rule in answer.added] == [3]
    assert [each.rule_ids for each in answer.possible_overlaps] == [(1, 3), (2, 3)]


def test_rules_that_a_field_tells_apart_give_no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        a_table(a_rule("a", security_type="A", exchange_code="US"), a_rule("b", security_type="B", exchange_code="US"))
        a_table(a_rule("a2", security_type="A", exchange_code="US"))


def test_overlapping_rules_are_accepted_where_the_operation_says_so_and_the_report_flags_them():
    an_asset("WITNESS", security_type="A", exchange_code="LN")
    table = a_table(a_rule("one", security_type="A"))
    given = [a_rule("two", exchange_code="LN"), a_rule("three", security_type="A"), a_rule("one", security_type="A")]
    answer = carrier().call(contract.ADD_RULES, contract.RuleEdit(rules=given, overlaps="accept"), key=table.id)
    assert stored() == answer.table.rules == [a_rule("one", security_type="A"), *given[:2]]
    report = table.refresh().coverage(check_series=False)
    assert not report.ok
    assert [(each.rule_ids, each.witness) for each in report.overlaps] == [
        ((1, 2), "WITNESS"),
        ((1, 3), "WITNESS"),
        ((2, 3), "WITNESS"),
    ]
    with pytest.raises(msc.AmbiguousRouteError, match="WITNESS"):
        table.evaluate_asset(1)
    table.add_rules([a_rule("one", security_type="A")])
    assert table.rules == [a_rule("one", security_type="A"), a_rule("two", exchange_code="LN")]


# -- bad input changes nothing


@pytest.mark.parametrize(
    ("rules", "error"),
    [
        ([{"asset_filter": {"sector": "x"}, "markets_time_serie_unique_identifier": "bars"}], UnknownFieldError),
        ([{"asset_filter": {"security_type": "x"}}], ValidationError),
        ([a_rule("bars", security_type="x"), a_rule("rabs", security_type="x")], ValidationError),
        ([a_rule("bars", security_type="x"), "rule"], ValidationError),
        (a_rule("bars"), ValidationError),
        ("bars", ValidationError),
    ],
)
def test_bad_rules_change_nothing(rules: Any, error: type[Exception]):
    table = a_table(a_rule("a", security_type="A"))
    with pytest.raises(error):
        table.add_rules(rules)
    with pytest.raises(error):
        msc.AssetTranslationTable.get_or_create("new", rules)
    assert [each.rules for each in msc.AssetTranslationTable.filter()] == [[a_rule("a", security_type="A")]]


@pytest.mark.parametrize("name", ["", "  ", " padded", "x" * 5_000, "line\nbreak"])
def test_bad_identifiers_are_refused(name: str):
    with pytest.raises(InvalidIdentifierError):
        a_table(name=name)
    assert msc.AssetTranslationTable.filter() == []


def test_a_table_is_named_once():
    for names in ({}, {"translation_table_identifier": "a", "unique_identifier": "a"}):
        with pytest.raises(ValidationError, match="once"):
            msc.AssetTranslationTable.get_or_create(**names)


# -- deleting


def test_a_deleted_table_is_gone_with_its_rules():
    table = a_table(a_rule("a", security_type="A"))
    other = a_table(a_rule("a", security_type="A"), name="other")
    table.delete()
    assert [each.unique_identifier for each in msc.AssetTranslationTable.filter()] == ["other"]
    assert len(other.refresh().rules) == 1
    with pytest.raises(NotFoundError):
        table.delete()
    assert a_table().rules == []


def test_a_table_that_routed_a_portfolio_is_not_deleted():
    table, other = a_table(a_rule("a", security_type="A")), a_table(name="other")
    fund = msc.Portfolio.get_or_create(unique_identifier="fund", manifest={"translation_table": "prices"})
    with pytest.raises(InUseError, match="portfolio fund") as refused:
        table.delete()
    assert refused.value.context["referrers"] == ["portfolio fund"]
    assert len(stored()) == 1
    other.delete()
    fund.delete()
    table.delete()
    assert msc.AssetTranslationTable.filter() == []


# -- how it looks


def test_repr_and_html_show_the_rules():
    table = a_table(a_rule("a", security_type="<A>"))
    assert "security_type='<A>'" in repr(table)
    assert "&lt;A&gt;" in table._repr_html_()


@pytest.mark.slow
def test_processes_that_declare_one_table_at_once_leave_one_rule_for_each_filter():
    spawn = multiprocessing.get_context("spawn")
    crew = [spawn.Process(target=workers.declare, args=(worker, 6)) for worker in range(4)]
    for each in crew:
        each.start()
    for each in crew:
        each.join(120)
    assert [each.exitcode for each in crew] == [0, 0, 0, 0]
    (table,) = msc.AssetTranslationTable.filter()
    filters = [rule.asset_filter.conditions for rule in table.rules]
    assert sorted(each["unique_identifier"] for each in filters if len(each) == 1 and "unique_identifier" in each) == [
        f"ASSET_{worker}_{number}" for worker in range(4) for number in range(6)
    ]
    (shared,) = [rule for rule in table.rules if rule.asset_filter == msc.AssetFilter(security_type="Bond")]
    assert shared.target[0] in {f"shared_{worker}" for worker in range(4)}
