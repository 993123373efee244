"""Manifests: any past result is rebuilt to the same bytes, whatever changed since."""

import json
from typing import Any

import pandas as pd
import pytest

import mainsequence.client as msc
from mainsequence.errors import NotFoundError, ValidationError
from mainsequence.virtualfundbuilder import FixedWeights, ImmediateSignal, PortfolioStrategy, rebuild
from tests.virtualfundbuilder.market import SESSIONS, UNIVERSE, market, play, store

PRICES = {
    "A": [100, 110, 99, 100, 103, 101, 99, 105],
    "B": [50, 50, 55, 44, 46, 47, 45, 44],
    "C": [7, 8, 9, 8, 7, 6, 7, 8],
}


def first(count: int, start: int = 0) -> tuple[dict[str, list[float]], list[str]]:
    return {name: column[start:count] for name, column in PRICES.items()}, SESSIONS[start:count]


def is_rebuilt(node: PortfolioStrategy, manifest: Any, rows: int) -> bool:
    """Whether a rebuild gives the bytes of the first stored rows."""
    rebuilt = rebuild(json.loads(json.dumps(manifest)))
    assert node.series is not None
    assert node.weights_series is not None
    values = node.series.read_arrow().combine_chunks().slice(0, rows)
    last = rebuilt.values.index[-1].to_pydatetime()
    weights = node.weights_series.read_arrow(end=last, end_inclusive=True).combine_chunks()
    assert len(rebuilt.values) == rows
    return bool(
        rebuilt.values_table.select(values.column_names).cast(values.schema).equals(values)
        and rebuilt.weights_table.select(weights.column_names).cast(weights.schema).equals(weights)
    )


def dumped(node: PortfolioStrategy) -> dict[str, Any]:
    assert node.manifest is not None
    return node.manifest.model_dump(mode="json")


def test_edits_corrections_and_new_prices_do_not_reach_what_is_rebuilt():
    universe = market(*first(5))
    node = play(fee=0.001, rebalance="weekly")
    manifest = dumped(node)
    universe.update_assets([msc.Asset.get(unique_identifier="A")])
    raw = msc.Series.get(unique_identifier="raw bars")
    raw.upsert(
        pd.DataFrame({"time_index": [pd.Timestamp(SESSIONS[4], tz="UTC")], "unique_identifier": ["A"], "close": [1.0]})
    )
    store(*first(8, 5))
    node.prices.run(show_progress=False, force_update=True)
    assert is_rebuilt(node, manifest, 5)


def test_a_history_made_of_several_universes_is_rebuilt():
    universe = market(*first(3))
    play(fee=0.001)
    universe.remove_assets([msc.Asset.get(unique_identifier="B")])
    store(*first(6, 3))
    play(fee=0.001)
    universe.append_assets([msc.Asset.get(unique_identifier="B")])
    store(*first(8, 6))
    node = play(fee=0.001)
    manifest = dumped(node)
    assert [each["universe"] for each in manifest["segments"]] == [f"{UNIVERSE}@{number}" for number in (1, 2, 3)]
    assert is_rebuilt(node, manifest, 8)


def test_prices_that_were_corrected_between_runs_are_rebuilt_as_they_were_used():
    market(*first(4))
    play()
    raw = msc.Series.get(unique_identifier="raw bars")
    raw.upsert(
        pd.DataFrame({"time_index": [pd.Timestamp(SESSIONS[2], tz="UTC")], "unique_identifier": ["A"], "close": [90.0]})
    )
    store(*first(6, 4))
    node = play()
    manifest = dumped(node)
    assert len(manifest["segments"]) == 2
    assert is_rebuilt(node, manifest, 6)


def test_stored_signals_are_read_at_their_version():
    market(*first(6))
    weights = [{"unique_identifier": "A", "weight": 0.7}, {"unique_identifier": "C", "weight": 0.1}]
    node = play(FixedWeights(asset_unique_identifier_weights=weights), rebalance=ImmediateSignal(tolerance=0.02))
    manifest = dumped(node)
    signal = msc.Series.get(unique_identifier=manifest["signal_series"])
    signal.upsert(signal.read().assign(signal_weight=0.0))
    assert is_rebuilt(node, manifest, 6)


def test_the_published_manifest_rebuilds_the_portfolio():
    market(*first(4))
    node = play(universe=None, signal="EqualWeights", signal_configuration={"asset_unique_identifiers": ["A", "B"]})
    published = node.publish()
    assert set(published.manifest) >= {"package", "configuration", "rules_hash", "sources", "segments"}
    assert published.manifest["sources"] == {"raw bars": 1}
    assert is_rebuilt(node, published.manifest, 4)


def test_rebuilding_stores_nothing():
    market(*first(4))
    node = play()
    before = {each.unique_identifier: each.statistics().version for each in msc.Series.filter()}
    rebuild(dumped(node))
    assert {each.unique_identifier: each.statistics().version for each in msc.Series.filter()} == before


@pytest.mark.parametrize("manifest", [{}, {"segments": []}, {"package": 1}])
def test_what_is_no_manifest_is_refused(manifest: dict[str, Any]):
    with pytest.raises(ValidationError):
        rebuild(manifest)


def test_a_manifest_whose_prices_are_gone_says_so():
    market(*first(3))
    node = play()
    manifest = dumped(node)
    node.prices.delete()
    with pytest.raises(NotFoundError, match=node.prices.identifier):
        rebuild(manifest)
