"""``mainsequence category plan``, ``apply``, ``guard`` and their like."""

import json
from pathlib import Path

import pytest

import mainsequence.client as msc
from tests.cli.runner import answer, refusal, run


@pytest.fixture(autouse=True)
def _basket() -> None:
    names = ["KO", "PG", "NESN", "AMD"]
    msc.Asset.batch_get_or_register_custom_assets([{"unique_identifier": each, "name": each} for each in names])
    run("category", "create", "basket", "KO", "PG")


def members(*words: str) -> list[str]:
    return [each["unique_identifier"] for each in answer("category", "members", "basket", *words)]


def test_a_plan_is_shown_kept_in_a_file_and_applied(tmp_path: Path):
    shown = run("category", "plan", "basket", "--append", "NESN", "--remove", "KO").stdout
    assert "  + NESN\n  - KO\n" in shown
    assert shown.splitlines()[-1].startswith("Plan: 1 to enter, 1 to leave, 0 reweighted; ")
    assert members() == ["KO", "PG"]

    file, names = tmp_path / "plan.json", tmp_path / "names.txt"
    names.write_text("AMD\nNESN\n")
    file.write_text(run("category", "plan", "basket", "--replace-file", names, "--from", "2024-01-02", "--json").stdout)
    applied = run("category", "apply", file, "--reason", "review")
    assert applied.stderr.startswith("Plan: 2 to enter, 2 to leave")
    assert members("--as-of", "2024-01-02") == ["NESN", "AMD"]
    assert members("--as-of", "2024-01-01") == ["KO", "PG"]
    assert answer("category", "history", "basket")[-1]["reason"] == "review"
    assert "is at revision 2" in refusal("category", "apply", file)

    again = run("category", "plan", "basket", "--append", "KO", "--json").stdout
    run("category", "apply", "-", given=again)
    file.write_text(again.replace('"KO"', '"PG"'))
    assert "changed since it was written" in refusal("category", "apply", file, code=2)
    assert "no plan" in refusal("category", "apply", names, code=2)


def test_weights_are_planned_and_applied(tmp_path: Path):
    file = tmp_path / "plan.json"
    words = ("--replace", "KO", "--replace", "AMD", "--weight", "KO=0.75", "--weight", "AMD=0.25")
    file.write_text(run("category", "plan", "basket", *words, "--json").stdout)
    run("category", "apply", file)
    weights = {each["unique_identifier"]: each["weight"] for each in answer("category", "members", "basket")}
    assert weights == {"KO": 0.75, "AMD": 0.25}
    assert "~ KO weight 0.75 → 0.5" in run("category", "plan", "basket", "--weight", "KO=0.5").stdout
    assert "PG=0.5" in refusal("category", "plan", "basket", "--weight", "KO=half", code=2)
    assert "no weight for" in refusal("category", "plan", "basket", "--append", "PG", "--weight", "KO=1", code=2)


def test_what_cannot_be_planned_is_refused():
    assert "replace=[…]" in refusal("category", "plan", "basket", code=2)
    assert "TSLA" in refusal("category", "plan", "basket", "--append", "TSLA")


def test_guards_are_set_shown_and_remembered_and_forced():
    set_ = answer(
        "category", "guard", "basket", "--max-removal-fraction", 0.4, "--require-reason", "--reason", "why not"
    )
    assert (set_["max_removal_fraction"], set_["require_reason"], set_["locked"]) == (0.4, True, False)
    assert answer("category", "guard", "basket") == set_
    assert "needs a reason" in refusal("category", "remove", "basket", "KO")
    assert "--force" in refusal("category", "remove", "basket", "KO", "--reason", "x")
    run("category", "remove", "basket", "KO", "--reason", "x", "--force")
    run("category", "guard", "basket", "--lock", "--no-require-reason")
    assert "locked" in refusal("category", "replace", "basket", "AMD", "--force")
    run("category", "guard", "basket", "--unlock", "--approver", "local")
    assert [each["number"] for each in answer("category", "guard-history", "basket")] == [1, 2, 3]


