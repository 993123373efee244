"""What lies ahead comes into force by itself, and what was announced is known from then: recording never says so."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import mainsequence.client as msc

DAY = timedelta(days=1)


@pytest.fixture
def universe() -> msc.AssetCategory:
    """A and B are members; C comes and B goes on 2099-03-20, announced on two days; D's coming nobody announced."""
    msc.Asset.batch_get_or_register_custom_assets([{"unique_identifier": name} for name in "ABCD"])
    universe = msc.AssetCategory.create(unique_identifier="index")
    rows = [
        {"unique_identifier": "A", "start": "2020-01-01", "weight": 0.5},
        {"unique_identifier": "B", "start": "2020-01-01", "end": "2099-03-20", "exit_announced": "2099-03-06"},
        {"unique_identifier": "C", "start": "2099-03-20", "announced": "2020-02-03", "weight": 0.25},
        {"unique_identifier": "D", "start": "2099-06-19"},
    ]
    universe.load(rows)
    return universe


def told(universe: msc.AssetCategory, as_of: object = None, until: object = None) -> list[tuple[str, str, str]]:
    frame = universe.upcoming(as_of, until)  # type: ignore[arg-type]
    return [(f"{row.effective_at:%Y-%m-%d}", row.unique_identifier, row.change) for row in frame.itertuples()]


C, B, D = ("2099-03-20", "C", "enters"), ("2099-03-20", "B", "leaves"), ("2099-06-19", "D", "enters")


def test_what_lies_ahead_is_listed_from_its_announcement_on(universe: msc.AssetCategory) -> None:
    assert told(universe, "2020-02-02") == []
    assert told(universe, "2020-02-03") == [C]
    assert told(universe) == [C, D], "D is known since it was recorded"
    assert told(universe, "2099-03-06") == [B, C, D]
    assert told(universe, "2099-03-06", until="2099-06-01") == [B, C]
    assert told(universe, "2099-03-20") == [D], "what is in force lies no longer ahead"


def test_both_dates_are_told_and_recording_is_never_dated_back(universe: msc.AssetCategory) -> None:
    first, second = universe.upcoming().itertuples()
    recorded = universe.history()[0].recorded_at
    assert (first.announced_at.isoformat()[:10], first.weight) == ("2020-02-03", 0.25)
    assert str(second.announced_at) == "NaT"
    assert {first.recorded_at, second.recorded_at} == {recorded}


@pytest.mark.parametrize(
    ("at", "announced_by", "names"),
    [
        ("2099-04-01", "2020-01-15", "AB"),
        ("2099-04-01", "2020-02-03", "ABC"),
        ("2099-04-01", "2099-03-06", "AC"),
        ("2099-07-01", None, "ABCD"),
        ("2099-07-01", "2099-07-01", "ACD"),
    ],
)
def test_who_is_known_to_be_in_later(
    universe: msc.AssetCategory, at: str, announced_by: str | None, names: str
) -> None:
    assert "".join(each.unique_identifier for each in universe.expected(at, announced_by)) == names


def test_a_whole_load_can_be_announced(universe: msc.AssetCategory) -> None:
    universe.load(
        [{"unique_identifier": "A"}, {"unique_identifier": "D"}], effective_from="2098-01-01", announced="2097-12-01"
    )
    assert told(universe, "2097-11-30") == []
    assert told(universe, "2097-12-01") == [("2098-01-01", "B", "leaves"), ("2098-01-01", "D", "enters")]


def test_a_later_word_replaces_an_earlier_one(universe: msc.AssetCategory) -> None:
    universe.load([{"unique_identifier": "D", "start": "2099-06-19", "announced": "2099-01-01"}], mode="append")
    assert told(universe) == [C]
    universe.load([{"unique_identifier": "D", "start": "2099-06-19", "announced": "2020-01-01"}], mode="append")
    assert told(universe) == [C, D]
    told_by = [(each.operation, each.added, each.removed, each.announced) for each in universe.history()]
    assert told_by == [("load", 4, 0, 2), ("announce", 0, 0, 1), ("announce", 0, 0, 1)]


