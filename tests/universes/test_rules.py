"""Universes that rules fill: what is decided, from what, and why; expected members are found by hand or with loops."""

from datetime import UTC, datetime
from statistics import median
from typing import Any

import exchange_calendars
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mainsequence.client as msc
from mainsequence.contract.plans import APPLY, PlanApplication
from mainsequence.errors import (
    AlteredPlanError,
    DerivedUniverseError,
    NotFoundError,
    StaleRevisionError,
    UnknownFieldError,
    ValidationError,
)

N = 12
NAMES = [f"a{number:02d}" for number in range(N)]
SCHEDULE = exchange_calendars.get_calendar("XNYS").schedule.loc["2024-01-02":"2024-07-15"]
LABELS = [f"{day:%Y-%m-%d}" for day in SCHEDULE.index]
CLOSES = pd.DatetimeIndex(SCHEDULE["close"]).as_unit("us")
MONTHS = ["2024-03-01", "2024-04-01", "2024-05-01", "2024-06-03", "2024-07-01"]
"""First sessions of the months on which the rules below are effective."""


def random_market(seed: int = 14) -> tuple[np.ndarray, np.ndarray]:
    """Closes and volumes, sessions × assets, with holes."""
    rng = np.random.default_rng(seed)
    close = 50 * np.exp(np.cumsum(rng.normal(0, 0.03, (len(LABELS), N)), axis=0))
    volume = np.round(1_000 * np.exp(np.cumsum(rng.normal(0, 0.2, (len(LABELS), N)), axis=0)))
    volume[rng.random(volume.shape) < 0.05] = np.nan
    return np.round(close, 2), volume


def register(**fields: Any) -> list[msc.Asset]:
    rows = [{"unique_identifier": name, "snapshot": {"name": name, "exchange_code": "US"}} | fields for name in NAMES]
    return msc.Asset.batch_get_or_register_custom_assets(rows)


def rows(close: np.ndarray, volume: np.ndarray, first: int = 0, last: int | None = None) -> pd.DataFrame:
    chosen = slice(first, last)
    stamps = CLOSES[chosen]
    index = pd.MultiIndex.from_product([stamps, NAMES], names=["time_index", "unique_identifier"])
    return pd.DataFrame({"close": close[chosen].ravel(), "volume": volume[chosen].ravel()}, index=index).dropna()


def stored(close: np.ndarray, volume: np.ndarray, last: int | None = None) -> msc.Series:
    series = msc.Series.create("prices", {"close": "float64", "volume": "float64"})
    series.append(rows(close, volume, 0, last))
    return series


def rule(**changes: Any) -> msc.UniverseRule:
    ranking = msc.Ranking(measure=msc.Measure.traded_value(20), top=5, enter=3, leave=7)
    fields = {"ranking": ranking, "series": "prices", "calendar": "XNYS", "frequency": "monthly", "start": "2024-02-15"}
    return msc.UniverseRule(**{**fields, **changes})


def top_five(close: np.ndarray, volume: np.ndarray, label: str, held: set[str]) -> set[str]:
    """Choose with loops what the rule above chooses: the best three, members to rank 7, then by rank, five in all."""
    end = LABELS.index(label)
    values = {}
    for place, name in enumerate(NAMES):
        traded = [close[day, place] * volume[day, place] for day in range(end - 20, end)]
        known = [value for value in traded if not np.isnan(value)]
        if len(known) >= 10:
            values[name] = median(known)
    ranked = sorted(values, key=lambda name: -values[name])
    chosen = ranked[:3]
    chosen += [name for name in ranked[3:7] if name in held][: 5 - len(chosen)]
    chosen += [name for name in ranked if name not in chosen][: 5 - len(chosen)]
    return set(chosen)


def members(universe: msc.AssetCategory, at: str) -> set[str]:
    return {asset.unique_identifier for asset in universe.get_assets(at)}


