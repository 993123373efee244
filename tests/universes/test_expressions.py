"""Universes made from others: how expressions are read, what is refused, and that depth costs next to nothing."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event

import mainsequence.client as msc
from mainsequence.client.connection import carrier as current_carrier
from mainsequence.domain.expressions import Operand, Operator, canonical, parse_expression
from mainsequence.errors import (
    CyclicUniverseError,
    DerivedUniverseError,
    InvalidExpressionError,
    UnknownRevisionError,
    ValidationError,
)

BOTH, EITHER, WITHOUT, ONE = "&|-^"


@pytest.fixture
def assets() -> list[msc.Asset]:
    return msc.Asset.batch_get_or_register_custom_assets([{"unique_identifier": name} for name in "abcdef"])


@pytest.fixture
def universes(assets: list[msc.Asset]) -> dict[str, msc.AssetCategory]:
    held = {"sp500": assets[:4], "nasdaq100": assets[2:], "restricted": assets[3:4]}
    return {name: msc.AssetCategory.create(unique_identifier=name, assets=each) for name, each in held.items()}


def names(found: list[msc.Asset]) -> str:
    return "".join(asset.unique_identifier for asset in found)


# -- how expressions are read


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("a", "a"),
        ("a & b | c", "ab&c|"),
        ("a | b & c", "abc&|"),
        ("a - b - c", "ab-c-"),
        ("a - (b - c)", "abc--"),
        ("a ^ b & c", "abc&^"),
        ("a | b ^ c", "abc^|"),
        ("a & b - c", "abc-&"),
        ("((a))", "a"),
    ],
)
def test_operators_bind_as_in_python(text: str, steps: str):
    parsed = parse_expression(text).steps
    assert [step.name if isinstance(step, Operand) else str(step) for step in parsed] == list(steps)
    sets = {"a": {1, 2, 3, 4}, "b": {2, 3, 5}, "c": {3, 4, 5, 6}}
    stack: list[set[int]] = []
    for step in parsed:
        if isinstance(step, Operator):
            right, left = stack.pop(), stack.pop()
            stack.append({"&": left & right, "|": left | right, "-": left - right, "^": left ^ right}[step])
        else:
            stack.append(sets[step.name])
    assert stack == [eval(text, {}, sets)]


@pytest.mark.parametrize(
    ("text", "written"),
    [
        (" a&b ", "a & b"),
        ("((a & b)) - c", "(a & b) - c"),
        ("a | (b | c)", "a | (b | c)"),
        ("(a | b) | c", "a | b | c"),
        ("a-(b)", "a - b"),
        ("'a'", "a"),
        ('"my-universe"', "'my-universe'"),
        ('\'it\'\'s\' | "say ""x"""', "'it''s' | 'say \"x\"'"),
        ("a@12-b", "a@12 - b"),
        ("a@2024-06-28-b", "a@2024-06-28 - b"),
        ("a@2024-06-28T20:00:00+02:00-b", "a@2024-06-28T20:00:00+02:00 - b"),
        ("übersee_ü|日本", "übersee_ü | 日本"),
    ],
)
def test_an_expression_is_written_in_one_way(text: str, written: str):
    assert canonical(text) == written
    assert canonical(written) == written


@pytest.mark.parametrize(
    ("text", "position", "expected"),
    [
        ("", 0, "a universe or '('"),
        ("a &", 3, "a universe or '('"),
        ("a b", 2, "&, |, -, ^ or the end"),
        ("(a b)", 3, "&, |, -, ^ or ')'"),
        ("(a & ) - b", 5, "a universe or '('"),
        ("a)", 1, "an operator or the end"),
        ("(a", 0, "')'"),
        ("a & 'b", 4, "another '"),
        ("& a", 0, "a universe or '('"),
        ("a & & b", 4, "a universe or '('"),
        ("a@", 2, "a revision or a date"),
        ("@3", 0, "a universe before it"),
        ("a (b)", 2, "&, |, -, ^ or the end"),
    ],
)
def test_a_mistake_is_pointed_at(text: str, position: int, expected: str):
    with pytest.raises(InvalidExpressionError) as caught:
        parse_expression(text)
    assert caught.value.context == {"position": position, "expected": expected}
    assert str(caught.value).splitlines()[-1] == " " * (4 + position) + "^"
    assert f"position {position}" in str(caught.value)


