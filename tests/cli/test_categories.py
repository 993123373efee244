"""``mainsequence category``."""

from pathlib import Path

import pytest

import mainsequence.client as msc
from tests.cli.runner import answer, refusal, run


@pytest.fixture(autouse=True)
def _assets() -> None:
    names = ["KO", "PG", "NESN", "AMD"]
    msc.Asset.batch_get_or_register_custom_assets([{"unique_identifier": each, "name": each} for each in names])


def members(*words: str | int) -> list[str]:
    return [each["unique_identifier"] for each in answer("category", "members", "basket", *words)]


def test_a_universe_is_created_shown_and_listed():
    made = answer("category", "create", "basket", "KO", "2", "--display-name", "Basket", "--description", "for tests")
    assert (made["unique_identifier"], made["display_name"], made["revision"], made["dated"]) == (
        *("basket", "Basket", 1),
        False,
    )
    shown = answer("category", "show", "basket")
    assert (shown["members"], shown["read_by"]) == (2, [])
    assert [each["unique_identifier"] for each in answer("category", "list", "-w", "dated=false")] == ["basket"]
    assert answer("category", "list", "-w", "unique_identifier=other") == []
    assert "exists" in refusal("category", "create", "basket")
    assert answer("category", "create", "basket", "AMD", "--exists-ok") == made


def test_members_are_appended_removed_and_replaced():
    run("category", "create", "basket")
    assert members() == []
    assert run("category", "members", "basket").stdout == "no members\n"
    assert answer("category", "append", "basket", "KO", "PG", "--reason", "start")["revision"] == 1
    assert members() == ["KO", "PG"]
    run("category", "remove", "basket", "KO")
    assert members() == ["PG"]
    run("category", "replace", "basket", "NESN", "4")
    assert members() == ["NESN", "AMD"]
    history = answer("category", "history", "basket")
    assert [(each["revision"], each["operation"], each["reason"]) for each in history] == [
        (1, "append", "start"),
        (2, "remove", None),
        (3, "update", None),
    ]
    did = answer("category", "history", "basket", "--revision", 1)
    assert [(each["change"], each["unique_identifier"]) for each in did] == [("enters", "KO"), ("enters", "PG")]
    assert "no revision 99" in refusal("category", "history", "basket", "--revision", 99)


def test_members_are_read_at_a_time_a_revision_and_as_known():
    run("category", "create", "basket", "KO")
    run("category", "append", "basket", "PG", "--from", "2015-01-01", "--to", "2020-01-01")
    assert members("--as-of", "2014-12-31") == ["KO"]
    assert members("--as-of", "2015-01-01") == ["KO", "PG"]
    assert members("--as-of", "2015-01-01", "--revision", 1) == ["KO"]
    recorded_at = answer("category", "history", "basket")[0]["recorded_at"]
    assert members("--as-of", "2015-01-01", "--known-at", recorded_at) == ["KO"]
    assert "no revision 9" in refusal("category", "members", "basket", "--revision", 9)


def test_weights_are_printed():
    run("category", "create", "basket")
    msc.AssetCategory.get(unique_identifier="basket").append_assets(asset_ids=[1, 2], weights=[0.25, 0.75])
    assert [each["weight"] for each in answer("category", "members", "basket")] == [0.25, 0.75]


def test_assets_may_come_from_a_file_or_standard_input(tmp_path: Path):
    run("category", "create", "basket")
    (tmp_path / "list.txt").write_text("KO\n\n PG \n")
    run("category", "append", "basket", "AMD", "--file", tmp_path / "list.txt")
    assert members() == ["KO", "PG", "AMD"]
    run("category", "replace", "basket", "--file", "-", given="NESN\n")
    assert members() == ["NESN"]
    run("category", "replace", "basket", "--file", "-", given="")
    assert members() == []


@pytest.mark.parametrize("verb", ["append", "remove", "replace"])
def test_unknown_assets_change_nothing_and_are_named(verb: str):
    run("category", "create", "basket", "KO")
    said = refusal("category", verb, "basket", "PG", "NOPE", "99")
    assert "2 of 3" in said
    assert "NOPE, 99" in said
    assert answer("category", "show", "basket")["revision"] == 1


@pytest.mark.parametrize("verb", ["append", "remove", "replace"])
def test_a_verb_without_assets_is_refused(verb: str):
    run("category", "create", "basket", "KO")
    assert "No asset is named" in refusal("category", verb, "basket", code=2)


def test_a_stale_revision_and_an_empty_window_are_refused():
    run("category", "create", "basket", "KO")
    assert "revision 1" in refusal("category", "append", "basket", "PG", "--if-revision", 0)
    window = ("--from", "2020-01-01", "--to", "2019-01-01")
    assert "not after" in refusal("category", "append", "basket", "PG", *window, code=2)
    assert members() == ["KO"]


def test_differences_of_revisions_and_of_dates():
    run("category", "create", "basket", "KO")
    run("category", "replace", "basket", "PG")
    assert [(each["change"], each["unique_identifier"]) for each in answer("category", "diff", "basket", 1, 2)] == [
        ("entered", "PG"),
        ("left", "KO"),
    ]
    run("category", "append", "basket", "AMD", "--from", "2020-01-01")
    between = answer("category", "diff", "basket", "2019-06-28", "2020-06-30")
    assert [(each["change"], each["unique_identifier"]) for each in between] == [("entered", "AMD")]
    assert run("category", "diff", "basket", 1, 1).stdout == "no difference\n"


def test_a_universe_is_deleted_unless_something_reads_it():
    run("category", "create", "basket", "KO")
    msc.Portfolio.get_or_create(unique_identifier="fund", universe="basket")
    assert "portfolio fund" in refusal("category", "delete", "basket", "--yes")
    assert answer("category", "show", "basket")["read_by"] == ["portfolio fund"]
    msc.Portfolio.get(unique_identifier="fund").delete()
    assert "deleted" in run("category", "delete", "basket", "--yes").stderr
    assert answer("category", "list") == []


def test_near_names_are_offered():
    run("category", "create", "basket")
    assert "Did you mean basket?" in refusal("category", "show", "baskett")