def test_requests_are_listed_shown_and_decided():
    run("category", "guard", "basket", "--approver", "local")
    assert "request 1" in refusal("category", "append", "basket", "AMD", "--reason", "asked")
    assert [(each["id"], each["status"]) for each in answer("category", "requests", "basket")] == [(1, "pending")]
    assert "  + AMD" in run("category", "request", 1).stdout
    assert "somebody else" in refusal("category", "approve", 1)
    assert "your own" in refusal("category", "reject", 1)
    assert answer("category", "withdraw", 1, "--comment", "no")["status"] == "withdrawn"
    assert run("category", "requests", "basket").stdout == "no change requests\n"
    assert [each["comment"] for each in answer("category", "requests", "basket", "--all")] == ["no"]
    run("category", "guard", "basket", "--no-approvers")
    run("category", "append", "basket", "AMD")


def test_requests_tell_what_is_announced_and_what_a_rule_decided(tmp_path: Path):
    run("category", "guard", "basket", "--approver", "local")
    (tmp_path / "list.csv").write_text("unique_identifier,start,announced\nAMD,2099-03-20,2024-03-06\n")
    loading = ("category", "load", "basket", tmp_path / "list.csv", "--mode", "append")
    assert "request 1" in refusal(*loading)
    [waiting] = answer("category", "requests", "basket")
    assert (waiting["enters"], waiting["announcements"], waiting["decision"]) == (1, 1, None)
    assert "AMD of 2099-03-20: on 2024-03-06" in run("category", "request", 1).stdout

    fields = {"base": "basket", "calendar": "24/7", "frequency": "monthly", "start": "2024-01-01"}
    (tmp_path / "rule.json").write_text(json.dumps(fields))
    run("category", "define-rule", "ruled", tmp_path / "rule.json")
    run("category", "guard", "ruled", "--approver", "local")
    assert "request 2" in refusal("category", "refresh", "ruled", "--until", "2024-03-15")
    [decision] = [each["decision"] for each in answer("category", "requests", "ruled")]
    assert (decision["dates"], decision["first"], decision["inputs"]) == (3, "2024-01-01T00:00:00Z", {"base": "basket"})
    assert "3 effective dates, 2024-01-01 to 2024-03-01" in run("category", "requests", "ruled").stdout


def test_requests_tell_what_a_universe_would_be_made_from_or_filled_by(tmp_path: Path):
    run("category", "derive", "copy", "basket")
    run("category", "guard", "copy", "--approver", "local")
    assert "request 1" in refusal("category", "redefine", "copy", "basket - basket", "--reason", "empty it")
    [waiting] = answer("category", "requests", "copy")
    assert (waiting["expression"], waiting["rule"]) == ("basket - basket", None)
    assert "basket - basket" in run("category", "requests", "copy").stdout
    assert "made from basket → basket - basket" in run("category", "request", 1).stdout
    assert answer("category", "definition", "copy")["expression"] == "basket"

    fields = {"base": "basket", "calendar": "24/7", "frequency": "monthly", "start": "2024-01-01"}
    (tmp_path / "rule.json").write_text(json.dumps(fields))
    run("category", "define-rule", "ruled", tmp_path / "rule.json")
    run("category", "guard", "ruled", "--approver", "local")
    (tmp_path / "rule.json").write_text(json.dumps(fields | {"lag": 2}))
    assert "request 2" in refusal("category", "change-rule", "ruled", tmp_path / "rule.json")
    [waiting] = answer("category", "requests", "ruled")
    assert (waiting["expression"], waiting["rule"]["lag"]) == (None, 2)
    assert "rule: lag 1 → 2" in run("category", "request", 2).stdout
    assert f"rule {msc.UniverseRule(**fields, lag=2).hash[:16]}" in run("category", "requests", "ruled").stdout


def test_warnings_are_one_line_on_standard_error(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("mainsequence.client.universe_plans._SAID", set())
    run("category", "create", "other")
    deprecated = answer("category", "deprecate", "basket", "--successor", "other", "--reason", "renamed")
    assert deprecated["deprecated"]["successor"] == "other"
    said = run("category", "members", "basket").stderr
    assert said == "Warning: The asset category 'basket' is deprecated. Read 'other' instead. Reason: renamed.\n"
    run("category", "undeprecate", "basket")
    run("category", "rename", "basket", "basket_2")
    assert "'basket' is called 'basket_2' now" in run("category", "show", "basket").stderr
    assert answer("category", "show", "basket")["unique_identifier"] == "basket_2"
