import json
from pathlib import Path

import pytest

import mainsequence.client as msc
from tests.cli.runner import run

INTERVALS = "ticker,start,end,weight\na,2020-01-01,2021-01-01,1.0\nb,2021-01-01,,1.0\n"


@pytest.fixture
def universe() -> msc.AssetCategory:
    msc.Asset.batch_get_or_register_custom_assets(
        [{"unique_identifier": name.upper(), "ticker": name, "exchange_code": "US"} for name in "abc"]
    )
    return msc.AssetCategory.create(unique_identifier="u")


def test_a_list_is_loaded_or_refused_with_every_finding(universe: msc.AssetCategory, tmp_path: Path):
    file = tmp_path / "list.csv"
    file.write_text(INTERVALS + "d,2020-01-01,,\nc,2020-01-01,2020-01-01,\n")
    refused = run("category", "load", "u", str(file), code=1)
    assert "zero_length" in refused.stdout
    assert "unmatched" in refused.stdout
    assert universe.refresh().revision == 0
    loaded = run("category", "load", "u", str(file), "--repair", "--skip-unresolved", "--reason", "test", "--json")
    facts = json.loads(loaded.stdout)
    assert (loaded.exit_code, facts["ok"], facts["rows"], facts["rows_loaded"], facts["revision"]) == (0, True, 4, 2, 1)
    assert facts["counts"] == {"zero_length": 1, "unmatched": 1}
    assert [each["row"] for each in facts["findings"]] == [4, 5]
    assert universe.history()[0].reason == "test"


def test_a_dry_run_changes_nothing(universe: msc.AssetCategory, tmp_path: Path):
    file = tmp_path / "list.csv"
    file.write_text(INTERVALS)
    shown = run("category", "load", "u", str(file), "--dry-run")
    assert (shown.exit_code, universe.refresh().revision) == (0, 0)
    assert "B" in shown.stdout.split("entering")[1]


def test_columns_exchanges_and_sums_can_be_said(universe: msc.AssetCategory, tmp_path: Path):
    file = tmp_path / "list.csv"
    file.write_text("Sym,Mic,In,Share\na,US,01.02.2020,0.4\nb,US,01.02.2020,0.5\n")
    columns = [f"--column={pair}" for pair in ("identifier=Sym", "exchange_code=Mic", "start=In", "weight=Share")]
    said = ["category", "load", "u", str(file), "-i", "ticker,exchange_code", *columns, "--date-format", "%d.%m.%Y"]
    wrong = run(*said, "--weights-sum-to", "1", code=2)
    assert "off by -0.1" in wrong.stderr
    run(*said, "--weights-sum-to", "0.9")
    assert "0.9" in run("category", "check-weights", "u", code=1).stdout
    run("category", "check-weights", "u", "--sum-to", "0.9")
    run("category", "load", "u", str(file), "--column", "nonsense", code=2)


def test_what_is_exported_is_loaded_again(universe: msc.AssetCategory, tmp_path: Path):
    source, file = tmp_path / "list.csv", tmp_path / "out.json"
    source.write_text(INTERVALS)
    run("category", "load", "u", str(source))
    made = run("category", "export", "u", str(file), "--json")
    assert json.loads(made.stdout) == {
        "path": str(file),
        "format": "json",
        "layout": "intervals",
        "rows": 2,
        "lost": [],
    }
    run("category", "create", "v")
    run("category", "load", "v", str(file))
    run("category", "reconcile", "u", "v")
    assert "2 weights" in run("category", "export", "u", str(tmp_path / "out.txt"), code=2).stderr


def test_disagreements_and_stale_universes_are_exits(universe: msc.AssetCategory, tmp_path: Path):
    file = tmp_path / "list.csv"
    file.write_text("ticker,start\na,2020-01-01\nb,2020-01-03\nc,2020-01-05\n")
    run("category", "load", "u", str(file))
    run("category", "create", "v")
    found = run("category", "reconcile", "u", "v", "--start", "2020-01-01", "--end", "2020-01-11", "--json", code=1)
    told = json.loads(found.stdout)
    assert (told["agreement"], told["disagreements"]) == (0.0, 3)
    assert [(row["unique_identifier"], row["days"], row["in"], row["out"]) for row in told["rows"]] == [
        *(("A", 10.0, ["u"], ["v"]), ("B", 8.0, ["u"], ["v"]), ("C", 6.0, ["u"], ["v"])),
    ]
    assert "Stale: u." in run("category", "freshness", "--all", code=1).stderr
    run("category", "freshness", "u", "--at", "2020-01-06")
    run("category", "freshness", code=2)


def test_what_lies_ahead_is_listed(universe: msc.AssetCategory, tmp_path: Path):
    assert run("category", "upcoming", "u").stdout.strip() == "nothing ahead"
    file = tmp_path / "list.csv"
    file.write_text("ticker,start,announced\na,2099-01-01,2024-01-01\n")
    run("category", "load", "u", str(file))
    (row,) = json.loads(run("category", "upcoming", "u", "--json").stdout)
    assert (row["effective_at"], row["announced_at"]) == ("2099-01-01T00:00:00Z", "2024-01-01T00:00:00Z")
    assert (row["unique_identifier"], row["change"]) == ("A", "enters")


def test_identifiers_are_resolved(universe: msc.AssetCategory):
    found = run("asset", "resolve", "a", "b", "--kind", "ticker", "--exchange-code", "US", "--json")
    assert (found.exit_code, [row["unique_identifier"] for row in json.loads(found.stdout)]) == (0, ["A", "B"])
    assert run("asset", "resolve", "a", "zz", code=1).stderr.strip() == "1 matched, 1 unmatched"


def test_an_index_is_loaded_by_its_name():
    pytest.importorskip("pytickersymbols")
    assert "S&P 500" in run("category", "indices").stdout
    run("category", "load-index", "DAX", code=1)
    run("category", "load-index", "DAX", "--register-missing", "--category", "german")
    assert len(msc.AssetCategory.get(unique_identifier="german").asset_ids()) == 40
