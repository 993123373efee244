"""The feed of changes: everything that happens to universes, once, in one order, whoever writes at the same time."""

import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from threading import Thread
from time import monotonic, sleep

import pytest

import mainsequence.client as msc
from mainsequence.errors import ValidationError
from tests.universes import feeding

ROOT = Path(__file__).parents[2]


@pytest.fixture
def assets() -> list[msc.Asset]:
    return msc.Asset.batch_get_or_register_custom_assets([{"unique_identifier": f"asset-{n}"} for n in range(4)])


@pytest.fixture
def category(assets: list[msc.Asset]) -> msc.AssetCategory:
    made = msc.AssetCategory.create(unique_identifier="universe", assets=assets[:2])
    return made.append_assets(assets[2:], reason="two more")


def told(changes: list[msc.Change]) -> list[tuple[str, str, int]]:
    return [(each.unique_identifier, str(each.kind), each.revision) for each in changes]


def test_everything_that_happens_is_told_in_order(category: msc.AssetCategory, assets: list[msc.Asset]) -> None:
    category.append_assets(assets)  # changes nothing
    category.patch(description="described")
    category.patch(description="described")
    category.revert(1)
    assets[0].delete()
    category.refresh().delete()
    assert told(msc.AssetCategory.changes()) == [
        ("universe", "created", 0),
        ("universe", "changed", 1),
        ("universe", "changed", 2),
        ("universe", "described", 2),
        ("universe", "changed", 3),
        ("universe", "changed", 4),
        ("universe", "deleted", 4),
    ]


def test_a_change_says_who_when_why_and_how_many(category: msc.AssetCategory) -> None:
    revision, change = category.history()[1], category.changes()[-1]
    assert (change.recorded_at, change.actor, change.operation) == (revision.recorded_at, revision.actor, "append")
    assert (change.reason, change.added, change.removed) == ("two more", 2, 0)
    assert change.content_hash == revision.content_hash == category.fingerprint
    assert change.category_id == category.id


def test_reading_goes_on_where_it_stopped(category: msc.AssetCategory, assets: list[msc.Asset]) -> None:
    first = msc.AssetCategory.changes(limit=2)
    rest = msc.AssetCategory.changes(since=first.cursor)
    assert (len(first), first.cursor, len(rest)) == (2, 2, 1)
    assert list(msc.AssetCategory.changes(since=rest.cursor)) == []
    category.update_assets(assets[:1])
    assert [each.revision for each in msc.AssetCategory.changes(since=rest.cursor)] == [3]


def test_some_universes_and_kinds_are_read_alone(category: msc.AssetCategory, assets: list[msc.Asset]) -> None:
    other = msc.AssetCategory.create(unique_identifier="other", assets=assets[:1])
    assert told(other.changes()) == [("other", "created", 0), ("other", "changed", 1)]
    both = told(msc.AssetCategory.changes(categories=["universe", other], kinds=["created"]))
    assert both == [("universe", "created", 0), ("other", "created", 0)]
    nothing = msc.AssetCategory.changes(categories=[other.id], kinds=["deleted"])
    assert (list(nothing), nothing.cursor) == ([], 5), "what was read in vain is not read again"
    other.delete()
    assert told(msc.AssetCategory.changes(categories=[other.id]))[-1] == ("other", "deleted", 1)


def test_a_cursor_of_another_feed_is_refused(category: msc.AssetCategory) -> None:
    with pytest.raises(ValidationError, match="reaches position 3"):
        msc.AssetCategory.changes(since=4)
    with pytest.raises(ValidationError):
        category.changes(categories=["universe"])


def test_a_write_that_fails_leaves_no_gap(category: msc.AssetCategory, assets: list[msc.Asset]) -> None:
    with pytest.raises(msc.UnknownAssetsError):
        category.append_assets(asset_ids=[10**6])
    with pytest.raises(msc.AlreadyExistsError):
        msc.AssetCategory.create(unique_identifier="universe")
    category.update_assets(assets[:1])
    assert [each.position for each in msc.AssetCategory.changes()] == [1, 2, 3, 4]


def test_changes_are_shown_and_are_a_frame(category: msc.AssetCategory) -> None:
    found = msc.AssetCategory.changes()
    assert "universe@2 +2 −0" in repr(found)
    assert "two more" in found._repr_html_()
    frame = found.to_frame()
    assert (frame.index.name, list(frame.index), list(frame.revision)) == ("position", [1, 2, 3], [0, 1, 2])
    assert msc.AssetCategory.changes(since=3).to_frame().empty


def test_following_gives_what_comes(category: msc.AssetCategory, assets: list[msc.Asset]) -> None:
    old = [next(msc.AssetCategory.follow(since=0)), next(category.follow(since=1))]
    assert [each.position for each in old] == [1, 2]
    coming = msc.AssetCategory.follow(poll_seconds=0.05)
    found: list[msc.Change] = []
    reader = Thread(target=lambda: found.append(next(coming)), daemon=True)
    reader.start()
    sleep(0.5)
    category.update_assets(assets[:1])
    reader.join(20)
    assert told(found) == [("universe", "changed", 3)]


@pytest.mark.slow
def test_a_reader_misses_nothing_and_sees_nothing_twice_while_many_write() -> None:
    feeding.prepare()
    writers = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.universes.feeding", str(seed), "30"], cwd=ROOT, env=dict(os.environ)
        )
        for seed in range(4)
    ]
    seen: list[msc.Change] = []
    cursor, until = 0, monotonic() + 200
    while any(writer.poll() is None for writer in writers) and monotonic() < until:
        page = msc.AssetCategory.changes(since=cursor, limit=7)
        seen, cursor = [*seen, *page], page.cursor
    assert [writer.wait(60) for writer in writers] == [0, 0, 0, 0]
    rest = msc.AssetCategory.changes(since=cursor)
    seen += rest
    assert [each.position for each in seen] == list(range(1, rest.cursor + 1)), "in order, without gaps"
    by_universe = defaultdict(list)
    for each in seen:
        if each.kind == "changed":
            by_universe[each.unique_identifier].append((each.revision, each.content_hash))
    for name in feeding.UNIVERSES:
        history = msc.AssetCategory.get(unique_identifier=name).history()
        assert by_universe[name] == [(each.revision, each.content_hash) for each in history]
    assert [each for each in told(seen) if each[0].startswith("gone-")].__len__() == 2 * 4 * 3


def test_a_time_at_which_everything_was_settled_reads_the_same_for_ever(assets: list[msc.Asset]) -> None:
    a, b = (msc.AssetCategory.create(unique_identifier=name, assets=assets[1:2]) for name in "ab")
    either, ended = msc.AssetCategory.from_expression("either", "a ^ b"), monotonic() + 3

    def write(category: msc.AssetCategory) -> None:
        while monotonic() < ended:
            category.append_assets(assets[:1])
            category.remove_assets(assets[:1])

    writers = [Thread(target=write, args=[each]) for each in (a, b)]
    seen = []
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        known_at = either.stamp().known_at
        seen.append((known_at, either.asset_ids(known_at=known_at)))
    assert len(seen) > 10
    assert [either.asset_ids(known_at=known_at) for known_at, _ in seen] == [ids for _, ids in seen]
    times = [each.recorded_at for each in msc.AssetCategory.changes() if str(each.kind) == "changed"]
    assert times == sorted(set(times)), "recorded in the order of the feed"
