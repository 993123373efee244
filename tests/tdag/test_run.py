import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

import mainsequence.client as msc
from mainsequence.errors import (
    AlreadyExistsError,
    ConflictError,
    CyclicDependencyError,
    NaiveTimestampError,
    ValidationError,
)
from mainsequence.tdag import APIDataNode, DataNode, RunResult
from mainsequence.tdag.reading import ReadableNode
from tests.tdag.nodes import Days, Emitting, Part, Scaled, day, frame


@pytest.fixture(autouse=True)
def _forget_updates() -> None:
    Emitting.updates.clear()


def versions(node: DataNode) -> int:
    return node.series.statistics().version


def test_a_run_stores_what_update_gives():
    node = Days()
    result = node.run(now=day(2))
    assert result[node.identifier].write.inserted == 6
    assert node.get_df_between_dates()["close"].tolist() == [0.0, 1.0, 1.0, 2.0, 2.0, 3.0]
    assert node.update_statistics.max_time_index_value == day(2)
    assert node.update_statistics.last == {"a": day(2), "b": day(2)}


def test_dependencies_are_updated_first():
    node = Scaled(Days(step=3.0), factor=10.0)
    result = node.run(now=day(1))
    assert [each.node for each in result] == ["Days", "Scaled"]
    assert node.get_df_between_dates()["close"].tolist() == [0.0, 10.0, 30.0, 40.0]


def test_a_second_run_with_nothing_new_writes_nothing():
    node = Scaled(Days())
    node.run(now=day(3))
    series = [each.series for each in (node, node.source)]
    before = [(each.history(), each.refresh().model_dump()) for each in series]
    again = Scaled(Days()).run(now=day(3))
    assert not again.changed
    assert again.rows_written == 0
    assert [each.status for each in again] == ["unchanged", "unchanged"]
    assert [(each.history(), each.refresh().model_dump()) for each in series] == before


def test_giving_the_same_rows_again_writes_no_version():
    node = Emitting("same", lambda _: frame({(day(0), "a"): 1.0, (day(1), "a"): 2.0}))
    node.run(now=day(1))
    before = versions(node)
    assert node.run(now=day(1))["same"].write.unchanged == 2
    assert versions(node) == before


def test_a_corrected_row_replaces_the_one_before():
    values = {(day(0), "a"): 1.0, (day(1), "a"): 2.0}
    node = Emitting("corrected", lambda _: frame(values))
    node.run(now=day(1))
    values[day(0), "a"] = 9.0
    assert node.run(now=day(1))["corrected"].write.updated == 1
    assert node.get_df_between_dates()["close"].tolist() == [9.0, 2.0]


def test_a_node_that_several_need_is_updated_once_even_as_separate_objects():
    def bottom() -> Emitting:
        return Emitting("bottom")

    left, right = Emitting("left", needs=(bottom(),)), Emitting("right", needs=(bottom(),))
    result = Emitting("top", needs=(left, right, bottom())).run()
    assert [each.identifier for each in result] == ["bottom", "left", "right", "top"]
    assert Emitting.updates == {"bottom": 1, "left": 1, "right": 1, "top": 1}


def test_a_tree_with_very_many_paths_is_walked_once():
    node = Emitting("0")
    for level in range(1, 30):
        node = Emitting(str(level), needs=(node, node))
    assert len(node.run()) == 30


def test_update_tree_false_leaves_dependencies_alone():
    node = Scaled(Days())
    node.source.run(now=day(1))
    node.run(update_tree=False, now=day(5))
    assert node.source.update_statistics.max_time_index_value == day(1)
    assert node.update_statistics.max_time_index_value == day(1)


class Circle(DataNode):
    def __init__(self, name: str, following: str) -> None:
        super().__init__()
        self.name, self.following = name, following

    @property
    def identifier(self) -> str:
        return f"circle {self.name}"

    def dependencies(self) -> dict[str, ReadableNode]:
        after = {"x": "y", "y": "z", "z": "x"}[self.following]
        return {"next": Circle(self.following, after)}

    def update(self) -> None:
        raise AssertionError


