"""Deprecation and renaming: readers are told where to go, and names that were used go on working."""

import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event

import pytest

import mainsequence.client as msc
from mainsequence.errors import CyclicUniverseError, InvalidIdentifierError, UnknownFieldError
from mainsequence.virtualfundbuilder import PortfolioStrategy
from tests.virtualfundbuilder.market import TABLE, UNIVERSE, configuration, market


@pytest.fixture(autouse=True)
def _nothing_was_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test is a process that was warned of nothing yet."""
    monkeypatch.setattr("mainsequence.client.universe_plans._SAID", set())


@contextmanager
def silence() -> Iterator[None]:
    """No warning at all is given here."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def two() -> tuple[msc.AssetCategory, msc.AssetCategory]:
    assets = msc.Asset.batch_get_or_register_custom_assets([{"unique_identifier": "a"}])
    return tuple(msc.AssetCategory.create(unique_identifier=name, assets=assets) for name in ("old", "new"))


def test_readers_of_a_deprecated_universe_are_warned_once_and_told_its_successor():
    old, new = two()
    with silence():
        msc.AssetCategory.get(unique_identifier="old").get_assets()
    assert old.deprecate(new, reason="wrong provider").deprecated.successor == "new"
    with pytest.warns(
        msc.DeprecatedUniverseWarning, match=r"'old' is deprecated. Read 'new' instead.*provider"
    ) as said:
        found = msc.AssetCategory.get(unique_identifier="old")
    assert said[0].filename == __file__
    assert (found.deprecated.reason, found.assets) == ("wrong provider", new.assets)
    with silence():
        msc.AssetCategory.get(unique_identifier="old").get_assets()
        msc.AssetCategory.get(unique_identifier="new").get_assets()
        msc.AssetCategory.filter()


@pytest.mark.parametrize(
    "read",
    [
        lambda old: msc.AssetCategory.get(old.id),
        lambda old: msc.AssetCategory.get(unique_identifier="old"),
        lambda old: msc.AssetCategory.get_or_none(unique_identifier="old"),
        lambda old: msc.AssetCategory.get_or_create(unique_identifier="old"),
        lambda old: old.get_assets(),
    ],
)
def test_every_way_to_read_one_universe_warns(read: Callable[[msc.AssetCategory], object]):
    old, _ = two()
    old.deprecate()
    with pytest.warns(msc.DeprecatedUniverseWarning, match="'old' is deprecated"):
        read(old)


def test_a_deprecation_can_be_taken_back_and_said_anew():
    old, new = two()
    old.deprecate("new")
    with pytest.warns(msc.DeprecatedUniverseWarning):
        old.get_assets()
    assert old.undeprecate().deprecated is None
    with silence():
        msc.AssetCategory.get(unique_identifier="old").get_assets()
    old.deprecate(new)
    with pytest.warns(msc.DeprecatedUniverseWarning):
        old.get_assets()
    assert old.undeprecate().undeprecate().deprecated is None


def test_a_successor_must_exist_and_not_lead_back():
    old, new = two()
    with pytest.raises(msc.NotFoundError):
        old.deprecate("nowhere")
    with pytest.raises(CyclicUniverseError):
        old.deprecate(old)
    old.deprecate(new)
    with pytest.raises(CyclicUniverseError, match="new → old → new"):
        new.deprecate(old)
    with pytest.raises(msc.InUseError, match="successor of old"):
        new.delete()
    assert new.rename("newer").refresh().unique_identifier == "newer"
    assert old.refresh().deprecated.successor == "newer"


def test_a_former_name_leads_to_the_universe_with_a_warning():
    old, _ = two()
    assert old.rename("renamed").unique_identifier == "renamed"
    with pytest.warns(msc.RenamedUniverseWarning, match="'old' is called 'renamed' now"):
        found = msc.AssetCategory.get(unique_identifier="old")
    assert found == old
    with silence():
        assert msc.AssetCategory.get(unique_identifier="old").unique_identifier == "renamed"
        assert [each.id for each in msc.AssetCategory.filter(unique_identifier="old")] == [old.id]
        both = msc.AssetCategory.filter(unique_identifier__in=["old", "renamed", "new"])
    assert [each.unique_identifier for each in both] == ["renamed", "new"]
    assert msc.AssetCategory.filter(unique_identifier__contains="old") == []
    assert msc.AssetCategory.get_or_none(unique_identifier="older") is None


