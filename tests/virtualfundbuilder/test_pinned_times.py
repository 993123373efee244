"""Portfolios of universes that are pinned to a time: what was known then, and nothing that was recorded later."""

import json
from datetime import UTC, datetime

import pytest

import mainsequence.client as msc
from mainsequence.errors import UnknownRevisionError
from mainsequence.virtualfundbuilder import rebuild
from tests.virtualfundbuilder.market import UNIVERSE, held, market, play, portfolio

FLAT = {"A": [100.0] * 4, "B": [50.0] * 4, "C": [10.0] * 4}


def test_a_pinned_time_ignores_what_was_recorded_later():
    universe = market(FLAT)
    known = datetime.now(UTC).isoformat()
    universe.update_assets([msc.Asset.get(unique_identifier="A")])
    node = play(universe=f"{UNIVERSE}@{known}")
    assert held(node).columns.tolist() == ["A", "B", "C"]
    assert held(play()).columns.tolist() == ["A"]
    manifest = node.manifest
    assert manifest is not None
    assert [each.universe for each in manifest.segments] == [f"{UNIVERSE}@1"], "stored with the revision that it means"
    universe.update_assets([msc.Asset.get(unique_identifier="B")])
    assert len(rebuild(json.loads(manifest.model_dump_json())).values) == 4
    assert f"node {node.identifier}" in [f"{each.kind} {each.identifier}" for each in universe.references()]


def test_a_time_before_the_universe_was_made_is_refused():
    market(FLAT)
    with pytest.raises(UnknownRevisionError, match="as_of=2001-01-01"):
        portfolio(universe=f"{UNIVERSE}@2001-01-01").run(show_progress=False)


def test_a_universe_made_from_others_is_held_as_known_when_the_run_began():
    universe = market(FLAT)
    msc.AssetCategory.from_expression("derived", UNIVERSE)
    node = play(universe="derived")
    assert held(node).columns.tolist() == ["A", "B", "C"]
    manifest = node.manifest
    assert manifest is not None
    segment = str(manifest.segments[0].universe)
    assert segment.startswith("derived@20")
    universe.update_assets([msc.Asset.get(unique_identifier="A")])
    again = rebuild(json.loads(manifest.model_dump_json()))
    assert sorted(set(again.weights.index.get_level_values("unique_identifier"))) == ["A", "B", "C"]
