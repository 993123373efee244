"""``mainsequence category derive``, ``evaluate``, ``define-rule``, ``refresh``, ``why`` and their fellows."""

import json
from pathlib import Path

import pytest

import mainsequence.client as msc
from tests.cli.runner import answer, refusal, run

RULE = {"base": "one | two", "calendar": "XNYS", "frequency": "monthly", "start": "2024-01-10"}


@pytest.fixture(autouse=True)
def _universes() -> None:
    assets = msc.Asset.batch_get_or_register_custom_assets([{"unique_identifier": name} for name in "abc"])
    for name, held in {"one": assets[:2], "two": assets[1:]}.items():
        msc.AssetCategory.create(unique_identifier=name, assets=held)


def names(*words: str) -> list[str]:
    return [each["unique_identifier"] for each in answer("category", *words)]


def test_a_universe_is_derived_redefined_and_read():
    made = answer("category", "derive", "both", "one&two", "--display-name", "Both", "--reason", "why not")
    assert (made["unique_identifier"], made["kind"], made["expression"]) == ("both", "expression", "one & two")
    assert names("members", "both") == ["b"]
    assert answer("category", "redefine", "both", "one - two", "--if-revision", "1")["revision"] == 2
    assert names("members", "both") == ["a"]
    assert answer("category", "definition", "both")["expression"] == "one - two"
    known_at = answer("category", "history", "both")[0]["recorded_at"]
    assert names("members", "both", "--known-at", known_at) == ["b"]
    assert "cannot be read at position 4" in refusal("category", "redefine", "both", "one&&", code=2)


def test_another_expression_is_planned_applied_and_taken_back(tmp_path: Path):
    answer("category", "derive", "both", "one & two")
    shown = run("category", "plan", "both", "--expression", "one | two").stdout
    assert "made from one & two → one | two" in shown
    assert ["  + a" in shown, "  + c" in shown, "  - b" in shown] == [True, True, False]
    file = tmp_path / "plan.json"
    file.write_text(run("category", "plan", "both", "--expression", "one | two", "--json").stdout)
    assert answer("category", "apply", str(file), "--reason", "wider")["revision"] == 2
    assert names("members", "both") == ["a", "b", "c"]
    assert answer("category", "revert", "both", "--to", "1")["revision"] == 3
    assert answer("category", "definition", "both")["expression"] == "one & two"


def test_an_expression_is_evaluated_without_being_stored():
    assert names("evaluate", "one ^ two") == ["a", "c"]
    assert run("category", "evaluate", "one - one").stdout == "no members\n"
    assert "Did you mean" in refusal("category", "evaluate", "one - twoo")
    assert len(answer("category", "list")) == 2


@pytest.mark.parametrize(
    ("suffix", "text"),
    [
        ("json", json.dumps(RULE)),
        ("toml", "\n".join(f'{name} = "{value}"' for name, value in RULE.items())),
        ("yaml", "\n".join(f'{name}: "{value}"' for name, value in RULE.items())),
    ],
)
def test_a_rule_comes_from_a_file_and_fills_a_universe(suffix: str, text: str, tmp_path: Path):
    if suffix == "yaml":
        pytest.importorskip("yaml")
    file = tmp_path / f"rule.{suffix}"
    file.write_text(text)
    made = answer("category", "define-rule", "filled", str(file))
    assert (made["kind"], made["rule"]) == ("rule", msc.UniverseRule(**RULE).hash)
    done = answer("category", "refresh", "filled", "--until", "2024-03-15")
    assert (done["decided"], done["first"][:10], done["last"][:10], done["revision"]) == (
        *(2, "2024-02-01", "2024-03-01"),
        2,
    )
    assert names("members", "filled") == ["a", "b", "c"]
    assert answer("category", "refresh", "filled", "--until", "2024-03-15")["decided"] == 0
    assert answer("category", "refresh", "filled", "--from", "2024-02-01", "--until", "2024-03-15")["decided"] == 2
    file.write_text(text.replace("one | two", "one"))
    assert answer("category", "change-rule", "filled", str(file), "--reason", "less")["revision"] == 3


def test_why_says_what_was_asked_and_found():
    run("category", "derive", "both", "one & two")
    told = answer("category", "why", "both", "a")
    assert (told["member"], told["outcomes"][1]) == (False, {"condition": "in two", "found": "no", "passed": False})
    assert "not in two" in run("category", "why", "both", "a").stdout


@pytest.mark.parametrize("text", ["{", "[1]", '{"calendar": "XNYS"}', '{"colour": "red"}'])
def test_a_file_that_is_no_rule_is_refused(text: str, tmp_path: Path):
    file = tmp_path / "rule.json"
    file.write_text(text)
    refusal("category", "define-rule", "filled", str(file), code=2)
    assert "cannot be read" in refusal("category", "define-rule", "filled", str(tmp_path / "none.json"), code=2)
