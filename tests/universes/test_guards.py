"""Guards: what a change must satisfy, whatever asks for it; what they refuse changes nothing."""

from collections.abc import Callable
from typing import Any

import pytest

import mainsequence.client as msc


def assets(number: int) -> list[msc.Asset]:
    names = [{"unique_identifier": f"a{each:02}"} for each in range(number)]
    return msc.Asset.batch_get_or_register_custom_assets(names)


def universe(number: int, **guards: Any) -> tuple[msc.AssetCategory, list[msc.Asset]]:
    some = assets(number)
    category = msc.AssetCategory.create(unique_identifier="guarded", assets=some)
    if guards:
        category.guard(**guards)
    return category, some


REMOVERS: dict[str, Callable[[msc.AssetCategory, list[msc.Asset], int, bool], Any]] = {
    "remove": lambda category, some, n, force: category.remove_assets(some[:n], force=force),
    "replace": lambda category, some, n, force: category.update_assets(some[n:], force=force),
    "patch": lambda category, some, n, force: category.patch(assets=some[n:], force=force),
    "plan": lambda category, some, n, force: category.plan(remove=some[:n]).apply(force=force),
    "dated remove": lambda category, some, n, force: category.remove_assets(
        some[:n], effective_from="2024-01-02", force=force
    ),
    "dated replace": lambda category, some, n, force: category.update_assets(
        some[n:], effective_from="2024-01-02", effective_to="2024-02-02", force=force
    ),
    "planned ahead": lambda category, some, n, force: category.remove_assets(
        some[:n], effective_from="2099-01-01", force=force
    ),
}


@pytest.mark.parametrize("verb", REMOVERS)
def test_more_than_half_of_a_large_universe_leaves_only_when_forced(verb: str):
    category, some = universe(21)
    with pytest.raises(msc.RemovalGuardError, match="force=True") as refused:
        REMOVERS[verb](category, some, 11, False)
    facts = refused.value.context
    assert (facts["category"], facts["leaving"], facts["members"], facts["allowed"]) == ("guarded", 11, 21, 0.5)
    assert category.refresh().revision == 1
    REMOVERS[verb](category, some, 11, True)
    assert category.refresh().revision == 2


@pytest.mark.parametrize("verb", REMOVERS)
def test_half_of_a_large_universe_and_all_of_a_small_one_may_leave(verb: str):
    category, some = universe(22)
    REMOVERS[verb](category, some, 11, False)
    assert category.refresh().revision == 2
    small = msc.AssetCategory.create(unique_identifier="small", assets=some[:20])
    REMOVERS[verb](small, some[:20], 20, False)
    assert small.refresh().revision == 2


def test_members_are_counted_where_the_change_takes_effect():
    category, some = universe(30)
    category.remove_assets(some[10:], effective_to="2020-01-01", force=True)  # ten until 2020, then thirty
    category.remove_assets(some[:10], effective_to="2019-01-01")  # all ten, but of a universe of ten
    with pytest.raises(msc.RemovalGuardError) as refused:
        category.remove_assets(some[:16], effective_from="2024-01-02")
    assert (refused.value.context["leaving"], refused.value.context["members"]) == (16, 30)
    assert refused.value.context["at"] == "2024-01-02T00:00:00+00:00"


def test_the_largest_part_counts_whenever_it_is_missing():
    some = assets(60)
    category = msc.AssetCategory.create(unique_identifier="guarded", dated=True)
    category.append_assets(some, effective_from="2000-01-01", effective_to="2010-01-01")
    category.append_assets(some[:25], effective_from="2096-12-01")
    with pytest.raises(msc.RemovalGuardError) as refused:
        category.remove_assets(some[:29], effective_from="2005-01-01")  # 29 of 60, and later 25 of 25
    facts = refused.value.context
    assert (facts["leaving"], facts["members"], facts["at"]) == (25, 25, "2096-12-01T00:00:00+00:00")
    category.remove_assets(some[:29], effective_from="2005-01-01", effective_to="2010-01-01")


def test_nobody_left_at_any_time_is_empty():
    some = assets(5)
    category = msc.AssetCategory.create(unique_identifier="guarded", dated=True)
    category.append_assets(some[:1], effective_from="2020-01-01")
    category.append_assets(some[1:4], effective_from="2020-01-01", effective_to="2097-06-01")
    category.guard(forbid_empty=True)
    with pytest.raises(msc.EmptyUniverseError) as refused:
        category.remove_assets(some[:3], effective_from="2097-01-01")  # a03 stays, until 2097-06-01
    assert refused.value.context["at"] == "2097-06-01T00:00:00+00:00"
    category.update_assets(some[4:], effective_from="2098-01-01", effective_to="2098-02-01", force=True)
    with pytest.raises(msc.EmptyUniverseError):
        category.remove_assets(some, effective_from="2098-01-15", effective_to="2098-01-16", force=True)
    category.remove_assets(some[:3], effective_from="2097-01-01", effective_to="2097-06-01")


def test_replacing_half_by_others_is_no_less_a_removal():
    category, some = universe(21)
    others = msc.Asset.batch_get_or_register_custom_assets([{"unique_identifier": f"b{n}"} for n in range(21)])
    with pytest.raises(msc.RemovalGuardError):
        category.update_assets(others)
    category.append_assets(others)
    assert len(category.assets) == 42
    assert len(some) == 21