def test_the_largest_by_traded_value_are_chosen_each_month_with_a_buffer():
    close, volume = random_market()
    register()
    stored(close, volume)
    universe = msc.AssetCategory.from_rule("top five", rule())
    outcome = universe.refresh_rule("2024-07-10")
    assert (outcome.decided, outcome.first, outcome.last) == (
        5,
        datetime(2024, 3, 1, tzinfo=UTC),
        datetime(2024, 7, 1, tzinfo=UTC),
    )
    held: set[str] = set()
    kept = 0
    for label in MONTHS:
        chosen = top_five(close, volume, label, held)
        kept += chosen != top_five(close, volume, label, set())
        assert members(universe, label) == chosen, label
        held = chosen
    assert kept, "the buffer made a difference somewhere"
    assert members(universe, "2024-02-29") == set()


def test_what_is_decided_is_an_ordinary_revision_that_names_rule_and_inputs():
    register()
    stored(*random_market())
    universe = msc.AssetCategory.from_rule("top five", rule(), reason="the desk's list")
    outcome = universe.refresh_rule("2024-07-10", reason="July")
    newest = universe.history()[-1]
    assert (newest.revision, newest.operation) == (2, "refresh")
    assert newest.reason == f"July: rule {rule().hash[:16]}, 2024-03-01 to 2024-07-01, from prices@1"
    assert outcome.inputs == {"series prices": "prices@1"}
    assert universe.verify().ok
    assert (universe.kind, universe.dated, universe.rule) == ("rule", True, rule())


def test_what_a_rule_would_decide_is_planned_and_applied_as_it_would_be_decided():
    close, volume = random_market()
    register()
    stored(close, volume)
    planned, decided = (msc.AssetCategory.from_rule(name, rule()) for name in ("planned", "decided"))
    msc.Portfolio.create(unique_identifier="fund", universe="planned", reader={"role": "portfolio"})
    plan = planned.plan_refresh("2024-05-10")
    assert (planned.refresh().revision, planned.asset_ids("2024-05-10")) == (1, [])
    assert "3 effective dates, 2024-03-01 to 2024-05-01" in repr(plan)
    assert [(each.identifier, each.why) for each in plan.readers] == [("fund", "it has no results yet")]
    decided.refresh_rule("2024-05-10", reason="May")
    spells = {(each.unique_identifier, each.valid_from, each.valid_to) for each in plan.enters}
    columns = decided.members()[["unique_identifier", "valid_from", "valid_to"]].astype(object)
    assert spells == set(columns.where(columns.notna(), None).itertuples(index=False, name=None))
    assert plan.apply("May").revision == 2
    for label in MONTHS[:3]:
        assert members(planned, label) == members(decided, label) != set()
    assert planned.history()[-1].reason == decided.history()[-1].reason
    assert planned.verify().ok
    assert planned.refresh_rule("2024-05-10").decided == 0
    assert planned.plan_refresh("2024-05-10").is_empty
    with pytest.raises(StaleRevisionError):
        plan.apply()
    again = planned.plan_refresh("2024-05-10", start="2024-04-01")
    assert (again.decision.dates, again.is_empty) == (2, True), "decided anew, they come to the same"


def test_a_planned_decision_that_comes_to_something_else_is_not_written():
    close, volume = random_market()
    register()
    series = stored(close, volume, len(LABELS) - 5)
    universe = msc.AssetCategory.from_rule("top five", rule())
    plan, later = universe.plan_refresh("2024-05-10"), universe.plan_refresh("2024-05-10")
    assert msc.Plan.from_json(plan.to_json()) == plan
    series.append(rows(close, volume, len(LABELS) - 5))
    assert plan.apply().revision == 2, "prices that came since change nothing"
    assert "from prices@2" in universe.history()[-1].reason
    with pytest.raises(StaleRevisionError):
        later.apply()
    other = msc.AssetCategory.from_rule("other", rule())
    late = other.plan_refresh("2024-05-10")
    series.upsert(rows(close[::-1], volume[::-1]))
    with pytest.raises(AlteredPlanError, match="does not decide what the plan says"):
        late.apply()
    assert other.refresh().revision == 1