def test_a_former_name_never_makes_a_second_universe():
    old, new = two()
    old.rename("renamed")
    with pytest.warns(msc.RenamedUniverseWarning):
        assert msc.AssetCategory.get_or_create(unique_identifier="old").id == old.id
    with pytest.raises(msc.AlreadyExistsError):
        msc.AssetCategory.create(unique_identifier="old")
    with pytest.raises(msc.AlreadyExistsError, match="leads to it"):
        new.rename("old")
    with pytest.raises(msc.AlreadyExistsError):
        new.rename("renamed")
    assert len(msc.AssetCategory.filter()) == 2


def test_a_universe_may_have_its_former_name_back_and_all_names_lead_to_it():
    old, _ = two()
    old.rename("second").rename("third").rename("old")
    assert old.unique_identifier == "old"
    with pytest.warns(msc.RenamedUniverseWarning):
        found = {msc.AssetCategory.get(unique_identifier=name).id for name in ("old", "second", "third")}
    assert found == {old.id}
    old.rename("old")
    old.delete()
    assert msc.AssetCategory.get_or_none(unique_identifier="third") is None
    assert msc.AssetCategory.create(unique_identifier="third").id != old.id


def test_names_are_checked_and_never_patched():
    old, _ = two()
    for wrong in ("", "new", "a@1"):
        with pytest.raises((InvalidIdentifierError, msc.AlreadyExistsError)):
            old.rename(wrong)
    with pytest.raises(UnknownFieldError, match="rename"):
        old.patch(unique_identifier="other")
    assert old.refresh().unique_identifier == "old"


@pytest.mark.filterwarnings("ignore::mainsequence.domain.guards.RenamedUniverseWarning")
def test_renaming_while_others_ask_for_the_old_name_never_makes_a_second_universe():
    old, new = two()
    new.delete()
    go_on = Event()

    def ask() -> set[int]:
        found = set()
        while not go_on.is_set():
            found.add(msc.AssetCategory.get_or_create(unique_identifier="old").id)
        return found

    with ThreadPoolExecutor(4) as pool:
        asking = [pool.submit(ask) for _ in range(4)]
        for name in ("second", "third", "old", "fourth"):
            old.rename(name)
        go_on.set()
        assert set().union(*(each.result() for each in asking)) == {old.id}
    assert [each.unique_identifier for each in msc.AssetCategory.filter()] == ["fourth"]


@pytest.mark.filterwarnings("ignore::mainsequence.domain.guards.RenamedUniverseWarning")
def test_everything_that_names_a_universe_goes_on_working_after_it_is_renamed():
    category = market({"A": [100.0] * 8, "B": [50.0] * 8})
    derived = msc.AssetCategory.from_expression("derived", f"{UNIVERSE} & {UNIVERSE}")
    portfolio = configuration(name="reader")
    pinned = configuration(name="pinned", universe=f"{UNIVERSE}@1")
    for each in (portfolio, pinned):
        PortfolioStrategy(portfolio_configuration=each).run(add_portfolio_to_markets_backend=True, show_progress=False)
    category.rename("renamed")
    derived.rename("derived_too")
    category.remove_assets([msc.Asset.get(unique_identifier="B")])

    for each, members in ((portfolio, {"A"}), (pinned, {"A", "B"})):
        node = PortfolioStrategy(portfolio_configuration=each)
        node.run(force_update=True, show_progress=False)
        assert set(node.weights()["weight_current"].unstack().columns) == members
    assert [each.unique_identifier for each in derived.get_assets()] == ["A"]
    readers = {each.identifier for each in category.references()}
    assert {"reader", "pinned", "derived_too"} <= readers
    table = msc.AssetTranslationTable.get(unique_identifier=TABLE)
    assert table.coverage(category=UNIVERSE).ok
    assert {each.identifier for each in category.plan(remove=category.get_assets()).affected} >= {"reader"}


def test_a_portfolio_that_reads_a_deprecated_universe_warns_when_it_runs():
    market({"A": [100.0] * 8}).deprecate(reason="use another one")
    node = PortfolioStrategy(portfolio_configuration=configuration())
    with pytest.warns(msc.DeprecatedUniverseWarning, match="use another one"):
        node.run(show_progress=False)
    assert len(node.values()) == 8


@pytest.mark.embedded
def test_a_program_warns_once_in_a_process():
    old, new = two()
    old.deprecate(new)
    program = (
        "import mainsequence.client as msc\n" + "msc.AssetCategory.get(unique_identifier='old').get_assets()\n" * 3
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stderr.count("DeprecatedUniverseWarning") == 1