def test_the_place_of_a_mistake_crosses_every_carrier():
    with pytest.raises(InvalidExpressionError, match=r"position 4"):
        msc.AssetCategory.from_expression("u", "a & ")


@pytest.mark.parametrize("depth", [10, 4_000])
def test_parentheses_may_be_deep(depth: int):
    assert canonical("(" * depth + "a" + ")" * depth) == "a"
    assert len(parse_expression("a-(" * (depth // 2) + "a" + ")" * (depth // 2)).steps) == depth + 1


def test_what_is_too_long_is_refused():
    with pytest.raises(InvalidExpressionError, match="10,000"):
        parse_expression("a|" * 5_000 + "a")


# -- what they hold


def test_membership_follows_the_operands(assets: list[msc.Asset], universes: dict[str, msc.AssetCategory]):
    core = msc.AssetCategory.from_expression("us_core", "(sp500 & nasdaq100) - restricted", description="The core.")
    assert (core.kind, core.expression) == ("expression", "(sp500 & nasdaq100) - restricted")
    assert names(core.get_assets()) == "c"
    universes["restricted"].update_assets([])
    assert names(core.get_assets()) == "cd"
    universes["sp500"].append_assets([assets[4]], effective_from="2024-01-01", effective_to="2024-02-01")
    assert names(core.get_assets("2024-01-15")) == "cde"
    assert core.members("2024-01-01", "2024-02-01")["unique_identifier"].tolist() == ["c", "d", "e"]
    assert core.members("2024-02-01", "2024-03-01")["unique_identifier"].tolist() == ["c", "d"]
    assert core.weights("2024-01-15") == {"c": None, "d": None, "e": None}
    assert core.to_frame("2024-01-15").index.tolist() == ["c", "d", "e"]
    entered = core.diff("2023-12-31", "2024-01-15").entered
    assert names(entered) == "e"


def test_intervals_of_different_weights_and_revisions_are_one(assets: list[msc.Asset]):
    weighted = msc.AssetCategory.create(unique_identifier="weighted", dated=False)
    for start, end, weight in (("2024-01-01", "2024-02-01", 0.1), ("2024-02-01", "2024-03-01", 0.2)):
        weighted.append_assets(assets[:1], weights=[weight], effective_from=start, effective_to=end)
    assert len(weighted.members()) == 2
    derived = msc.AssetCategory.from_expression("derived", "weighted | weighted")
    assert derived.members()[["valid_from", "valid_to"]].astype(str).to_numpy().tolist() == [
        ["2024-01-01 00:00:00+00:00", "2024-03-01 00:00:00+00:00"]
    ]


def test_what_was_known_is_read_by_the_definition_of_then(
    assets: list[msc.Asset], universes: dict[str, msc.AssetCategory]
):
    core = msc.AssetCategory.from_expression("core", "sp500 - restricted")
    first = core.history()[-1].recorded_at
    universes["sp500"].update_assets(assets[:1])
    second = universes["sp500"].history()[-1].recorded_at
    core.redefine("nasdaq100", reason="a change of mind")
    assert [names(core.get_assets(known_at=each)) for each in (first, second, None)] == ["abc", "a", "cdef"]
    assert [each.operation for each in core.history()] == ["define", "redefine"]
    assert core.history()[-1].reason == "a change of mind: nasdaq100"
    assert core.definition(known_at=first).expression == "sp500 - restricted"
    with pytest.raises(UnknownRevisionError):
        core.get_assets(known_at=first - timedelta(seconds=1))
    assert core.redefine(" nasdaq100 ").revision == 2


def test_operands_may_be_pinned(assets: list[msc.Asset], universes: dict[str, msc.AssetCategory]):
    at = universes["sp500"].history()[-1].recorded_at
    core = msc.AssetCategory.from_expression("core", "sp500 - restricted")
    later = core.history()[-1].recorded_at
    universes["sp500"].update_assets(assets[:2])
    expression = f"sp500@1 - sp500@{at.isoformat()} | core@{later.isoformat()} - sp500"
    assert names(msc.UniverseExpression(expression).get_assets()) == "c"
    with pytest.raises(DerivedUniverseError, match="made from others"):
        msc.UniverseExpression("core@1").get_assets()
    with pytest.raises(UnknownRevisionError, match="no revision 9"):
        msc.UniverseExpression("sp500@9").get_assets()
    with pytest.raises(ValidationError, match="not passed"):
        msc.UniverseExpression(f"sp500@{(datetime.now(UTC) + timedelta(days=1)).isoformat()}").get_assets()
    with pytest.raises(ValidationError):
        msc.UniverseExpression("sp500@yesterday").get_assets()


def test_a_universe_may_be_made_from_its_own_past(universes: dict[str, msc.AssetCategory]):
    core = msc.AssetCategory.from_expression("core", "sp500")
    at = core.history()[-1].recorded_at
    core.redefine(f"core@{at.isoformat()} & nasdaq100")
    assert names(core.get_assets()) == "cd"
    assert core.verify().ok


def test_a_revision_says_nothing_of_members(universes: dict[str, msc.AssetCategory]):
    core = msc.AssetCategory.from_expression("core", "sp500")
    for read in (core.get_assets, core.asset_ids, core.weights):
        with pytest.raises(DerivedUniverseError, match="core@2024-06-28"):
            read(revision=1)
    held = msc.AssetCategory.get(unique_identifier=f"core@{core.stamp().known_at.isoformat()}")
    universes["sp500"].update_assets([])
    assert (names(held.get_assets()), names(core.get_assets())) == ("abcd", "")


def test_the_stamp_moves_when_anything_read_changes(universes: dict[str, msc.AssetCategory]):
    inner = msc.AssetCategory.from_expression("inner", "sp500 - restricted")
    core = msc.AssetCategory.from_expression("core", "inner | nasdaq100@1")
    stamps = [core.stamp()]
    universes["restricted"].update_assets([])
    stamps.append(core.stamp())
    inner.redefine("sp500")
    stamps.append(core.stamp())
    universes["restricted"].update_assets([])
    assert core.stamp() == stamps[-1]
    assert stamps[0].known_at < stamps[1].known_at < stamps[2].known_at
    assert stamps[1].sources == {"sp500": 1, "restricted": 2, "nasdaq100": 1}


def test_coverage_follows_the_members(universes: dict[str, msc.AssetCategory]):
    msc.AssetCategory.from_expression("core", "sp500 - restricted")
    table = msc.AssetTranslationTable.get_or_create("table", rules=[])
    assert len(table.coverage("core", check_series=False)) == 3


# -- what is refused


def test_members_follow_from_the_operands_alone(assets: list[msc.Asset], universes: dict[str, msc.AssetCategory]):
    core = msc.AssetCategory.from_expression("core", "sp500")
    for change in (core.append_assets, core.remove_assets, core.update_assets):
        with pytest.raises(DerivedUniverseError, match=r"redefine\(…\)"):
            change(assets[:1])
    with pytest.raises(DerivedUniverseError):
        core.patch(assets=[assets[0].id])
    assert core.patch(display_name="Core").display_name == "Core"
    assert (core.revision, names(core.get_assets())) == (1, "abcd")


def test_a_circle_is_refused_also_through_others(universes: dict[str, msc.AssetCategory]):
    first = msc.AssetCategory.from_expression("first", "sp500")
    second = msc.AssetCategory.from_expression("second", "first - restricted")
    third = msc.AssetCategory.from_expression("third", "second | second")
    for universe, expression in ((first, "third & sp500"), (second, "second"), (first, "first"), (second, "third")):
        with pytest.raises(CyclicUniverseError):
            universe.redefine(expression)
    second.redefine("sp500")
    assert first.redefine("third").revision == 2
    assert names(first.get_assets()) == names(third.get_assets()) == "abcd"


def test_an_operand_is_not_deleted_while_anything_needs_it(universes: dict[str, msc.AssetCategory]):
    core = msc.AssetCategory.from_expression("core", "sp500 - restricted")
    assert [(each.kind, each.identifier) for each in universes["sp500"].references()] == [("category", "core")]
    with pytest.raises(msc.InUseError, match="category core"):
        universes["sp500"].delete()
    core.redefine("sp500")
    assert universes["restricted"].references() == []
    with pytest.raises(msc.InUseError, match="past of core"):
        universes["restricted"].delete()
    core.delete()
    for universe in universes.values():
        universe.delete()


def test_an_unknown_operand_is_pointed_at_with_near_names(universes: dict[str, msc.AssetCategory]):
    with pytest.raises(msc.NotFoundError, match="sp500") as caught:
        msc.AssetCategory.from_expression("core", "nasdaq100 & sp5000")
    assert caught.value.context == {"position": 12, "nearest": ["sp500"]}
    assert msc.AssetCategory.get_or_none(unique_identifier="core") is None


def test_the_same_definition_is_returned_and_another_one_refused(universes: dict[str, msc.AssetCategory]):
    core = msc.AssetCategory.from_expression("core", "sp500|nasdaq100")
    assert msc.AssetCategory.from_expression("core", "sp500 | nasdaq100") == core
    for name, expression in (("core", "sp500"), ("sp500", "nasdaq100")):
        with pytest.raises(msc.AlreadyExistsError):
            msc.AssetCategory.from_expression(name, expression)
    with pytest.raises(msc.StaleRevisionError):
        core.redefine("sp500", if_revision=7)
    with pytest.raises(DerivedUniverseError):
        universes["sp500"].redefine("nasdaq100")


def test_a_renamed_operand_is_found(universes: dict[str, msc.AssetCategory]):
    core = msc.AssetCategory.from_expression("core", "sp500")
    universes["sp500"].rename("sp_500")
    assert names(core.get_assets()) == "abcd"
    assert core.verify().ok


def test_why_names_the_operands(assets: list[msc.Asset], universes: dict[str, msc.AssetCategory]):
    core = msc.AssetCategory.from_expression("core", "sp500 - restricted")
    found = core.why(assets[3])
    assert (found.member, found.verdict) == (False, "not in, as sp500 - restricted says: in sp500, in restricted")
    assert core.why(assets[0]).member


# -- what depth costs


@contextmanager
def statements() -> Iterator[list[str]]:
    """Count what is asked of the database of this process."""
    engine: Any = current_carrier().engine  # type: ignore[attr-defined]
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        asked.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(engine, "before_cursor_execute", note)


@pytest.mark.embedded
def test_a_hundred_levels_that_share_what_they_read_cost_a_few_statements(universes: dict[str, msc.AssetCategory]):
    below = "sp500"
    for level in range(100):
        # Each level reads the one below twice: without sharing, that would be 2 to the 100 reads.
        expression = f"(level{level - 1} & sp500) | (level{level - 1} - restricted)" if level else below
        top = msc.AssetCategory.from_expression(f"level{level}", expression)
    with statements() as shallow:
        universes["sp500"].get_assets()
    with statements() as deep:
        began = time.perf_counter()
        found = top.get_assets()
        taken = time.perf_counter() - began
    assert names(found) == "abcd"
    assert len([each for each in deep if "SELECT" in each]) <= len([each for each in shallow if "SELECT" in each]) + 3
    assert taken < 2
    assert top.get_assets(known_at=top.stamp().known_at) == found
    assert top.mask([datetime(2024, 1, 1, tzinfo=UTC)]).shape == (1, 4)
