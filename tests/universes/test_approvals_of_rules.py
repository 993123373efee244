"""Approving what a rule decided: members and the run that explains them are written together, or not at all."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

import mainsequence.client as msc
from mainsequence.contract import assets as asset_contract
from mainsequence.contract import composition
from mainsequence.contract.categories import GET_OR_CREATE
from mainsequence.domain.categories import CategoryCreation
from mainsequence.domain.universe_rules import UniverseRule
from mainsequence.errors import PermissionDeniedError
from tests.universes.actors import Carriers, request, seen
from tests.universes.approving import asked, hand_made, refresh, register, ruled_universe


def why(category: msc.AssetCategory, asset_id: int, as_of: str) -> Any:
    query = composition.WhyQuery(asset_id=asset_id, as_of=as_of)
    return category._call(composition.WHY, query, key=category.id)


def test_what_a_rule_decides_waits_and_is_written_with_its_run(users: Carriers):
    ruled, ids = ruled_universe(users)
    number = asked(lambda: refresh(ruled, users["author"], "2024-03-15"))
    assert (ruled.requests()[0].id, ruled.refresh().revision, ruled.assets) == (number, 1, [])
    decision = request(number, users["ada"]).decision
    first, last = datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 3, 1, tzinfo=UTC)
    assert (decision.dates, decision.first, decision.last) == (3, first, last)
    assert (decision.rule_hash, decision.inputs) == (ruled.rule.hash, {"base": "shared"})
    assert "3 effective dates, 2024-01-01 to 2024-03-01" in repr(request(number, users["ada"]).plan())
    assert why(ruled, ids[0], "2024-02-01").decided_for is None

    assert request(number, users["ada"]).approve().applied_revision == ruled.refresh().revision == 2
    last_revision = ruled.history()[-1]
    assert (last_revision.operation, last_revision.approved_by, last_revision.added) == ("refresh", "ada", 3)
    assert ruled.assets == ids[:3]
    told = why(ruled, ids[0], "2024-02-15")
    assert (told.member, told.decided_for) == (True, datetime(2024, 2, 1, tzinfo=UTC))
    assert refresh(ruled, users["author"], "2024-03-15").decided == 0, "those dates are settled"
    assert ruled.verify().ok


def test_a_planned_decision_that_needs_approval_waits_like_any_other(users: Carriers):
    ruled, ids = ruled_universe(users)
    plan = seen(ruled, users["author"]).plan_refresh("2024-03-15")
    number = asked(lambda: plan.apply("as planned"))
    assert (ruled.refresh().revision, ruled.requests()[0].id) == (1, number)
    request(number, users["ada"]).approve()
    assert ruled.refresh().assets == ids[:3]
    last = ruled.history()[-1]
    assert (last.actor, last.approved_by, last.reason.partition(":")[0]) == ("author", "ada", "as planned")
    assert ruled.verify().ok


def test_why_explains_from_what_was_known_when_it_was_asked_for(users: Carriers):
    ruled, ids = ruled_universe(users)
    number = asked(lambda: refresh(ruled, users["author"], "2024-03-15"))
    shared(users).update_assets(asset_ids=ids[2:5])
    request(number, users["ada"]).approve()
    assert ruled.refresh().assets == ids[:3]
    stays, late = (why(ruled, each, "2024-02-15") for each in (ids[0], ids[4]))
    assert (stays.member, stays.verdict) == (True, "eligible: every condition holds")
    assert (late.member, late.verdict[:12]) == (False, "not eligible")


def shared(users: Carriers) -> msc.AssetCategory:
    """The universe from which `ruled_universe` chooses."""
    body = CategoryCreation(unique_identifier="shared", display_name="shared")
    return msc.AssetCategory._bind(users["owner"].call(GET_OR_CREATE, body), users["owner"])


@pytest.mark.parametrize("later", ["closes", "rule"])
def test_the_versions_and_the_rule_are_those_of_when_it_was_asked_for(users: Carriers, later: str):
    ids = register(users["owner"], 3)
    key = priced(users["owner"], [1.0, 2.0, 3.0])
    rule = top_two()
    body = composition.RuleCreation(unique_identifier="ruled", display_name="ruled", rule=rule)
    ruled = msc.AssetCategory._bind(users["owner"].call(composition.DEFINE_RULE, body), users["owner"])
    ruled.guard(approvers=["ada"])
    number = asked(lambda: refresh(ruled, users["author"], "2024-01-20"))
    reprice(users["owner"], key, [3.0, 2.0, 1.0])
    if later == "rule":
        change = composition.RuleChange(rule=rule.model_copy(update={"lag": 2}))
        changed = asked(lambda: users["owner"].call(composition.CHANGE_RULE, change, key=ruled.id))
        request(changed, users["ada"]).approve()
        assert request(number, users["ada"]).status == "stale"
        with pytest.raises(msc.StaleRevisionError):
            request(number, users["ada"]).approve()
        assert ruled.refresh().assets == []
        return
    request(number, users["ada"]).approve()
    assert ruled.refresh().assets == ids[1:]
    best, worst = (why(ruled, each, "2024-01-19") for each in (ids[2], ids[0]))
    assert (best.rank, worst.rank, best.inputs) == (1, 3, {"series prices": "prices@1"})


def top_two() -> UniverseRule:
    ranking = msc.Ranking(measure=msc.Measure(statistic="last", window=1), top=2)
    dates = (date(2024, 1, 18),)
    return UniverseRule(ranking=ranking, series="prices", calendar="24/7", dates=dates, start="2024-01-01")


def priced(carrier: Any, closes: list[float]) -> int:
    """Store a close of each asset for every day before the 20th; gives the key of the series."""
    from mainsequence.contract import series
    from mainsequence.domain.series import SeriesDeclaration, SeriesSchema

    declared = SeriesDeclaration(unique_identifier="prices", series_schema=SeriesSchema.of({"close": "float64"}))
    key = int(carrier.call(series.CREATE, declared).id)
    carrier.call(series.APPEND, closing(closes), key=key)
    return key


def reprice(carrier: Any, key: int, closes: list[float]) -> None:
    from mainsequence.contract import series

    carrier.call(series.UPSERT, closing(closes), key=key)


def closing(closes: list[float]) -> Any:
    import pyarrow as pa

    days = [datetime(2024, 1, day, 12, tzinfo=UTC) for day in range(1, 20) for _ in closes]
    names = [f"a{each}" for each in range(len(closes))] * 19
    stamp = pa.timestamp("us", "UTC")
    return pa.table({"time_index": pa.array(days, stamp), "unique_identifier": names, "close": closes * 19})


def test_asking_again_for_the_same_dates_is_one_request_whenever_it_is(users: Carriers):
    ruled, _ = ruled_universe(users)
    until = ("2024-03-15", "2024-03-20", "2024-04-15", "2024-03-15")
    march, later_in_march, april, again = (asked(lambda day=day: refresh(ruled, users["author"], day)) for day in until)
    assert march == later_in_march == again != april
    told = asked(lambda: refresh(ruled, users["author"], "2024-03-15", reason="quarter"))
    other = asked(lambda: refresh(ruled, users["bob"], "2024-03-15"))
    assert len({march, april, told, other}) == 4 == len(ruled.requests())
    request(april, users["ada"]).approve()
    assert {each.status for each in ruled.requests(None)} == {"applied", "stale"}


def test_dates_that_change_nobody_are_settled_without_a_request(users: Carriers):
    ruled, ids = ruled_universe(users)
    request(asked(lambda: refresh(ruled, users["author"], "2024-03-15")), users["ada"]).approve()
    outcome = refresh(ruled, users["author"], "2024-06-15")
    assert (outcome.decided, outcome.category.revision) == (3, 2)
    assert [each.status for each in ruled.requests(None)] == ["applied"]
    assert why(ruled, ids[0], "2024-06-15").decided_for == datetime(2024, 6, 1, tzinfo=UTC)


def test_dates_that_were_settled_meanwhile_make_a_request_stale(users: Carriers):
    ruled, ids = ruled_universe(users)
    request(asked(lambda: refresh(ruled, users["author"], "2024-03-15")), users["ada"]).approve()
    shared(users).remove_assets(asset_ids=ids[:1], effective_from="2024-05-20")
    number = asked(lambda: refresh(ruled, users["author"], "2024-06-15"))
    assert refresh(ruled, users["bob"], "2024-05-15").decided == 2, "April and May change nobody"
    late = request(number, users["ada"])
    assert (late.status, ruled.requests()) == ("stale", [])
    for ask in (late.approve, late.plan):
        with pytest.raises(msc.StaleRevisionError, match="decided since"):
            ask()
    anew = asked(lambda: refresh(ruled, users["author"], "2024-06-15"))
    assert request(anew, users["ada"]).approve().decision.dates == 1
    assert ruled.refresh().assets == ids[1:3]


def test_what_is_turned_down_settles_no_date(users: Carriers):
    ruled, ids = ruled_universe(users)
    for turn_down in (
        lambda it: request(it, users["ada"]).reject(),
        lambda it: request(it, users["author"]).withdraw(),
    ):
        turn_down(asked(lambda: refresh(ruled, users["author"], "2024-03-15")))
    assert ruled.refresh().revision == 1
    assert why(ruled, ids[0], "2024-02-01").decided_for is None
    ruled.guard(approvers=[])
    assert refresh(ruled, users["author"], "2024-03-15").decided == 3


def test_what_a_rule_decides_passes_the_other_guards(users: Carriers):
    ruled, ids = ruled_universe(users)
    request(asked(lambda: refresh(ruled, users["author"], "2024-03-15")), users["ada"]).approve()
    ruled.guard(max_removal_fraction=0.5)
    shared(users).remove_assets(asset_ids=ids[:2], effective_from="2024-05-20")
    with pytest.raises(msc.RemovalGuardError):
        refresh(ruled, users["author"], "2024-06-15")
    number = asked(lambda: refresh(ruled, users["author"], "2024-06-15", force=True))
    ruled.guard(locked=True)
    with pytest.raises(msc.LockedError):
        request(number, users["ada"]).approve()
    ruled.guard(locked=False)
    assert request(number, users["ada"]).plan().leaves[0].asset_id == ids[0]
    request(number, users["ada"]).approve()
    assert ruled.refresh().assets == ids[2:3]


def test_members_of_the_past_may_have_retired_but_not_later_ones(users: Carriers):
    ids = register(users["owner"], 3)
    everybody = UniverseRule(calendar="24/7", frequency="monthly", start="2024-01-01")
    body = composition.RuleCreation(unique_identifier="all", display_name="all", rule=everybody)
    ruled = msc.AssetCategory._bind(users["owner"].call(composition.DEFINE_RULE, body), users["owner"])
    ruled.guard(approvers=["ada"])
    users["owner"].call(asset_contract.RETIRE, None, key=ids[0])
    number = asked(lambda: refresh(ruled, users["author"], "2024-03-15"))
    users["owner"].call(asset_contract.RETIRE, None, key=ids[1])
    with pytest.raises(msc.UnknownAssetsError):
        request(number, users["ada"]).approve()
    anew = asked(lambda: refresh(ruled, users["author"], "2024-03-15"))
    request(anew, users["ada"]).approve()
    assert ruled.refresh().assets == ids[2:]
    assert [each.id for each in ruled.get_assets("2024-02-15")] == ids, "who retired was in before"


def test_nobody_says_by_hand_what_a_rule_decided(users: Carriers):
    ruled, ids = ruled_universe(users)
    decided = {
        "dates": 1, "first": 0, "last": 0, "rule_hash": ruled.rule.hash, "rule": "{}", "known_at": 0,
        "versions": {}, "told": {}, "after_run": None,
    }  # fmt: skip
    for operation in ("refresh", "append", "load"):
        with pytest.raises(msc.AlteredPlanError):
            hand_made(ruled, users["author"], ids[5:6], operation=operation, decided=decided)
    assert ruled.requests(None) == []


def test_who_asks_for_a_refresh_never_approves_it(users: Carriers):
    ruled, _ = ruled_universe(users)
    number = asked(lambda: refresh(ruled, users["ada"], "2024-03-15"))
    with pytest.raises(PermissionDeniedError, match="somebody else"):
        request(number, users["ada"]).approve()
    assert seen(ruled, users["author"]).revision == 1
