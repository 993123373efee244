"""Sources of one universe are compared day by day, and a universe that has stopped to move is told."""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

import mainsequence.client as msc

START = datetime(2020, 1, 1, tzinfo=UTC)


def day(number: int) -> datetime:
    return START + timedelta(days=number)


@pytest.fixture
def sources() -> dict[str, dict[str, set[int]]]:
    """Three universes with random members over a hundred days, and who is in when: ``{universe: {asset: days}}``."""
    draw = random.Random(11)
    names = [f"A{number}" for number in range(12)]
    msc.Asset.batch_get_or_register_custom_assets([{"unique_identifier": name} for name in names])
    planted: dict[str, dict[str, set[int]]] = {}
    for universe in ("first", "second", "third"):
        planted[universe], rows = {}, []
        for name in names:
            bounds = sorted(draw.sample(range(101), 4))
            planted[universe][name] = {*range(*bounds[:2]), *range(*bounds[2:])}
            rows += [{"unique_identifier": name, "start": day(a), "end": day(b)} for a, b in (bounds[:2], bounds[2:])]
        msc.AssetCategory.create(unique_identifier=universe).load(rows)
    return planted


def test_every_disagreement_is_found_and_nothing_else(sources: dict[str, dict[str, set[int]]]) -> None:
    report = msc.AssetCategory.reconcile(list(sources), day(0), day(100))
    found = {
        (row.unique_identifier, number, *sorted(row._5))
        for row in report.to_frame().itertuples()
        for number in range((row.start - START).days, (row.end - START).days)
    }
    expected = set()
    for asset in sources["first"]:
        for number in range(100):
            inside = sorted(name for name in sources if number in sources[name][asset])
            if inside and len(inside) < 3:
                expected.add((asset, number, *inside))
    assert found == expected
    assert all(sorted(row["in"] + row["out"]) == ["first", "second", "third"] for row in report.rows())
    assert report.to_frame()["days"].is_monotonic_decreasing


def test_agreement_is_the_part_of_membership_time_on_which_all_agree(sources: dict[str, dict[str, set[int]]]) -> None:
    report = msc.AssetCategory.reconcile(list(sources), day(0), day(100))
    union = {(asset, each) for days in sources.values() for asset, held in days.items() for each in held if each < 100}
    agreed = {pair for pair in union if all(pair[1] in sources[name][pair[0]] for name in sources)}
    assert report.agreement == pytest.approx(len(agreed) / len(union))
    by_time = report.by_time()
    for number in (0, 17, 50, 99):
        row = by_time.loc[by_time.index <= day(number)].iloc[-1]
        assert row["union"] == sum(each == number for _, each in union)
        assert row["agreed"] == sum(each == number for _, each in agreed)


def test_universes_that_agree_have_nothing_to_list(sources: dict[str, dict[str, set[int]]]) -> None:
    first = msc.AssetCategory.get(unique_identifier="first")
    copy = msc.AssetCategory.create(unique_identifier="copy")
    copy.load(first.members()[["unique_identifier", "valid_from", "valid_to", "weight"]])
    report = msc.AssetCategory.reconcile([first, copy])
    assert (bool(report), len(report), report.agreement, report.exit_code) == (True, 0, 1.0, 0)
    assert report.to_frame().empty
    assert "agreement=1.0000" in repr(report)
    assert "<table>" in report._repr_html_()


def test_agreement_is_drawn_over_time(sources: dict[str, dict[str, set[int]]]) -> None:
    pytest.importorskip("matplotlib").use("agg")
    report = msc.AssetCategory.reconcile(list(sources), day(0), day(100))
    axes = report.plot()
    assert axes.get_title() == "first · second · third"
    assert axes.lines[0].get_ydata().tolist() == report.by_time()["agreement"].tolist()


@pytest.mark.parametrize("names", [["first"], ["first", "first"], ["first", "nobody"], []])
def test_what_cannot_be_compared_is_refused(sources: dict[str, dict[str, set[int]]], names: list[str]) -> None:
    with pytest.raises((msc.ValidationError, msc.NotFoundError)):
        msc.AssetCategory.reconcile(names)


