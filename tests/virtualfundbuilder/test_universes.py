"""Category mode: members as they were at each date, at the revision pinned when the run began."""

from datetime import UTC, datetime

import pytest

import mainsequence.client as msc
from mainsequence.client.connection import carrier
from mainsequence.errors import (
    ConfigurationError,
    InUseError,
    NotFoundError,
    UnknownRevisionError,
    UnpricedWeightError,
    ValidationError,
)
from mainsequence.virtualfundbuilder import AUIDWeight, FixedWeights
from tests.carriers.servers import platform_behind
from tests.virtualfundbuilder.market import (
    SESSIONS,
    UNIVERSE,
    closes,
    held,
    market,
    play,
    portfolio,
    register,
    routes,
    same_bytes,
    store,
)

FLAT = {"A": [100.0] * 8, "B": [50.0] * 8, "C": [10.0] * 8}
HALF = FixedWeights(
    asset_unique_identifier_weights=[
        AUIDWeight(unique_identifier="A", weight=0.5),
        AUIDWeight(unique_identifier="B", weight=0.5),
    ]
)


def dated_market() -> msc.AssetCategory:
    """A throughout; B leaves on the fourth session's date and is back on the sixth's; C joins on the third's."""
    universe = market(FLAT)
    b, c = (msc.Asset.get(unique_identifier=name) for name in "BC")
    universe.remove_assets([b], effective_from=SESSIONS[3], effective_to=SESSIONS[5])
    universe.remove_assets([c], effective_to=SESSIONS[2])
    return universe


def test_members_are_those_of_each_date():
    dated_market()
    weights = held(play())
    assert weights["A"].tolist() == pytest.approx([1 / 2, 1 / 2, 1 / 3, 1 / 2, 1 / 2, 1 / 3, 1 / 3, 1 / 3])
    assert weights["B"].tolist() == pytest.approx([1 / 2, 1 / 2, 1 / 3, 0, 0, 1 / 3, 1 / 3, 1 / 3])
    assert weights["C"].tolist() == pytest.approx([0, 0, 1 / 3, 1 / 2, 1 / 2, 1 / 3, 1 / 3, 1 / 3])


def test_on_signal_trades_exactly_when_the_universe_changes():
    dated_market()
    turnover = play(rebalance="on_signal").values()["turnover"]
    assert [bool(each) for each in turnover] == [True, False, True, True, False, True, False, False]


@pytest.mark.parametrize(
    ("policy", "weight_of_a", "cash"),
    [("cash", [0.5, 0.5, 0.5, 0.5], [0, 0, 0, 0.5]), ("renormalize", [0.5, 0.5, 0.5, 1.0], [0, 0, 0, 0])],
)
def test_weight_of_those_who_left_goes_where_the_configuration_says(
    policy: str, weight_of_a: list[float], cash: list[float]
):
    dated_market()
    node = play(HALF, masked_weight=policy)
    assert held(node)["A"].tolist()[:4] == pytest.approx(weight_of_a)
    assert list(node.values()["cash"])[:4] == pytest.approx(cash)
    assert held(node)["B"].tolist()[3:5] == [0.0, 0.0]


def test_weight_of_those_who_left_can_fail_the_run_by_name():
    dated_market()
    node = portfolio(HALF, masked_weight="error")
    with pytest.raises(UnpricedWeightError, match=r"2024-01-05.*B"):
        node.run(show_progress=False)
    assert node.series is None or node.values().empty


def test_a_member_for_whom_there_is_no_price_yet_waits_in_cash():
    market({"A": [100.0] * 8, "B": [None, None, None, 50, 50, 50, 50, 50]})
    node = play()
    assert list(node.values()["cash"]) == pytest.approx([0.5] * 3 + [0.0] * 5)
    assert node.report is not None
    flag = node.report.flag("unpriced_weight")
    assert flag is not None
    assert flag.facts["assets"] == {"B": 3}


def test_a_member_that_no_series_serves_is_named_and_leaves_the_others_alone():
    universe = market({"A": [100.0] * 3})
    universe.append_assets(register(["D"], snapshot={"name": "D"}))
    node = play()
    assert node.report is not None
    flag = node.report.flag("unserved_assets")
    assert flag is not None
    assert list(flag.facts["assets"]) == ["D"]
    assert list(node.values()["cash"]) == pytest.approx([0.5] * 3)