class Endless(Circle):
    def dependencies(self) -> dict[str, ReadableNode]:
        return {"next": Endless(self.name + "i", "x")}


def test_nodes_in_a_circle_are_refused_by_name_before_anything_is_updated():
    with pytest.raises(CyclicDependencyError, match="circle x → circle y → circle z → circle x") as refused:
        Circle("x", "y").run()
    assert refused.value.context["nodes"] == ["circle x", "circle y", "circle z", "circle x"]


def test_a_tree_that_does_not_end_is_refused():
    with pytest.raises(CyclicDependencyError, match="more than 200 levels: circle i → circle ii"):
        Endless("i", "x").run()


@pytest.mark.parametrize("wrong", ["prices", None, 3])
def test_what_is_no_node_cannot_be_a_dependency(wrong: object):
    with pytest.raises(ValidationError, match=r"The dependency 'need 0' of 'top' is a \w+, no node"):
        Emitting("top", needs=(wrong,)).run()  # type: ignore[arg-type]


def _fail(_: DataNode) -> None:
    raise LookupError("the source is down")


def test_a_failing_dependency_stops_what_needs_it_by_name_and_keeps_the_rest():
    good = Days()
    bad = Emitting("bad feed", _fail)
    middle = Emitting("middle", needs=(bad,))
    top = Emitting("top", needs=(good, middle, Emitting("independent")))
    with pytest.raises(LookupError, match="the source is down") as raised:
        top.run(now=day(1))
    notes = "\n".join(raised.value.__notes__)
    assert "Raised while updating Emitting 'bad feed'." in notes
    assert "Not updated: Emitting 'middle', it needs 'bad feed'." in notes
    assert "Not updated: Emitting 'top', it needs 'middle'." in notes
    assert f"Up to date: '{good.identifier}', 'independent'." in notes
    assert Emitting.updates == {"bad feed": 1, "independent": 1}
    assert len(good.get_df_between_dates()) == 4
    assert [str(each.status) for each in top.last_run] == ["written", "failed", "stopped", "unchanged", "stopped"]
    assert not top.last_run.succeeded
    assert top.last_run["bad feed"].reason == "LookupError: the source is down"


def test_the_time_of_the_run_is_known_to_update_alone():
    seen = []
    node = Emitting("clock", lambda each: seen.append(each.now))
    below = Emitting("below", lambda each: seen.append(each.now))
    Emitting("top", lambda each: seen.append(each.now), needs=(below, node)).run(now="2024-05-06T12:00:00+02:00")
    assert seen == [datetime(2024, 5, 6, 10, tzinfo=UTC)] * 3
    with pytest.raises(ConflictError, match="it is not running"):
        _ = node.now


def test_the_clock_is_asked_once_where_no_time_is_given():
    seen = []
    below = Emitting("below", lambda each: seen.append(each.now))
    before = datetime.now(UTC)
    result = Emitting("top", lambda each: seen.append(each.now), needs=(below,)).run()
    assert seen == [result.now] * 2
    assert before <= result.now <= datetime.now(UTC)


def test_a_time_without_a_zone_is_refused():
    with pytest.raises(NaiveTimestampError):
        Days().run(now=datetime(2024, 1, 1))  # noqa: DTZ001


# -- beginning anew


def test_forcing_begins_anew_and_deletes_rows_that_are_no_longer_given():
    values = {(day(0), "a"): 1.0, (day(1), "a"): 2.0, (day(2), "b"): 3.0}
    seen = []

    def give(node: DataNode) -> pd.DataFrame:
        seen.append((node.update_statistics.is_empty, len(node.get_df_between_dates())))
        return frame(values)

    node = Emitting("forced", give)
    node.run(now=day(2))
    first = versions(node)
    del values[day(1), "a"]
    values[day(2), "b"] = 4.0
    write = node.run(now=day(2), force_update=True)["forced"].write
    assert seen == [(True, 0), (True, 0)]
    assert (write.inserted, write.updated, write.deleted, write.unchanged) == (0, 1, 1, 1)
    assert node.get_df_between_dates()["close"].tolist() == [1.0, 4.0]
    assert node.series.read(version=first)["close"].tolist() == [1.0, 2.0, 3.0]