def test_a_decision_that_no_rule_made_is_not_written():
    register()
    stored(*random_market())
    one, other = (msc.AssetCategory.from_rule(name, rule()) for name in ("one", "other"))

    def applied(change: Any) -> Any:
        return other._call(APPLY, PlanApplication(change=change, content_hash=change.content_hash), key=other.id)

    change = other.plan_refresh("2024-05-10").change
    opened = change.opened.model_copy(update={"asset_id": change.opened.asset_id[::-1]})
    for forged in (
        one.plan_refresh("2024-05-10").change,
        change.model_copy(update={"opened": opened}),
        change.model_copy(update={"decided": change.decided.model_copy(update={"first": change.decided.last})}),
    ):
        with pytest.raises(AlteredPlanError):
            applied(forged)
    assert other.refresh().revision == 1
    with pytest.raises(DerivedUniverseError, match="not filled by a rule"):
        msc.AssetCategory.create(unique_identifier="plain").plan_refresh()
    with pytest.raises(ValidationError, match="cannot be decided"):
        other.plan_refresh("2999-01-01")
    assert applied(change).revision == 2


def test_nothing_new_makes_no_revision():
    register()
    stored(*random_market())
    universe = msc.AssetCategory.from_rule("top five", rule())
    universe.refresh_rule("2024-07-10")
    assert universe.refresh_rule("2024-07-10").decided == 0
    assert universe.materialise(end="2024-07-10").decided == 5
    assert universe.revision == 2


@pytest.mark.embedded
@pytest.mark.slow
@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 1_000), stops=st.lists(st.sampled_from(LABELS[30:]), max_size=4))
def test_deciding_in_steps_equals_deciding_at_once(tmp_path_factory: Any, seed: int, stops: list[str]):
    close, volume = random_market(seed)
    with msc.session(str(tmp_path_factory.mktemp("home"))):
        register()
        series = stored(close, volume, 31)
        in_steps = msc.AssetCategory.from_rule("in steps", rule())
        last = 31
        for stop in sorted(stops):
            until = LABELS.index(stop)
            if until > last:
                series.append(rows(close, volume, last, until))
                last = until
            in_steps.refresh_rule(stop)
        series.append(rows(close, volume, last))
        in_steps.refresh_rule("2024-07-10")
        at_once = msc.AssetCategory.from_rule("at once", rule())
        at_once.refresh_rule("2024-07-10")
        pd.testing.assert_frame_equal(in_steps.members(), at_once.members(), check_exact=True)


@pytest.mark.parametrize("label", MONTHS[1:])
def test_later_data_change_nothing_earlier(label: str):
    close, volume = random_market()
    # By the last session alone, so that one row more or less turns the ranks around.
    of_one_day = msc.Ranking(measure=msc.Measure.traded_value(1, "last"), top=5)
    register()
    series = stored(close, volume)
    before = msc.AssetCategory.from_rule("before", rule(ranking=of_one_day))
    before.refresh_rule(label)
    cut = LABELS.index(label)
    series.upsert(rows(1 / close, 1 / volume, cut))
    after = msc.AssetCategory.from_rule("after", rule(ranking=of_one_day))
    after.refresh_rule(label)
    pd.testing.assert_frame_equal(before.members(), after.members())
    # The row of the very session before counts: so the cut is where it should be.
    series.upsert(rows(1 / close, 1 / volume, cut - 1, cut))
    turned = msc.AssetCategory.from_rule("turned", rule(ranking=of_one_day))
    turned.refresh_rule(label)
    assert members(turned, label) != members(after, label)


def test_what_was_decided_stays_until_it_is_decided_anew():
    close, volume = random_market()
    register()
    series = stored(close, volume)
    universe = msc.AssetCategory.from_rule("top five", rule())
    universe.refresh_rule("2024-05-10")
    decided = {label: members(universe, label) for label in MONTHS[:3]}
    series.upsert(rows(close, volume[:, ::-1]))
    universe.refresh_rule("2024-07-10")
    assert {label: members(universe, label) for label in MONTHS[:3]} == decided
    revision = universe.revision
    universe.materialise(end="2024-07-10", force=True)
    held: set[str] = set()
    for label in MONTHS:
        held = top_five(close, volume[:, ::-1], label, held)
        assert members(universe, label) == held
    assert {each.unique_identifier for each in universe.get_assets(MONTHS[0], revision=revision)} == decided[MONTHS[0]]


