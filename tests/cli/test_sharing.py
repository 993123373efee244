"""``mainsequence team`` and ``mainsequence sharing``: what was asked is what is said."""

from typing import Any

import pytest

import mainsequence.client as msc
from tests.cli.runner import answer, refusal, run

NOUNS = {"category": msc.AssetCategory, "routing": msc.AssetTranslationTable, "portfolio": msc.Portfolio}


@pytest.fixture
def people() -> None:
    for name in ("ada", "bo"):
        run("user", "create", name, "--role", "reader")
    run("team", "create", "quants", "ada")


@pytest.mark.usefixtures("people")
def test_teams_are_made_filled_and_deleted() -> None:
    assert answer("team", "add", "quants", "bo", "ada")["members"] == ["ada", "bo"]
    assert answer("team", "remove", "quants", "ada")["members"] == ["bo"]
    assert [each["name"] for each in answer("team", "list")] == ["quants"]
    assert answer("team", "list", "--where", "name__contains=desk") == []
    assert "'nobody'" in refusal("team", "add", "quants", "nobody")
    assert "exists already" in refusal("team", "create", "quants")
    assert "deleted" in run("team", "delete", "quants", "--yes").stderr
    assert "no teams" in run("team", "list").stdout


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize(("noun", "kind"), NOUNS.items(), ids=NOUNS)
def test_what_is_shared_says_with_whom(noun: str, kind: Any) -> None:
    kind.get_or_create(unique_identifier="x")
    assert answer("sharing", "show", noun, "x") == {"owner": "local", "visibility": "organization", "grants": []}
    assert answer("sharing", "visibility", noun, "x", "private")["visibility"] == "private"
    run("sharing", "grant", noun, "x", "--user", "bo")
    (grant,) = answer("sharing", "grant", noun, "x", "--user", "bo", "--rights", "edit")["grants"]
    assert (grant["user"], grant["team"], grant["rights"], grant["granted_by"]) == ("bo", None, "edit", "local")
    printed = run("sharing", "grant", noun, "x", "--team", "quants").stdout
    assert [line.split() for line in printed.splitlines()[-2:]] == [["team", "quants", "view"], ["user", "bo", "edit"]]
    assert [each["team"] for each in answer("sharing", "revoke", noun, "x", "--user", "bo")["grants"]] == ["quants"]


def test_a_grant_for_nobody_is_refused() -> None:
    run("category", "create", "x")
    assert "user=… or team=…" in refusal("sharing", "grant", "category", "x", code=2)
    assert "'nobody'" in refusal("sharing", "grant", "category", "x", "--user", "nobody")
    assert "No AssetCategory" in refusal("sharing", "show", "category", "y")
    run("sharing", "grant", "category", "x", "--user", "a", "--rights", "own", code=2)


def test_who_asks_is_told() -> None:
    assert answer("user", "whoami") == {"name": "local", "role": "admin", "organization": "local", "teams": []}