def moving(*days: int) -> msc.AssetCategory:
    """Give a universe that changes on some days."""
    msc.Asset.batch_get_or_register_custom_assets([{"unique_identifier": f"A{each}"} for each in days])
    universe = msc.AssetCategory.create(unique_identifier="moving")
    universe.load([{"unique_identifier": f"A{each}", "start": day(each)} for each in days])
    return universe


@pytest.mark.parametrize(("asked", "stale"), [(30, False), (50, False), (51, True), (400, True)])
def test_twice_its_own_longest_gap_is_too_long(asked: int, stale: bool) -> None:
    found = moving(0, 10, 20, 30).freshness(day(asked))
    assert (found.is_stale, found.moves, found.last_moved_at) == (stale, 4, day(30))
    assert (found.days_since, found.allowed_days) == (pytest.approx(asked - 30), pytest.approx(20))


def test_one_long_gap_of_many_does_not_hide_a_stop() -> None:
    days = [*range(0, 1_000, 5), *range(1_300, 2_300, 5)]
    found = moving(*days).freshness(day(2_345))
    assert found.allowed_days == pytest.approx(2 * pd.Series(days).diff().dropna().quantile(0.99))
    assert found.is_stale


def test_too_little_history_tells_nothing() -> None:
    found = moving(0, 10).freshness(day(5_000))
    assert (found.is_stale, found.allowed_days, found.moves) == (False, None, 2)


def test_what_lies_ahead_is_no_move_yet() -> None:
    found = moving(0, 10, 20, 40).freshness(day(25))
    assert (found.moves, found.last_moved_at, found.next_move_at) == (3, day(20), day(40))


def test_moves_of_one_day_are_one() -> None:
    msc.Asset.batch_get_or_register_custom_assets([{"unique_identifier": name} for name in "ABCDE"])
    universe = msc.AssetCategory.create(unique_identifier="busy")
    starts = [day(0), day(10), day(10) + timedelta(seconds=5), day(10) + timedelta(hours=23), day(20)]
    universe.load([{"unique_identifier": n, "start": at} for n, at in zip("ABCDE", starts, strict=True)])
    found = universe.freshness(day(30))
    assert (found.moves, found.allowed_days, found.is_stale) == (3, pytest.approx(20), False)


@pytest.mark.embedded
def test_a_universe_without_dates_moves_when_it_is_written(home: Path, carrier: str) -> None:
    from mainsequence.contract import assets, categories, composition, reconciliation
    from mainsequence.domain.assets import AssetRegistration
    from mainsequence.domain.categories import CategoryCreation
    from mainsequence.domain.reconciliation import FreshnessQuery
    from mainsequence.platform.platform import Platform
    from mainsequence.settings import Settings

    time = [day(0)]
    platform = Platform.embedded(Settings.for_url(str(home)), lambda: int(time[0].timestamp() * 1_000_000))
    registered = assets.Registrations(assets=[AssetRegistration(unique_identifier=name) for name in "ABC"])
    ids = [each.id for each in platform.call(assets.REGISTER, registered)]
    key = platform.call(categories.CREATE, CategoryCreation(unique_identifier="u", display_name="u")).id
    body = composition.Derivation(unique_identifier="made", display_name="made", expression="u - u@0")
    made = platform.call(composition.DERIVE, body).id
    for number, each in enumerate(ids):
        time[0] = day(7 * number)
        platform.call(categories.APPEND_ASSETS, categories.MembershipEdit(asset_ids=[each]), key=key)
    seen = []
    for time[0] in (day(14), day(28), day(29)):
        seen.append(platform.call(reconciliation.FRESHNESS, FreshnessQuery(), key=key))
        assert platform.call(reconciliation.FRESHNESS, FreshnessQuery(), key=made).moves == 3
    assert [(each.moves, each.is_stale) for each in seen] == [(3, False), (3, False), (3, True)]
    platform.close()