def test_forcing_reaches_the_dependencies_that_are_updated():
    node = Scaled(Days())
    node.run(now=day(9))
    node.run(now=day(4), force_update=True)
    assert node.source.update_statistics.max_time_index_value == day(4)
    node.source.run(now=day(9))
    node.run(now=day(4), force_update=True, update_tree=False)
    assert node.source.update_statistics.max_time_index_value == day(9)
    assert node.update_statistics.max_time_index_value == day(4)


def test_forcing_to_the_same_rows_writes_no_version():
    node = Scaled(Days())
    node.run(now=day(4))
    before = versions(node)
    assert not node.run(now=day(4), force_update=True).changed
    assert versions(node) == before


@pytest.mark.parametrize("nothing", [None, frame({(day(0), "a"): 1.0}).iloc[:0]])
def test_a_forced_node_that_gives_nothing_keeps_what_it_has(nothing: object):
    answers = [frame({(day(0), "a"): 1.0}), nothing]
    node = Emitting("forced", lambda _: answers.pop(0))
    node.run(now=day(1))
    assert not node.run(now=day(1), force_update=True).changed
    assert len(node.get_df_between_dates()) == 1


def test_a_forced_node_that_fails_keeps_what_it_has():
    node = Days()
    node.run(now=day(1))
    bad = Emitting("bad", _fail, needs=(node,))
    with pytest.raises(LookupError):
        bad.run(now=day(1), force_update=True)
    assert len(node.get_df_between_dates()) == 4


# -- several nodes, one series


@pytest.fixture
def registered() -> None:
    msc.Asset.batch_get_or_register_custom_assets([{"unique_identifier": name} for name in "abc"])


@pytest.mark.usefixtures("registered")
def test_nodes_that_differ_in_update_only_fields_fill_one_series():
    one, other = Part(market="x", assets=["a"]), Part(market="x", assets=["b", "c"])
    assert one.identifier == other.identifier
    one.run(now=day(1))
    assert other.update_statistics.is_empty
    other.run(now=day(0))
    assert one.update_statistics.last == {"a": day(1)}
    assert other.update_statistics.last == {"b": day(0), "c": day(0)}
    assert set(one.series.metadata["updates"]) == {one.update_hash, other.update_hash}


@pytest.mark.usefixtures("registered")
def test_forcing_one_part_leaves_the_others():
    one, other = Part(market="x", assets=["a"]), Part(market="x", assets=["b", "c"])
    one.run(now=day(3))
    other.run(now=day(1))
    one.run(now=day(0), force_update=True)
    assert one.series.read().index.get_level_values("unique_identifier").tolist() == ["a", "b", "c", "b", "c"]


@pytest.mark.usefixtures("registered")
def test_both_parts_are_updated_in_one_run():
    parts = tuple(Part(market="x", assets=[name]) for name in "ab")
    assert len(Emitting("top", needs=parts).run(now=day(1))) == 3


class Unlisted(Part):
    def get_asset_list(self) -> None:
        return None

    def update(self) -> pd.DataFrame:
        return frame({(day((self.now - day(0)).days), name): 1.0 for name in self.config.assets})


def test_forcing_a_part_that_names_no_assets_replaces_those_of_its_result():
    one, other = Unlisted(market="x", assets=["a"]), Unlisted(market="x", assets=["b"])
    for node in (one, other):
        node.run(now=day(1))
    one.run(now=day(0), force_update=True)
    assert one.get_df_between_dates().index.to_flat_index().tolist() == [(day(0), "a"), (day(1), "b")]


