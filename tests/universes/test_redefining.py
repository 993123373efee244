"""Another expression for a universe made from others: planned, guarded, written as planned, and taken back."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import mainsequence.client as msc
from mainsequence.client.connection import carrier
from mainsequence.contract import plans as contract
from mainsequence.errors import UnknownRevisionError
from tests.universes.test_plans import FLAT, build, by_name, first_difference, names, results
from tests.virtualfundbuilder.market import UNIVERSE, market


@pytest.fixture
def assets() -> list[msc.Asset]:
    return msc.Asset.batch_get_or_register_custom_assets([{"unique_identifier": f"a{n:02}"} for n in range(30)])


@pytest.fixture
def core(assets: list[msc.Asset]) -> msc.AssetCategory:
    """All of thirty, made from a universe of them; beside it a small one and an empty one."""
    msc.AssetCategory.create(unique_identifier="large", assets=assets)
    msc.AssetCategory.create(unique_identifier="small", assets=assets[:10])
    msc.AssetCategory.create(unique_identifier="nobody")
    return msc.AssetCategory.from_expression("core", "large")


def test_a_plan_of_another_expression_changes_nothing_and_says_what_it_would_do(
    core: msc.AssetCategory, assets: list[msc.Asset]
):
    msc.AssetCategory.from_expression("below", "core & small")
    msc.AssetCategory.from_expression("untouched", "small | core | large")
    large = msc.AssetCategory.get(unique_identifier="large")
    large.remove_assets(assets[:1], effective_from="2024-01-01")
    plan = core.plan(expression=large - "small")
    assert core.expression == "large"
    assert (names(plan.enters), names(plan.leaves)) == ([], [f"a{n:02}" for n in range(10)])
    assert [each.valid_to for each in plan.leaves[:2]] == [datetime(2024, 1, 1, tzinfo=UTC), None]
    told = {each.identifier: each.affected for each in plan.readers}
    assert told == {"below": True, "untouched": False}
    assert "made from large → large - small" in repr(plan)
    assert (plan.size.changed, plan.size.members) == (10, 29)
    assert plan.apply(reason="without the small ones").revision == 2
    assert names(core.get_assets()) == [f"a{n:02}" for n in range(10, 30)]
    assert (core.history()[-1].operation, core.verify().ok) == ("redefine", True)


def test_the_same_expression_is_a_plan_of_nothing(core: msc.AssetCategory):
    plan = core.plan(expression="( large )")
    assert (plan.is_empty, plan.summary) == (True, "Plan: nothing would change")
    assert plan.apply().revision == 1
    other = core.plan(expression="large | small")
    assert not other.is_empty, "it is made from something else, though it holds the same today"
    assert other.apply().revision == 2
    assert str(core.plan(expression="small").size) == "no earlier change to compare with"


def test_a_plan_of_an_expression_is_refused_once_anything_has_moved_that_it_tells_of(
    core: msc.AssetCategory, assets: list[msc.Asset]
):
    small = msc.AssetCategory.get(unique_identifier="small")
    plan = core.plan(expression="large - small")
    small.append_assets(assets[10:11])
    with pytest.raises(msc.StaleRevisionError, match="made from has changed"):
        plan.apply()
    plan = core.plan(expression="large - small")
    core.redefine("large | small")
    with pytest.raises(msc.StaleRevisionError):
        plan.apply()
    assert core.expression == "large | small"


def test_a_plan_of_an_expression_goes_through_a_file_and_a_forged_one_is_refused(
    core: msc.AssetCategory, tmp_path: Path
):
    (tmp_path / "plan.json").write_text(core.plan(expression="large - nobody").to_json())
    change = msc.Plan.from_json(tmp_path / "plan.json").change
    members = msc.AssetCategory.get(unique_identifier="small")
    forged: list[tuple[int, dict[str, Any]]] = [
        (core.id, {"expression": "small"}),
        (core.id, {"expression": "(large - nobody)"}),
        (core.id, {"operation": "update"}),
        (members.id, {"category_id": members.id}),
        (members.id, {"category_id": members.id, "operation": "update"}),
    ]
    for key, fields in forged:
        other = change.model_copy(update=fields)
        body = contract.PlanApplication(change=other, content_hash=other.content_hash)
        with pytest.raises(
            (msc.AlteredPlanError, msc.StaleRevisionError, msc.DerivedUniverseError, msc.RemovalGuardError)
        ):
            carrier().call(contract.APPLY, body, key=key)
    assert (core.refresh().revision, members.refresh().revision) == (1, 1)
    assert msc.Plan.from_json(tmp_path / "plan.json").apply().revision == 2


@pytest.mark.parametrize(
    ("asked", "refusal"),
    [
        ({"expression": "core | small"}, msc.CyclicUniverseError),
        ({"expression": "lrage"}, msc.NotFoundError),
        ({"expression": "large &"}, msc.InvalidExpressionError),
        ({"expression": "small", "append": []}, msc.ValidationError),
        ({"expression": "small", "effective_from": "2024-01-01"}, msc.ValidationError),
        ({"append": []}, msc.DerivedUniverseError),
    ],
)
def test_what_cannot_be_planned_is_refused(core: msc.AssetCategory, asked: dict[str, Any], refusal: type[Exception]):
    with pytest.raises(refusal):
        core.plan(**asked)


def test_members_are_not_made_from_an_expression(core: msc.AssetCategory):
    with pytest.raises(msc.DerivedUniverseError, match="not made from other universes"):
        msc.AssetCategory.get(unique_identifier="small").plan(expression="large")


def test_guards_hold_for_expressions(core: msc.AssetCategory):
    with pytest.raises(msc.RemovalGuardError, match="20 of 30 members of 'core'"):
        core.redefine("small")
    assert [each.code for each in core.plan(expression="small").objections] == [msc.RemovalGuardError.code]
    assert core.redefine("small", force=True).revision == 2
    core.guard(forbid_empty=True)
    with pytest.raises(msc.EmptyUniverseError):
        core.redefine("nobody", force=True)
    core.guard(max_removal_fraction=0.05)
    with pytest.raises(msc.RemovalGuardError):
        core.plan(expression="small - small").apply()
    core.guard(require_plan=True)
    with pytest.raises(msc.PlanRequiredError):
        core.redefine("large")
    assert core.plan(expression="large").apply().revision == 3


def test_going_back_gives_the_expression_that_was(core: msc.AssetCategory, assets: list[msc.Asset]):
    core.redefine("large - small", reason="a mistake")
    between = core.history()[-1].recorded_at
    core.redefine("large | nobody")
    assert core.revert(2, reason="not that").expression == "large - small"
    assert core.revert(1).expression == "large"
    assert core.revert(between).expression == "large - small"
    history = core.history()
    assert [each.operation for each in history][-3:] == ["revert to 2", "revert to 1", "revert to 2"]
    assert "not that: large - small" in str(history[3].reason)
    assert core.verify().ok
    assert core.revert(2).revision == 6, "it is that already"
    for wrong in (0, 7, "2000-01-01"):
        with pytest.raises(UnknownRevisionError):
            core.revert(wrong)


def test_going_back_passes_the_guards(core: msc.AssetCategory):
    core.redefine("small", force=True)
    core.redefine("large")
    with pytest.raises(msc.RemovalGuardError):
        core.revert(2)
    assert core.revert(2, force=True).expression == "small"


@pytest.mark.embedded
def test_portfolios_differ_as_the_plan_of_an_expression_says():
    market(FLAT)
    msc.AssetCategory.create(unique_identifier="b").append_assets(by_name("B"), effective_from="2024-01-08")
    core = msc.AssetCategory.from_expression("core", UNIVERSE)
    before = results(build("core", universe="core"))
    plan = core.plan(expression=f"{UNIVERSE} - b")
    [told] = plan.affected
    assert [(each.portfolio, each.unique_identifier) for each in plan.held] == [("core", "B")]
    plan.apply()
    happened = first_difference(before, results(build("core", universe="core", force=True)))
    assert (told.exact, told.differs_from) == (True, happened)
