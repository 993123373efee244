"""``mainsequence routing``: rules, and a check that fails a build."""

import pandas as pd
import pytest

import mainsequence.client as msc
from tests.cli.runner import answer, refusal, run


@pytest.fixture(autouse=True)
def _assets() -> None:
    msc.Asset.batch_get_or_register_custom_assets(
        [
            {"unique_identifier": "KO", "security_type": "Common Stock", "exchange_code": "US"},
            {"unique_identifier": "PG", "security_type": "Common Stock", "exchange_code": "US"},
            {"unique_identifier": "BTCUSD", "security_type": "Crypto"},
        ]
    )


def add_rule(*words: str) -> None:
    run("routing", "add-rule", "prices", "--series", "us_bars", *words)


def write_bars(*names: str) -> None:
    at = pd.Timestamp("2024-01-02", tz="UTC")
    rows = pd.DataFrame({"time_index": at, "unique_identifier": names, "close": 1.0})
    msc.Series.get_or_create("us_bars", {"close": "float64"}).upsert(rows)


def test_rules_are_added_replaced_listed_and_removed():
    assert run("routing", "list").stdout == "no translation tables\n"
    add_rule("--security-type", "Common Stock")
    add_rule("--security-type", "Common Stock", "--target-exchange", "US", "--column", "vwap")
    expected = {
        "id": 1,
        "asset_filter": {"security_type": "Common Stock"},
        "series": "us_bars",
        "target_exchange_code": "US",
        "column": "vwap",
    }
    shown = answer("routing", "show", "prices")
    assert shown["rules"] == [expected]
    assert answer("routing", "list") == [shown]
    assert run("routing", "list").stdout.split()[-3:] == ["1", "prices", "1"]
    assert "security_type='Common Stock'" in run("routing", "show", "prices").stdout
    assert "no rule #7" in refusal("routing", "remove-rule", "prices", "1", "7")
    assert answer("routing", "remove-rule", "prices", "1") == []
    assert run("routing", "show", "prices").stdout == "no rules\n"


def test_an_overlap_is_refused_and_a_possible_one_a_warning():
    add_rule("--security-type", "Common Stock")
    assert "KO" in refusal("routing", "add-rule", "prices", "--series", "other", "--asset", "KO")
    ran = run("routing", "add-rule", "prices", "--series", "other", "--exchange-code", "LN", "--json")
    assert ran.stderr.startswith("Warning: An asset could match two rules")
    assert len(answer("routing", "show", "prices")["rules"]) == 2


def test_check_exits_with_0_where_all_is_well():
    write_bars("KO", "PG")
    add_rule("--security-type", "Common Stock")
    run("category", "create", "basket", "KO", "PG")
    assert "ok: yes" in run("routing", "check", "prices", "--category", "basket").stdout
    assert "ok: yes" in run("routing", "check", "prices", "--asset", "KO", "--asset", "2").stdout
    found = answer("routing", "check", "prices", "--category", "basket")
    assert (found["ok"], found["counts"], found["dead_rules"]) == (True, {"routed": 2}, [])
    assert (found["category"], found["revision"], found["series"]) == ("basket", 1, {"us_bars": 1})
    assert [(each["unique_identifier"], each["first"], each["count"]) for each in found["assets"]] == [
        ("KO", "2024-01-02T00:00:00Z", 1),
        ("PG", "2024-01-02T00:00:00Z", 1),
    ]


def test_check_exits_with_1_and_names_who_is_not_served():
    write_bars("KO")
    add_rule("--security-type", "Common Stock")
    printed = run("routing", "check", "prices", code=1).stdout
    assert [line.split()[:2] for line in printed.splitlines()[1:3]] == [["PG", "missing_asset"], ["BTCUSD", "no_route"]]
    assert "ok: no" in printed
    found = answer("routing", "check", "prices", code=1)
    assert {each["unique_identifier"]: each["status"] for each in found["assets"]} == {
        "KO": "routed",
        "PG": "missing_asset",
        "BTCUSD": "no_route",
    }
    assert found["assets"][0]["explanation"] is None
    assert "BTCUSD" in found["assets"][2]["explanation"]
    assert answer("routing", "check", "prices", "--asset", "PG", "--no-series")["ok"]


def test_check_asks_for_the_members_at_a_time():
    add_rule("--security-type", "Common Stock")
    run("category", "create", "basket", "KO")
    run("category", "append", "basket", "BTCUSD", "--from", "2020-01-01")
    check = ("routing", "check", "prices", "--category", "basket", "--no-series")
    run(*check, code=1)
    run(*check, "--as-of", "2019-12-31")
    run(*check, "--revision", 1)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["check", "nope"], 1),
        (["check", "prices", "--category", "nope"], 1),
        (["check", "prices", "--asset", "NOPE"], 1),
        (["check", "prices", "--as-of", "2020-01-01"], 2),
        (["check", "prices", "--category", "basket", "--asset", "KO"], 2),
        (["check", "prices", "--category", "basket", "--as-of", "yesterday"], 2),
        (["add-rule", "prices", "--series", " "], 2),
        (["remove-rule", "prices"], 2),
    ],
)
def test_bad_requests_are_refused(words: list[str], code: int):
    add_rule("--security-type", "Common Stock")
    run("category", "create", "basket", "KO")
    refusal("routing", *words, code=code)
    assert len(answer("routing", "show", "prices")["rules"]) == 1


def test_deleting_a_table_asks_first():
    add_rule("--security-type", "Common Stock")
    run("routing", "delete", "prices", code=1, given="n\n")
    assert len(answer("routing", "list")) == 1
    assert "prices is deleted" in run("routing", "delete", "prices", "--yes").output
    assert run("routing", "list").stdout == "no translation tables\n"