def test_why_names_rank_thresholds_and_what_failed():
    close, volume = random_market()
    close[:, 0] = 1.0
    volume[:, 0], volume[:, 1], volume[:, 2] = 1e9, 1e9, np.nan
    register()
    stored(close, volume)
    floor = msc.Threshold(measure=msc.Measure(statistic="last", window=1), at_least=5)
    universe = msc.AssetCategory.from_rule("top five", rule(thresholds=(floor,)))
    universe.refresh_rule("2024-07-10")
    penny, best, silent = (universe.why(msc.Asset.get(unique_identifier=name), "2024-05-20") for name in NAMES[:3])
    assert (penny.member, penny.verdict) == (False, "not eligible: failed last(close, 1 sessions) ≥ 5")
    assert [(each.found, each.passed) for each in penny.outcomes if each.condition.endswith("≥ 5")] == [("1", False)]
    assert (best.member, best.rank, best.ranked) == (True, 1, 10)
    assert best.verdict == "rank 1 of 10: in, rank 3 or better enters"
    assert best.decided_for == datetime(2024, 5, 1, tzinfo=UTC)
    assert best.data_until == datetime(2024, 4, 30, 20, tzinfo=UTC)
    assert (best.was_member, best.rule_hash, best.inputs) == (True, universe.rule.hash, {"series prices": "prices@1"})
    assert str(best).splitlines()[0].endswith("UTC: rank 1 of 10: in, rank 3 or better enters")
    assert "≥ 5: 1</li>" in penny._repr_html_()
    assert silent.verdict == (
        "not eligible: failed last(close, 1 sessions) ≥ 5, median(close*volume, 20 sessions) is known"
    )
    assert universe.why(msc.Asset.get(unique_identifier="a01"), "2024-01-05").rank is None


def test_why_looks_at_what_it_was_decided_from():
    close, volume = random_market()
    register()
    series = stored(close, volume)
    universe = msc.AssetCategory.from_rule("top five", rule())
    universe.refresh_rule("2024-07-10")
    asset = universe.get_assets("2024-05-20")[0]
    before = universe.why(asset, "2024-05-20")
    series.upsert(rows(close, volume[:, ::-1]))
    assert universe.why(asset, "2024-05-20") == before


def test_attributes_count_as_they_were_at_the_time():
    assets = register(security_type="Common Stock")
    assets[0].patch(exchange_code="LN", effective_from="2024-04-15")
    universe = msc.AssetCategory.from_rule(
        "us",
        msc.UniverseRule(where={"exchange_code": "US"}, calendar="XNYS", frequency="monthly", start="2024-02-15"),
    )
    universe.refresh_rule("2024-07-10")
    everyone = set(NAMES)
    assert [members(universe, label) for label in MONTHS] == [everyone, everyone, *[everyone - {"a00"}] * 3]
    told = universe.why(assets[0], "2024-06-10")
    assert told.verdict == "not eligible: failed exchange_code='US'"
    assert "exchange_code='LN'" in [each.found for each in told.outcomes]


def test_a_base_and_a_membership_age_are_read_as_of_the_close_before():
    assets = register()
    base = msc.AssetCategory.create(unique_identifier="base", assets=assets[:4])
    base.remove_assets([assets[3]], effective_from="2024-05-01")
    index = msc.AssetCategory.create(unique_identifier="index", assets=assets[:3])
    index.remove_assets([assets[2]], effective_to="2024-02-20")
    universe = msc.AssetCategory.from_rule(
        "seasoned",
        msc.UniverseRule(
            base="base",
            member_of=[msc.MemberFor(universe="index | base", days=0), msc.MemberFor(universe="index", days=60)],
            calendar="XNYS",
            frequency="monthly",
            start="2024-02-15",
        ),
    )
    universe.refresh_rule("2024-07-10")
    # a02 joined the index on 20 February: 60 days are over on 20 April, the next effective date is 1 May.
    assert [members(universe, label) for label in MONTHS] == [*[{"a00", "a01"}] * 2, *[{"a00", "a01", "a02"}] * 3]
    with pytest.raises(msc.InUseError):
        index.delete()