def test_what_was_announced_late_is_a_fact_and_lay_ahead_of_nobody(universe: msc.AssetCategory) -> None:
    universe.load([{"unique_identifier": "D", "start": "2099-06-19", "announced": "2099-07-01"}], mode="append")
    assert universe.history()[-1].announced == 1
    assert {row for row in told(universe, "2099-06-18") if row[1] == "D"} == set()
    assert {row for row in told(universe, "2099-07-01") if row[1] == "D"} == set()
    assert "D" not in [each.unique_identifier for each in universe.expected("2099-07-02", announced_by="2099-06-18")]
    assert "D" in [each.unique_identifier for each in universe.expected("2099-06-19", announced_by="2099-06-19")]
    assert "D" in [each.unique_identifier for each in universe.get_assets("2099-06-19")]


def test_a_word_that_is_known_already_makes_no_revision(universe: msc.AssetCategory) -> None:
    universe.load([{"unique_identifier": "C", "start": "2099-03-20", "announced": "2020-02-03"}], mode="append")
    assert universe.refresh().revision == 1


def test_a_revision_of_announcements_is_a_state_like_any_other(universe: msc.AssetCategory) -> None:
    universe.load([{"unique_identifier": "D", "start": "2099-06-19", "announced": "2020-01-01"}], mode="append")
    assert universe.diff(1, 2) == universe.diff(2, 2)
    assert universe.revert(1).revision == 2, "membership is what it was"
    assert msc.AssetCategory.get(unique_identifier="index@2").members().equals(universe.members())
    assert universe.verify().ok
    assert universe.freshness().last_moved_at == datetime(2020, 1, 1, tzinfo=UTC)


def test_a_change_that_was_called_off_lies_no_longer_ahead(universe: msc.AssetCategory) -> None:
    universe.remove_assets([msc.Asset.get(unique_identifier="C")])
    assert told(universe) == [D]


def test_weights_that_change_ahead_are_told(universe: msc.AssetCategory) -> None:
    universe.load([{"unique_identifier": "A", "start": "2099-01-01", "weight": 0.75}], mode="append")
    assert told(universe)[0] == ("2099-01-01", "A", "reweighted")


def test_the_universe_forgets_announcements_with_itself(universe: msc.AssetCategory) -> None:
    universe.delete()
    again = msc.AssetCategory.create(unique_identifier="index")
    assert told(again) == []


@pytest.mark.embedded
def test_a_change_ahead_comes_into_force_when_its_time_has_come(home: Path, carrier: str) -> None:
    from mainsequence.contract import assets, categories, loading
    from mainsequence.domain.assets import AssetRegistration
    from mainsequence.domain.categories import CategoryCreation
    from mainsequence.domain.loading import LoadOptions
    from mainsequence.platform.platform import Platform
    from mainsequence.settings import Settings

    time = [datetime(2024, 3, 1, tzinfo=UTC)]
    platform = Platform.embedded(Settings.for_url(str(home)), lambda: int(time[0].timestamp() * 1_000_000))
    registered = assets.Registrations(assets=[AssetRegistration(unique_identifier=name) for name in "AB"])
    a, b = (each.id for each in platform.call(assets.REGISTER, registered))
    key = platform.call(categories.CREATE, CategoryCreation(unique_identifier="u", display_name="u")).id
    switch = datetime(2024, 3, 18, tzinfo=UTC)
    rows = _table([a, b], [None, switch], [switch, None])
    platform.call(loading.LOAD_INTERVALS, loading.with_options(rows, LoadOptions()), key=key)
    seen = []
    for time[0] in (switch - DAY, switch - timedelta(microseconds=1), switch, switch + DAY):
        seen.append(platform.call(categories.ASSET_IDS, categories.AsOf(), key=key))
    assert seen == [[a], [a], [b], [b]]
    assert len(platform.call(categories.HISTORY, None, key=key)) == 1
    platform.close()


def _table(ids: list[int], starts: list[datetime | None], ends: list[datetime | None]) -> object:
    import pyarrow as pa

    stamp = pa.timestamp("us", "UTC")
    return pa.table({"asset_id": ids, "valid_from": pa.array(starts, stamp), "valid_to": pa.array(ends, stamp)})


def test_a_universe_made_from_others_says_where_to_ask(universe: msc.AssetCategory) -> None:
    made = msc.AssetCategory.from_expression("made", "index")
    for ask in (made.upcoming, lambda: made.expected("2099-03-20")):
        with pytest.raises(msc.ConflictError, match="no rows of its own") as caught:
            ask()
        assert "revision" not in str(caught.value)