def test_processes_that_run_one_tree_at_once_store_it_once(home: Path):
    code = (
        "from tests.tdag.nodes import Days, Scaled, day\nnode = Scaled(Days())\nfor n in range(4): node.run(now=day(n))"
    )
    running = [subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True) for _ in range(3)]
    for process in running:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
    node = Scaled(Days())
    assert node.get_df_between_dates()["close"].tolist() == [0.0, 2.0, 2.0, 4.0, 4.0, 6.0, 6.0, 8.0]
    assert sum(each.inserted for each in node.series.history()) == 8


# -- whose series it is


def test_a_series_that_something_else_fills_is_not_touched():
    Emitting("prices", lambda _: frame({(day(0), "a"): 1.0})).run()
    other = Emitting("prices", lambda _: frame({(day(0), "a"): 2.0}), needs=(Days(),))
    with pytest.raises(AlreadyExistsError, match=r"'prices' is filled by a tests.tdag.nodes.Emitting of another conf"):
        other.run(now=day(0))
    with pytest.raises(AlreadyExistsError):
        other.get_df_between_dates()
    assert msc.Series.get(unique_identifier="prices").read()["close"].tolist() == [1.0]


def test_a_series_that_no_node_made_is_not_touched():
    msc.Series.create("prices", {"close": "float64"})
    with pytest.raises(AlreadyExistsError, match="was not made by a node"):
        Emitting("prices", lambda _: frame({(day(0), "a"): 2.0})).run()
    assert Emitting.updates == {}


def test_a_namespace_keeps_a_trial_apart():
    real, trial = Days(), Days(hash_namespace="trial")
    real.run(now=day(1))
    assert trial.series is None
    assert trial.storage_hash != real.storage_hash
    trial.run(now=day(5))
    assert len(real.get_df_between_dates()) == 4


def test_a_deleted_series_can_be_filled_again():
    node = Days()
    node.run(now=day(1))
    node.delete()
    node.delete()
    assert node.series is None
    node.run(now=day(0))
    assert len(node.get_df_between_dates()) == 2


# -- what a run says


def test_the_result_says_what_happened_to_each_node():
    node = Scaled(Days())
    result = node.run(now=day(1))
    assert isinstance(result, RunResult)
    assert result.changed
    assert result.succeeded
    assert result.rows_written == 8
    assert len(result) == 2
    text = repr(result)
    assert node.identifier in text
    assert "written" in text
    assert "2024-01-02 00:00:00 UTC" in text
    assert node.identifier in result._repr_html_()
    with pytest.raises(LookupError, match="did not touch 'other'"):
        result["other"]


def test_it_is_quiet_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]):
    Days().run(now=day(1))
    assert capsys.readouterr() == ("", "")


def test_progress_can_be_asked_for(capsys: pytest.CaptureFixture[str]):
    node = Days()
    node.run(now=day(1), show_progress=True)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert node.identifier in shown.err
    assert "+4 ~0 -0 rows" in shown.err


def test_a_run_within_an_update_leaves_the_display_to_the_outer_one(capsys: pytest.CaptureFixture[str]):
    inner = Emitting("inner", frame({(day(0), "a"): 1.0}))
    Emitting("outer", lambda _: inner.run(now=day(0), show_progress=True) and None).run(show_progress=True)
    shown = capsys.readouterr().err
    assert "outer" in shown
    assert "inner" not in shown
    assert len(inner.get_df_between_dates()) == 1


def test_a_series_of_others_may_be_a_dependency():
    msc.Series.create("bought", {"close": "float64"}).append(frame({(day(0), "a"): 5.0}))
    node = Scaled(APIDataNode("bought"), factor=3.0)  # type: ignore[arg-type]
    assert len(node.run(now=day(0))) == 1
    assert node.get_df_between_dates()["close"].tolist() == [15.0]