def test_a_pinned_universe_ignores_later_edits():
    universe = market(FLAT)
    pinned = f"{UNIVERSE}@{universe.revision}"
    universe.update_assets(assets=[msc.Asset.get(unique_identifier="A")])
    assert held(play(universe=pinned)).columns.tolist() == ["A", "B", "C"]
    assert held(play()).columns.tolist() == ["A"]


@pytest.mark.parametrize(
    ("name", "refused"), [("u@x", ValidationError), ("@3", ValidationError), ("u@1@2", ValidationError)]
)
def test_bad_pins_are_refused_when_written(name: str, refused: type[Exception]):
    with pytest.raises(refused):
        portfolio(universe=name)


def test_unknown_universes_and_revisions_are_named():
    market(FLAT)
    with pytest.raises(NotFoundError, match="universes"):
        portfolio(universe="universes").run(show_progress=False)
    with pytest.raises(UnknownRevisionError, match="no revision 9"):
        portfolio(universe=f"{UNIVERSE}@9").run(show_progress=False)


def test_the_universe_is_read_once(monkeypatch: pytest.MonkeyPatch):
    dated_market()
    reads: list[str] = []
    where = msc.connect()
    call = where.call

    def counting(operation: object, body: object, /, **path: object) -> object:
        reads.append(operation.name)  # type: ignore[attr-defined]
        return call(operation, body, **path)  # type: ignore[arg-type]

    monkeypatch.setattr(where, "call", counting)
    play()
    assert reads.count("categories.members") == 1


def test_without_a_category_the_signal_defines_the_universe():
    market(FLAT)
    node = play(HALF, universe=None)
    assert held(node).columns.tolist() == ["A", "B"]
    assert node.prices.config.asset_unique_identifiers == ("A", "B")
    assert node.universes() == []
    named = play("EqualWeights", signal_configuration={"asset_unique_identifiers": ["C", "A"]}, universe=None)
    assert held(named).columns.tolist() == ["A", "C"]


def test_with_neither_category_nor_asset_list_the_run_is_refused():
    market(FLAT)
    with pytest.raises(ConfigurationError, match="assets_category_unique_id is not set"):
        portfolio(universe=None).run(show_progress=False)


def test_category_and_signal_driven_agree_where_they_say_the_same():
    universe = market(FLAT)
    universe.update_assets(assets=[msc.Asset.get(unique_identifier=name) for name in "AB"])
    assert closes(play(HALF, fee=0.01)) == closes(play(HALF, fee=0.01, universe=None))


def test_a_universe_in_use_cannot_be_deleted_until_nothing_reads_it():
    universe = market(FLAT)
    node = portfolio()
    node.run(show_progress=False, add_portfolio_to_markets_backend=True)
    with pytest.raises(InUseError, match=f"{node.identifier}.*portfolio test_portfolio"):
        universe.delete()
    node.target_portfolio.delete()
    node.delete()
    node.prices.delete()
    universe.delete()
    assert msc.AssetCategory.filter() == []


# -- hindsight