def test_dates_instead_of_a_frequency_and_a_longer_lag():
    close, volume = random_market()
    register()
    stored(close, volume)
    last = msc.Ranking(measure=msc.Measure(statistic="last", window=1), top=1)
    given = {"frequency": None, "dates": ["2024-03-16", "2024-05-28"], "ranking": last, "lag": 2}
    universe = msc.AssetCategory.from_rule("best", rule(**given))
    universe.refresh_rule("2024-07-10")
    # 16 March is a Saturday: two sessions before the next one is Thursday 14 March. 27 May is a holiday.
    for label, until in {"2024-03-16": "2024-03-14", "2024-05-28": "2024-05-23"}.items():
        assert members(universe, label) == {NAMES[int(np.nanargmax(close[LABELS.index(until)]))]}


def test_a_retired_asset_leaves_and_stays_in_the_past():
    close, volume = random_market()
    assets = register()
    stored(close, volume)
    universe = msc.AssetCategory.from_rule("top five", rule())
    universe.refresh_rule("2024-07-10")
    leaving = universe.get_assets("2024-07-10")[0]
    leaving.delete()
    universe.refresh()
    assert leaving.id not in universe.asset_ids()
    assert leaving.id in universe.asset_ids("2024-07-10")
    before = universe.members()
    universe.materialise(end="2024-07-10")
    pd.testing.assert_frame_equal(universe.members(), before)
    assert len(assets) == N


def test_prices_may_come_from_the_series_to_which_a_table_routes():
    close, volume = random_market()
    register()
    stored(close, volume)
    routes = [{"asset_filter": {}, "markets_time_serie_unique_identifier": "prices"}]
    msc.AssetTranslationTable.get_or_create("routes", rules=routes)
    by_series = msc.AssetCategory.from_rule("by series", rule())
    by_table = msc.AssetCategory.from_rule("by table", rule(series=None, translation_table="routes"))
    for universe in (by_series, by_table):
        universe.refresh_rule("2024-07-10")
    pd.testing.assert_frame_equal(by_series.members(), by_table.members())


def test_nobody_else_changes_what_a_rule_fills():
    assets = register()
    stored(*random_market())
    universe = msc.AssetCategory.from_rule("top five", rule())
    for change in (universe.append_assets, universe.remove_assets, universe.update_assets):
        with pytest.raises(DerivedUniverseError, match="filled by a rule"):
            change(assets[:1])
    with pytest.raises(DerivedUniverseError):
        msc.AssetCategory.create(unique_identifier="plain").refresh_rule()


def test_a_rule_that_exists_is_returned_and_another_one_is_refused():
    register()
    stored(*random_market())
    universe = msc.AssetCategory.from_rule("top five", rule())
    assert msc.AssetCategory.from_rule("top five", rule()) == universe
    with pytest.raises(msc.AlreadyExistsError):
        msc.AssetCategory.from_rule("top five", rule(lag=2))
    universe.refresh_rule("2024-05-10")
    decided = members(universe, "2024-05-01")
    universe.change_rule(rule(ranking=None, series=None), reason="everyone")
    assert universe.refresh_rule("2024-07-10").first == datetime(2024, 6, 3, tzinfo=UTC)
    assert (members(universe, "2024-05-01"), members(universe, "2024-06-03")) == (decided, set(NAMES))


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"frequency": None}, ValidationError),
        ({"series": None}, ValidationError),
        ({"translation_table": "t"}, ValidationError),
        ({"where": {"colour": "red"}}, ValidationError),
        ({"dates": ["2024-03-01"]}, ValidationError),
        ({"base": "a &"}, msc.InvalidExpressionError),
        ({"lag": 0}, ValidationError),
    ],
)
def test_a_rule_that_cannot_be_is_refused(changes: dict[str, Any], error: type[Exception]):
    with pytest.raises(error):
        rule(**changes)


