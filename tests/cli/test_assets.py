"""``mainsequence asset``."""

from pathlib import Path

import pytest

import mainsequence.client as msc
from tests.cli.runner import answer, refusal, run

FIGI = "BBG000B9XRY4"


def register() -> None:
    run("asset", "register", "KO", "--name", "Coca-Cola", "--ticker", "KO", "--exchange-code", "US")
    run("asset", "register", "PG", "--ticker", "PG", "--security-type", "Common Stock")


def test_registered_assets_are_listed():
    assert run("asset", "list").stdout == "no assets\n"
    assert answer("asset", "list") == []
    register()
    assert [each["unique_identifier"] for each in answer("asset", "list")] == ["KO", "PG"]
    lines = run("asset", "list").stdout.splitlines()
    assert lines[0].split() == [
        *("id", "unique_identifier", "name", "ticker", "exchange_code", "security_type", "retired_at"),
    ]
    assert lines[1].split() == ["1", "KO", "Coca-Cola", "KO", "US"]


def test_registering_again_leaves_an_asset_as_it_is():
    register()
    (again,) = answer("asset", "register", "KO", "--name", "Another")
    assert (again["id"], again["name"]) == (1, "Coca-Cola")


def test_a_csv_file_registers_all_or_nothing(tmp_path: Path):
    file = tmp_path / "assets.csv"
    file.write_text(
        "unique_identifier,name,isin,is_tradable\nA,Alpha,US0378331005,false\nB,Beta,,\n", encoding="utf-8-sig"
    )
    made = answer("asset", "register", "--file", file)
    assert [(each["unique_identifier"], each["isin"], each["is_tradable"]) for each in made] == [
        ("A", "US0378331005", False),
        ("B", None, True),
    ]
    file.write_text("unique_identifier,isin\nC,\nD,US0378331006\n")
    assert "US0378331006" in refusal("asset", "register", "--file", file, code=2)
    file.write_text("unique_identifier,colour\nC,red\n")
    assert "colour" in refusal("asset", "register", "--file", file, code=2)
    assert len(answer("asset", "list")) == 2


def test_a_figi_alone_is_resolved():
    (made,) = answer("asset", "register", "--figi", FIGI)
    assert made["unique_identifier"] == made["figi"] == FIGI


@pytest.mark.parametrize("words", [[], ["--name", "x"], ["KO", "--file", "x.csv"], ["--file", "no such file.csv"]])
def test_what_to_register_is_said_once(words: list[str]):
    refusal("asset", "register", *words, code=2)
    assert answer("asset", "list") == []


@pytest.mark.parametrize(
    ("where", "found"),
    [
        (["ticker=KO"], ["KO"]),
        (["ticker__in=KO,PG"], ["KO", "PG"]),
        (["name__contains=Cola"], ["KO"]),
        (["id=2"], ["PG"]),
        (["id__in=1,2", "exchange_code__isnull=true"], ["PG"]),
        (["is_tradable=false"], []),
        (["current_snapshot__ticker=PG"], ["PG"]),
    ],
)
def test_lists_take_lookups(where: list[str], found: list[str]):
    register()
    words = [word for each in where for word in ("--where", each)]
    assert [each["unique_identifier"] for each in answer("asset", "list", *words)] == found


@pytest.mark.parametrize("where", ["tickers=KO", "ticker", "id=one", "is_tradable=maybe"])
def test_bad_lookups_are_refused(where: str):
    refusal("asset", "list", "--where", where, code=2)


def test_an_asset_is_found_by_identifier_before_id():
    register()
    run("asset", "register", "1")
    assert answer("asset", "show", "1")["id"] == 3
    assert answer("asset", "show", "2")["unique_identifier"] == "PG"
    assert "NOPE" in refusal("asset", "show", "NOPE")


def test_show_tells_names_over_time_and_universes():
    register()
    run("category", "create", "basket", "KO")
    run("asset", "rename", "KO", "--ticker", "COKE", "--from", "2024-01-02")
    shown = answer("asset", "show", "KO")
    assert (shown["ticker"], shown["categories"]) == ("COKE", ["basket"])
    assert [(each["ticker"], each["effective_to"]) for each in shown["snapshots"]] == [
        ("KO", "2024-01-02T00:00:00Z"),
        ("COKE", None),
    ]
    assert "2024-01-02T00:00:00Z" in run("asset", "show", "KO").stdout


def test_show_tells_types_and_sectors_over_time():
    register()
    classified = answer(
        *("asset", "classify", "PG", "--security-type", "REIT", "--security-market-sector", "Equity"),
        *("--from", "2024-01-02"),
    )
    assert (classified["security_type"], classified["security_market_sector"]) == ("REIT", "Equity")
    shown = answer("asset", "show", "PG")
    assert [(each["security_type"], each["effective_to"]) for each in shown["classifications"]] == [
        ("Common Stock", "2024-01-02T00:00:00Z"),
        ("REIT", None),
    ]
    printed = run("asset", "show", "PG").stdout.splitlines()
    assert printed[-2].split() == ["Common", "Stock", "2024-01-02T00:00:00Z"]
    assert printed[-1].split() == ["REIT", "Equity", "2024-01-02T00:00:00Z"]
    assert "hold since" in refusal("asset", "classify", "PG", "--security-type", "ADR", "--from", "2024-01-02", code=2)


def test_renaming_refuses_a_naive_time_and_changes_nothing():
    register()
    assert "time zone" in refusal("asset", "rename", "KO", "--ticker", "X", "--from", "2024-01-02T10:00", code=2)
    assert answer("asset", "show", "KO")["ticker"] == "KO"


def test_retiring_asks_first():
    register()
    run("asset", "retire", "KO", given="n\n", code=1)
    assert len(answer("asset", "list")) == 2
    run("asset", "retire", "KO", given="y\n")
    run("asset", "retire", "PG", "--yes")
    assert answer("asset", "list") == []
    assert [each["unique_identifier"] for each in answer("asset", "list", "--retired")] == ["KO", "PG"]
    assert msc.Asset.get(1).retired_at is not None
