from importlib.metadata import version

import pytest

import mainsequence.client as msc
from mainsequence.errors import InUseError, NotFoundError
from mainsequence.tdag import DataNode
from mainsequence.tdag.reading import ReadableNode
from tests.tdag.nodes import Days, Emitting, Scaled, day, frame


class OfUniverse(DataNode):
    def __init__(self, universe: str) -> None:
        super().__init__()
        self.universe = universe

    def universes(self) -> list[str]:
        return [self.universe]

    def get_asset_list(self) -> list[msc.Asset]:
        return msc.AssetCategory.get(unique_identifier=self.universe.partition("@")[0]).get_assets()

    def update(self) -> object:
        return frame({(day(0), asset.unique_identifier): 1.0 for asset in self.update_statistics.asset_list or ()})


@pytest.fixture
def universe() -> msc.AssetCategory:
    category = msc.AssetCategory.get_or_create(display_name="Mine", unique_identifier="mine")
    return category.append_assets(assets=[msc.Asset.create(unique_identifier="a")])


def test_a_series_says_what_fills_it_and_from_what():
    node = Scaled(Days(note="unseen"), factor=0.5)
    node.run(now=day(1))
    registered = node.series.metadata["node"]
    assert registered == {
        "class": "tests.tdag.nodes.Scaled",
        "arguments": {
            "source": {"node": "tests.tdag.nodes.Days", "storage_hash": node.source.storage_hash},
            "factor": 0.5,
        },
        "storage_hash": node.storage_hash,
        "dependencies": {"source": node.source.identifier},
        "packages": {"mainsequence-platform": version("mainsequence-platform")},
    }
    fields = {"assets": ["a", "b"], "step": 1.0}
    below = node.source.series.metadata["node"]["arguments"]
    assert below == {"config": {"class": "tests.tdag.nodes.DaysConfiguration", "fields": fields}}


def test_metadata_of_others_in_the_series_stays():
    node = Days()
    node.run(now=day(1))
    node.series.patch(metadata=node.series.metadata | {"owner": "desk 3"})
    node.run(now=day(2))
    assert node.series.metadata["owner"] == "desk 3"


class Renamed(Emitting):
    text = "first"

    def get_table_metadata(self):
        return super().get_table_metadata().model_copy(update={"description": self.text})


def test_a_changed_description_is_written_down_with_the_next_run():
    node = Renamed("named", lambda _: frame({(day(0), "a"): 1.0}))
    node.run()
    node.text = "second"
    assert not node.run().changed
    assert node.series.description == "second"


@pytest.mark.parametrize("name", ["mine", "mine@1"])
def test_a_universe_knows_the_nodes_that_read_it(universe: msc.AssetCategory, name: str):
    node = OfUniverse(name)
    node.run()
    node.run()
    assert [(each.kind, each.identifier) for each in universe.references()] == [("node", node.identifier)]
    with pytest.raises(InUseError, match=node.identifier):
        universe.delete()
    node.delete()
    assert universe.references() == []
    universe.delete()


def test_a_universe_that_does_not_exist_is_refused_by_name(universe: msc.AssetCategory):
    node = OfUniverse("mime")
    with pytest.raises(NotFoundError, match=r"no asset category 'mime'. Did you mean mine"):
        node.run()
    assert node.series is None


def test_universes_are_registered_through_the_whole_tree(universe: msc.AssetCategory):
    class Above(Emitting):
        def dependencies(self) -> dict[str, ReadableNode]:
            return {"below": OfUniverse("mine")}

    Above("above").run()
    assert [each.identifier for each in universe.references()] == [OfUniverse("mine").identifier]