def test_a_fraction_of_ones_own_holds_for_universes_of_any_size():
    category, some = universe(5, max_removal_fraction=0.2)
    category.remove_assets(some[:1])
    with pytest.raises(msc.RemovalGuardError) as refused:
        category.remove_assets(some[1:2])
    assert refused.value.context["fraction"] == 0.25
    category.guard(max_removal_fraction=1)
    category.update_assets([])
    category.guard(max_removal_fraction=None)
    assert category.guards() == msc.Guards()


def test_no_guard_minds_an_asset_that_retires():
    guards = {"forbid_empty": True, "require_reason": True, "require_plan": True, "max_removal_fraction": 0}
    category, some = universe(2, **guards, locked=True)
    some[0].delete()
    some[1].delete()
    assert category.assets == []


def test_a_universe_can_be_kept_from_being_emptied_even_by_force():
    category, some = universe(3, forbid_empty=True)
    for change in (
        lambda: category.update_assets([], force=True),
        lambda: category.remove_assets(some, effective_from="2024-01-02", force=True),
        lambda: category.plan(replace=[]).apply(force=True),
    ):
        with pytest.raises(msc.EmptyUniverseError):
            change()
    other = msc.Asset.batch_get_or_register_custom_assets([{"unique_identifier": "other"}])
    category.update_assets(other)
    assert category.assets == [other[0].id]


def test_a_reason_can_be_required():
    category, some = universe(3, require_reason=True)
    for reason in (None, "", "  "):
        with pytest.raises(msc.ReasonRequiredError):
            category.remove_assets(some[:1], reason=reason)
    category.remove_assets(some[:1], reason="too small")
    with pytest.raises(msc.ReasonRequiredError):
        category.plan(append=some[:1]).apply()
    category.plan(append=some[:1]).apply(reason="grown")
    assert [each.reason for each in category.history()][1:] == ["too small", "grown"]
    assert category.append_assets(some).revision == 3  # nothing changes, nothing to give a reason for


def test_a_plan_can_be_required():
    category, some = universe(3, require_plan=True)
    with pytest.raises(msc.PlanRequiredError, match="plan"):
        category.remove_assets(some[:1])
    with pytest.raises(msc.PlanRequiredError):
        category.patch(assets=[])
    category.plan(remove=some[:1]).apply()
    assert category.revision == 2


def test_a_locked_universe_does_not_change_until_it_is_unlocked():
    category, some = universe(3, locked=True)
    for change in (
        lambda: category.remove_assets(some[:1], force=True),
        lambda: category.patch(assets=[]),
        lambda: category.plan(remove=some[:1]).apply(force=True),
        lambda: category.rename("other"),
        lambda: category.deprecate(),
        category.delete,
    ):
        with pytest.raises(msc.LockedError):
            change()
    category.patch(description="still described")
    category.guard(locked=False, reason="year end is over")
    category.remove_assets(some[:1])
    assert [each.reason for each in category.guard_history()] == [None, "year end is over"]


def test_a_plan_says_which_guards_would_refuse_it():
    category, some = universe(30, require_reason=True, locked=True)
    found = [each.code for each in category.plan(remove=some[:20]).objections]
    assert found == ["guard.locked", "guard.reason", "guard.removal"]
    category.guard(require_reason=False, locked=False)
    assert category.plan(remove=some[:2]).objections == []


def test_what_guards_refuse_says_so_as_one_kind_of_error():
    category, some = universe(3, locked=True)
    with pytest.raises(msc.GuardError) as refused:
        category.remove_assets(some)
    assert isinstance(refused.value, msc.ConflictError)
    assert (refused.value.status, refused.value.code) == (409, "guard.locked")


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_removal_fraction": 1.5},
        {"max_removal_fraction": float("nan")},
        {"max_removal_fractoin": 0.5},
        {"locked": None},
        {"approvers": ["nobody-here"]},
        {"owners": ["nobody-here"]},
        {"approvers": "ada"},
    ],
)
def test_guards_that_cannot_be_are_refused(wrong: dict[str, Any]):
    category, _ = universe(1)
    with pytest.raises(msc.ValidationError):
        category.guard(**wrong)
    assert (category.guards(), category.guard_history()) == (msc.Guards(), [])


def test_every_change_of_guards_is_remembered_and_no_change_is_not():
    category, _ = universe(1, max_removal_fraction=0.2)
    category.guard(max_removal_fraction=0.2)
    category.guard(forbid_empty=True, reason="benchmarks need somebody")
    history = category.guard_history()
    assert [(each.number, each.reason, each.guards.max_removal_fraction) for each in history] == [
        (1, None, 0.2),
        (2, "benchmarks need somebody", 0.2),
    ]
    assert history[-1].guards == category.guards()
    assert history[0].recorded_at <= history[1].recorded_at


@pytest.mark.parametrize(
    ("guards", "refusal"),
    [
        ({"locked": True}, msc.LockedError),
        ({"require_reason": True}, msc.ReasonRequiredError),
        ({"require_plan": True}, msc.PlanRequiredError),
        ({"approvers": ["local"]}, msc.ApprovalRequiredError),
    ],
)
def test_announcements_alone_pass_no_guard(guards: dict[str, Any], refusal: type[msc.GuardError]):
    category, some = universe(1)
    row = {"unique_identifier": "a00", "valid_from": "2099-01-01", "announced": "2024-01-01"}
    category.load([row])
    before = category.upcoming("2025-01-01")
    category.guard(**guards)
    assert category.load([row]).revision == category.refresh().revision
    with pytest.raises(refusal):
        category.load([row | {"announced": "2020-05-05"}])
    assert not category.load([row | {"announced": "2020-05-05"}], dry_run=True).ok
    assert category.upcoming("2025-01-01").equals(before)
    assert category.upcoming("2021-01-01").empty
    assert len(some) == 1