def test_a_rule_about_what_does_not_exist_is_refused():
    with pytest.raises(NotFoundError, match="prices"):
        msc.AssetCategory.from_rule("u", rule())
    msc.Series.create("prices", {"close": "float64"})
    with pytest.raises(UnknownFieldError, match="volume"):
        msc.AssetCategory.from_rule("u", rule())
    with pytest.raises(NotFoundError, match="nobody"):
        msc.AssetCategory.from_rule("u", rule(ranking=None, series=None, base="nobody"))
    assert msc.AssetCategory.filter() == []


def test_the_hash_of_a_rule_follows_from_what_it_says_alone():
    same = rule(base="a&b", where={"ticker__in": ["KO"], "exchange_code": "US"})
    again = rule(where={"exchange_code": "US", "ticker__in": ["KO"]}, base="a & b")
    assert same.hash == again.hash
    others = [rule(), rule(lag=2), rule(start="2024-02-16"), rule(frequency="quarterly"), rule(calendar="XLON")]
    assert len({each.hash for each in [*others, same]}) == len(others) + 1
    assert msc.UniverseRule.model_validate_json(same.model_dump_json()).hash == same.hash


def test_the_future_is_not_decided():
    register()
    stored(*random_market())
    universe = msc.AssetCategory.from_rule("top five", rule())
    for refused in (lambda: universe.refresh_rule("2999-01-01"), lambda: universe.materialise(end="2999-01-01")):
        with pytest.raises(ValidationError, match="cannot be decided"):
            refused()
    assert universe.refresh().revision == 1


def test_dates_whose_prices_have_not_arrived_wait_for_them():
    close, volume = random_market()
    register()
    july = LABELS.index("2024-07-01")
    series = stored(close, volume, july - 1)
    universe = msc.AssetCategory.from_rule("top five", rule())
    outcome = universe.refresh_rule("2024-07-10")
    assert (outcome.decided, outcome.last) == (4, datetime(2024, 6, 3, tzinfo=UTC))
    assert outcome.waiting == (
        "1 effective dates from 2024-07-01 on wait for data up to 2024-06-28 20:00 UTC: "
        "prices ends at 2024-06-27 20:00 UTC"
    )
    assert outcome.waiting in str(outcome)
    before = members(universe, "2024-06-30")
    assert members(universe, "2024-07-10") == before != set()
    assert "wait" in str(universe.refresh_rule("2024-07-10"))
    series.append(rows(close, volume, july - 1, july))
    outcome = universe.refresh_rule("2024-07-10")
    assert (outcome.decided, outcome.waiting) == (1, None)
    assert members(universe, "2024-07-10") == top_five(close, volume, "2024-07-01", before)


def test_a_series_without_rows_decides_nothing():
    register()
    msc.Series.create("prices", {"close": "float64", "volume": "float64"})
    universe = msc.AssetCategory.from_rule("top five", rule())
    outcome = universe.refresh_rule("2024-07-10")
    assert (outcome.decided, universe.refresh().revision) == (0, 1)
    assert outcome.waiting is not None
    assert outcome.waiting.endswith("prices is empty")


def test_why_at_a_pin_is_what_was_decided_by_then():
    register()
    stored(*random_market())
    universe = msc.AssetCategory.from_rule("top five", rule())
    universe.refresh_rule("2024-05-10")
    universe.refresh_rule("2024-07-10")
    asset = universe.get_assets("2024-05-20")[0]
    pinned = msc.AssetCategory.get(unique_identifier="top five@2")
    assert pinned.why(asset, "2024-07-05").decided_for == datetime(2024, 5, 1, tzinfo=UTC)
    assert universe.why(asset, "2024-07-05").decided_for == datetime(2024, 7, 1, tzinfo=UTC)
