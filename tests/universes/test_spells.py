"""Members of a time are found whatever the length of their spells: at the borders of every class of lengths."""

from datetime import UTC, datetime, timedelta

import pytest

import mainsequence.client as msc

MICROSECOND = timedelta(microseconds=1)
BEGIN = datetime(2000, 1, 1, tzinfo=UTC)
LENGTHS = [
    MICROSECOND,
    *(timedelta(days=4**power) + step for power in range(7) for step in (-MICROSECOND, timedelta(), MICROSECOND)),
    timedelta(days=20_000),
]


@pytest.mark.parametrize("lead", [timedelta(), timedelta(days=3)])
def test_spells_of_every_length_are_found_from_their_first_moment_to_their_last(lead: timedelta):
    names = [{"unique_identifier": f"asset-{number}"} for number in range(len(LENGTHS))]
    assets = msc.Asset.batch_get_or_register_custom_assets(names)
    universe = msc.AssetCategory.create(unique_identifier="u")
    for asset, length in zip(assets, LENGTHS, strict=True):
        universe.append_assets([asset], effective_from=BEGIN + lead, effective_to=BEGIN + lead + length)
    twice = universe | universe
    moments = {BEGIN + lead - MICROSECOND, BEGIN + lead}
    moments |= {BEGIN + lead + length - MICROSECOND for length in LENGTHS[::3]} | {BEGIN + lead + LENGTHS[-1]}
    for moment in sorted(moments):
        inside = timedelta() <= moment - BEGIN - lead
        expected = [
            asset.id for asset, length in zip(assets, LENGTHS, strict=True) if inside and moment < BEGIN + lead + length
        ]
        assert universe.asset_ids(moment) == sorted(expected), moment
        assert [asset.id for asset in universe.get_assets(moment)] == sorted(expected)
        assert twice.asset_ids(moment) == sorted(expected)
