"""Operators on universes: what `&`, `|`, `-` and `^` give, how it looks, and that it is stored."""

import copy
import pickle
from pathlib import Path

import pytest

import mainsequence.client as msc


@pytest.fixture
def universes() -> tuple[msc.AssetCategory, msc.AssetCategory, msc.AssetCategory]:
    assets = msc.Asset.batch_get_or_register_custom_assets([{"unique_identifier": name} for name in "abcd"])
    held = {"one": assets[:3], "two-three": assets[1:], "four": assets[:1]}
    one, two, four = (msc.AssetCategory.create(unique_identifier=name, assets=each) for name, each in held.items())
    return one, two, four


def names(found: list[msc.Asset]) -> str:
    return "".join(asset.unique_identifier for asset in found)


def test_operators_combine_universes(universes: tuple[msc.AssetCategory, ...]):
    one, two, four = universes
    expected = {one & two: "bc", one | two: "abcd", one - two: "a", one ^ two: "ad", (one | two) - four: "bcd"}
    assert {each: names(each.get_assets()) for each in expected} == expected
    assert (one & two).asset_ids() == [asset.id for asset in (one & two).get_assets()]


def test_an_expression_looks_like_what_it_says(universes: tuple[msc.AssetCategory, ...]):
    one, two, four = universes
    made = one & (two | four)
    assert str(made) == made.text == "one & ('two-three' | four)"
    assert repr(made) == "UniverseExpression(\"one & ('two-three' | four)\")"
    assert made._repr_html_() == "<code>one &amp; (&#x27;two-three&#x27; | four)</code>"
    assert repr(one - two - four) == "UniverseExpression(\"one - 'two-three' - four\")"


def test_text_stands_for_a_universe_beside_an_operator(universes: tuple[msc.AssetCategory, ...]):
    one, _, four = universes
    assert str(one - "four") == str(one - four) == "one - four"
    assert str("four" | one) == "four | one"
    assert str(msc.UniverseExpression("one | four") & one) == "(one | four) & one"
    with pytest.raises(TypeError):
        one & 7  # type: ignore[operator]


def test_reads_are_those_of_universes(universes: tuple[msc.AssetCategory, ...]):
    one, two, _ = universes
    at = one.history()[-1].recorded_at
    one.remove_assets([one.get_assets()[1]], effective_from="2024-06-01", effective_to="2024-07-01")
    made = one & two
    assert [names(made.get_assets(day)) for day in ("2024-05-31", "2024-06-01", "2024-07-01")] == ["bc", "c", "bc"]
    assert len(made.members()) == 3
    assert len(made.members("2024-06-01", "2024-07-01")) == 1
    assert made.mask(["2024-05-31", "2024-06-01"]).to_numpy().tolist() == [[True, True], [False, True]]
    with pytest.raises(msc.NotFoundError):
        made.get_assets(known_at=at)


def test_what_was_known_is_read(universes: tuple[msc.AssetCategory, ...]):
    one, two, four = universes
    at = four.history()[-1].recorded_at
    one.update_assets([])
    assert names((one & two).get_assets(known_at=at)) == "bc"
    assert (one & two).get_assets() == []


def test_an_expression_is_saved_as_a_universe(universes: tuple[msc.AssetCategory, ...]):
    one, two, _ = universes
    saved = (one & two).save("both", display_name="In both", reason="asked for")
    again = msc.AssetCategory.from_expression("both", one & two)
    assert (saved, type(saved), saved.expression) == (again, msc.AssetCategory, "one & 'two-three'")
    assert names((saved - one).get_assets()) == ""
    assert saved.redefine(one | two).expression == "one | 'two-three'"
    assert msc.AssetCategory.from_expression("copy", one).expression == "one"


def test_pinned_universes_stay_pinned_in_an_expression(universes: tuple[msc.AssetCategory, ...]):
    one, two, _ = universes
    pinned = msc.AssetCategory.get(unique_identifier="one@1")
    one.update_assets([])
    assert str(pinned & two) == "one@1 & 'two-three'"
    assert names((pinned & two).get_assets()) == "bc"


def test_expressions_are_values(universes: tuple[msc.AssetCategory, ...]):
    one, two, _ = universes
    made = one & two
    assert copy.deepcopy(made) == pickle.loads(pickle.dumps(made)) == made
    assert hash(made) == hash(one & two)
    assert made != (two & one)
    assert names(pickle.loads(pickle.dumps(made)).get_assets()) == "bc"


@pytest.mark.embedded
def test_universes_of_two_platforms_are_not_combined(universes: tuple[msc.AssetCategory, ...], tmp_path: Path):
    with msc.session(str(tmp_path / "other")):
        elsewhere = msc.AssetCategory.create(unique_identifier="one")
    with pytest.raises(msc.ValidationError, match="different platforms"):
        universes[0] & elsewhere
