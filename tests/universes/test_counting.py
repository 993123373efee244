"""Reading a part: how many members many universes have, and the weights of some members, on every carrier."""

import pytest

import mainsequence.client as msc
from mainsequence.client.connection import carrier
from mainsequence.contract import categories as contract


@pytest.fixture
def assets() -> list[msc.Asset]:
    wanted = [{"unique_identifier": name} for name in "edcba"]  # the order of the ids is not that of the names
    return msc.Asset.batch_get_or_register_custom_assets(wanted)


def counted(*universes: msc.AssetCategory) -> list[tuple[int, int]]:
    chosen = contract.CategorySelection(category_ids=[*(each.id for each in universes), 999])
    return [(each.id, each.members) for each in carrier().call(contract.MEMBER_COUNTS, chosen)]


def test_members_of_universes_of_every_kind_are_counted_as_of_now(assets: list[msc.Asset]):
    core = msc.AssetCategory.create(unique_identifier="core", assets=assets)
    core.remove_assets(assets[:1])
    core.append_assets(assets[:1], effective_to="2020-01-01")
    core.append_assets(assets[:1], effective_from="2100-01-01")
    none = msc.AssetCategory.create(unique_identifier="none")
    daily = msc.AssetCategory.create(unique_identifier="daily", dated=True)
    daily.append_assets(assets[:2])
    made = msc.AssetCategory.from_expression("made", "core | daily")
    rule = msc.UniverseRule(base="core", calendar="24/7", frequency="monthly", start="2024-01-01")
    ruled = msc.AssetCategory.from_rule("ruled", rule)
    ruled.refresh_rule("2024-01-10")
    everything = (core, none, daily, made, ruled)
    assert [number for _, number in counted(*everything)] == [4, 0, 2, 5, 4]
    assert [key for key, _ in counted(made, core)] == [core.id, made.id]


@pytest.mark.parametrize("kind", ["members", "made"])
def test_weights_are_read_part_by_part_in_the_order_of_ids(assets: list[msc.Asset], kind: str):
    universe = msc.AssetCategory.create(unique_identifier="members")
    universe.append_assets(assets, weights=[1, 2, 3, 4, 5])
    if kind == "made":
        universe = msc.AssetCategory.from_expression("made", "members")

    def part(**which: int) -> list[tuple[str, float | None]]:
        found = carrier().call(contract.WEIGHTS, contract.MembersOf(**which), key=universe.id)
        return [(name, weight) for name, weight in found.items()]

    weights = [1.0, 2.0, 3.0, 4.0, 5.0] if kind == "members" else [None] * 5
    expected = list(zip("edcba", weights, strict=True))
    assert part(limit=2) == expected[:2]
    assert part(after=assets[1].id, limit=2) == expected[2:4]
    assert part(after=assets[3].id) == expected[4:]
    assert part() == sorted(expected)