def it_is(when: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the platform believe that it is this time."""
    monkeypatch.setattr(platform_behind(carrier()), "clock", lambda: int(when.timestamp() * 1e6))


def edited_market(monkeypatch: pytest.MonkeyPatch, *, dated: bool) -> msc.AssetCategory:
    """A universe of A and B since before the prices begin; C joins in their midst."""
    it_is(datetime(2023, 12, 1, tzinfo=UTC), monkeypatch)
    assets = register("ABC")
    store(FLAT)
    routes()
    universe = msc.AssetCategory.get_or_create(unique_identifier=UNIVERSE, assets=assets[:2], dated=dated)
    it_is(datetime(2024, 1, 5, 12, tzinfo=UTC), monkeypatch)
    return universe.append_assets(assets=assets[2:], reason="index review")


def test_a_timeless_universe_edited_inside_the_period_is_flagged(monkeypatch: pytest.MonkeyPatch):
    edited_market(monkeypatch, dated=False)
    node = play()
    assert held(node)["C"].tolist() == pytest.approx([1 / 3] * 8)
    assert node.report is not None
    flag = node.report.flag("hindsight_universe")
    assert flag is not None
    assert [(edit["revision"], edit["reason"]) for edit in flag.facts["edits"]] == [(2, "index review")]
    assert "effective_from" in str(flag)
    assert f"{UNIVERSE}@1" in str(flag)
    assert node.manifest is not None
    assert [each.code for each in node.manifest.flags] == ["hindsight_universe"]


def test_edits_of_what_a_universe_is_made_from_are_flagged(monkeypatch: pytest.MonkeyPatch):
    edited_market(monkeypatch, dated=False)
    msc.AssetCategory.from_expression("derived", f"{UNIVERSE} & {UNIVERSE}")
    node = play(universe="derived")
    assert node.report is not None
    flag = node.report.flag("hindsight_universe")
    assert flag is not None
    assert [(edit["revision"], edit["reason"]) for edit in flag.facts["edits"]] == [(2, "index review")]
    assert "derived@2024-01-05T" in str(flag)


def test_a_pin_before_the_edit_is_not_flagged(monkeypatch: pytest.MonkeyPatch):
    edited_market(monkeypatch, dated=False)
    node = play(universe=f"{UNIVERSE}@1")
    assert node.report is not None
    assert node.report.flags == ()


def test_a_dated_universe_is_not_flagged_and_keeps_its_past(monkeypatch: pytest.MonkeyPatch):
    edited_market(monkeypatch, dated=True)
    node = play()
    assert node.report is not None
    assert node.report.flag("hindsight_universe") is None
    assert [each > 0 for each in held(node)["C"]] == [False, False, False, True, True, True, True, True]


def test_an_edit_with_dates_is_not_flagged(monkeypatch: pytest.MonkeyPatch):
    it_is(datetime(2023, 12, 1, tzinfo=UTC), monkeypatch)
    universe = market(FLAT)
    it_is(datetime(2024, 1, 5, 12, tzinfo=UTC), monkeypatch)
    c = msc.Asset.get(unique_identifier="C")
    universe.append_assets([c], effective_from="2024-01-09", weights=[0.5])
    universe.remove_assets([c], effective_from="2024-01-09", effective_to="2024-01-10")
    node = play()
    assert held(node)["C"].tolist()[5] == 0.0
    assert node.report is not None
    assert node.report.flag("hindsight_universe") is None


def test_a_retired_asset_keeps_its_past(monkeypatch: pytest.MonkeyPatch):
    it_is(datetime(2023, 12, 1, tzinfo=UTC), monkeypatch)
    assets = register("AB")
    store({"A": [1.0] * 8, "B": [2.0] * 8})
    routes()
    msc.AssetCategory.get_or_create(unique_identifier=UNIVERSE, assets=assets, dated=True)
    it_is(datetime(2024, 1, 8, 12, tzinfo=UTC), monkeypatch)
    assets[1].delete()
    assert held(play())["B"].tolist() == [0.5] * 4 + [0.0] * 4


def test_edits_after_the_period_are_not_flagged():
    universe = market(FLAT)
    universe.remove_assets([msc.Asset.get(unique_identifier="C")])
    node = play()
    assert node.report is not None
    assert node.report.flags == ()


def test_the_second_run_reads_the_new_revision_and_keeps_the_past():
    universe = market({name: column[:4] for name, column in FLAT.items()})
    play()
    universe.remove_assets([msc.Asset.get(unique_identifier="C")])
    store({name: column[4:] for name, column in FLAT.items()}, SESSIONS[4:])
    node = play()
    assert held(node)["C"].tolist() == pytest.approx([1 / 3] * 4 + [0.0] * 4)
    assert held(node, "weight_before")["C"].tolist()[4:] == pytest.approx([1 / 3, 0, 0, 0])
    assert node.manifest is not None
    assert [each.universe for each in node.manifest.segments] == [f"{UNIVERSE}@1", f"{UNIVERSE}@2"]
    assert not same_bytes(node, play(namespace="all at once"))
