import copy
import pickle
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pytest
from pydantic import BaseModel

import mainsequence.client as msc
from mainsequence.errors import ConfigurationError, NaiveTimestampError, UnknownFieldError, ValidationError
from mainsequence.tdag import APIDataNode, DataNode, DataNodeConfiguration, DisplayOnly, WrapperDataNode
from mainsequence.tdag.identity import canonical, hash_of
from tests.tdag.nodes import Days, DaysConfiguration, Emitting, Part, Scaled


class Inner(BaseModel):
    size: int = 1
    note: Annotated[str, DisplayOnly] = ""


@dataclass
class Window:
    length: int


class Colour(Enum):
    RED = 1
    BLUE = 2


class Holder(DataNode):
    def __init__(self, value: Any, *rest: Any, **more: Any) -> None:
        super().__init__()
        self.value = value

    def update(self) -> None:
        return None


class SameFields(Days):
    """Another class with the same fields."""


CHANGES = [
    (Days(), Days(step=2.0)),
    (Days(), Days(assets=["a"])),
    (Days(), SameFields()),
    (Days(), Days(hash_namespace="trial")),
    (Scaled(Days()), Scaled(Days(), factor=3.0)),
    (Scaled(Days()), Scaled(Days(step=2.0))),
    (Holder(1), Holder(2)),
    (Holder(1), Holder("1")),
    (Holder(1), Holder(1, 2)),
    (Holder(1), Holder(1, extra=2)),
    (Holder([1, 2]), Holder([2, 1])),
    (Holder(Inner(size=1)), Holder(Inner(size=2))),
    (Holder(Window(1)), Holder(Window(2))),
    (Holder(Colour.RED), Holder(Colour.BLUE)),
    (Holder(date(2024, 1, 1)), Holder(date(2024, 1, 2))),
    (Holder(float("inf")), Holder(float("-inf"))),
    (Holder(Decimal("1.10")), Holder(Decimal("1.1"))),
    (Holder(b"a"), Holder("a")),
    (Holder({1: "a"}), Holder({1: "b"})),
    (Holder(Path("a")), Holder(Path("b"))),
    (Holder(hash_of), Holder(canonical)),
    (Holder(APIDataNode("a")), Holder(APIDataNode("b"))),
    (Holder(WrapperDataNode("a")), Holder(WrapperDataNode("b"))),
]


def _without_address(value: object) -> str:
    """Workers that run tests side by side must agree on their names."""
    return re.sub(r" at 0x\w+", "", repr(value))


@pytest.mark.parametrize(("one", "other"), CHANGES, ids=_without_address)
def test_what_changes_behaviour_changes_the_hash(one: DataNode, other: DataNode):
    assert one.storage_hash != other.storage_hash
    assert one.identifier != other.identifier


SAME = [
    (Days(), Days(step=1.0, assets=["a", "b"])),
    (Days(), Days(config=DaysConfiguration())),
    (Days(step=2.0), Days(DaysConfiguration(step=2.0))),
    (Days(), Days(note="for the board")),
    (Days(), Days(label="for the board")),
    (Scaled(Days()), Scaled(Days(note="below"), 2.0, title="for the board")),
    (Scaled(source=Days(), factor=2.0), Scaled(Days())),
    (Holder(Inner()), Holder(Inner(note="for the board"))),
    (Holder({"a": 1, "b": 2}), Holder({"b": 2, "a": 1})),
    (Holder({1, 2, 3}), Holder({3, 2, 1})),
    (Holder([1, 2]), Holder((1, 2))),
    (Holder(np.float64(0.5)), Holder(0.5)),
    (
        Holder(datetime(2024, 1, 1, 12, tzinfo=UTC)),
        Holder(datetime(2024, 1, 1, 14, tzinfo=timezone(timedelta(hours=2)))),
    ),
]


@pytest.mark.parametrize(("one", "other"), SAME, ids=_without_address)
def test_what_changes_nothing_leaves_the_hash(one: DataNode, other: DataNode):
    assert one.storage_hash == other.storage_hash
    assert one.update_hash == other.update_hash
    assert one.identifier == other.identifier


def test_update_only_fields_tell_updates_apart_not_series():
    one, other = Part(market="x", assets=["a"]), Part(market="x", assets=["b"])
    assert one.storage_hash == other.storage_hash
    assert one.update_hash != other.update_hash
    assert Part(market="y", assets=["a"]).storage_hash != one.storage_hash


def test_the_hash_of_a_form_never_changes():
    # echo -n '{"a":[1,"ä"],"b":null}' | sha256sum
    assert hash_of({"b": None, "a": [1, "ä"]}) == "09d06402b1598786e7403149b3c484b8"


def test_the_hash_is_the_same_in_another_process():
    node = Scaled(Days(assets=["x", "y"]), factor=0.1)
    code = "from tests.tdag.nodes import Days, Scaled; print(Scaled(Days(assets=['x', 'y']), factor=0.1).storage_hash)"
    root = Path(__file__).parents[2]
    ran = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == node.storage_hash


def test_an_asset_counts_by_its_identifier_not_by_its_name():
    asset = msc.Asset.create(unique_identifier="AAPL", name="Apple", ticker="AAPL")
    before = Holder([asset]).storage_hash
    asset.patch(ticker="APPL")
    assert Holder([asset]).storage_hash == before
    assert Holder([msc.Asset.create(unique_identifier="MSFT", name="Apple", ticker="AAPL")]).storage_hash != before


@pytest.mark.parametrize("value", [lambda: 1, object(), np.array([1, 2]), open])
def test_what_has_no_lasting_form_is_refused(value: object):
    with pytest.raises(ValidationError):
        _ = Holder(value).storage_hash


def test_a_time_without_a_zone_is_refused():
    with pytest.raises(NaiveTimestampError):
        _ = Holder(datetime(2024, 1, 1)).storage_hash  # noqa: DTZ001


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda node: pickle.loads(pickle.dumps(node))])
def test_a_copied_node_is_the_same_node(again: Any):
    for node in (Days(step=3.0, hash_namespace="n"), Scaled(Days(), title="t")):
        assert again(node).storage_hash == node.storage_hash
        assert repr(again(node)) == repr(node)


# -- constructing


def test_unknown_fields_are_refused_with_the_allowed_ones():
    with pytest.raises(UnknownFieldError, match=r"unknown field 'stepp'.*Allowed: assets, label, note, step"):
        Days(stepp=1.0)


def test_a_wrong_value_is_refused():
    with pytest.raises(ValidationError, match="step"):
        Days(step="fast")


def test_fields_beside_a_ready_configuration_are_refused():
    with pytest.raises(ValidationError, match="config= and the fields 'step'"):
        Days(DaysConfiguration(), step=1.0)


def test_a_configuration_of_another_class_is_refused():
    with pytest.raises(ValidationError, match="configured by a DaysConfiguration"):
        Days(config=DataNodeConfiguration())


def test_a_configuration_does_not_change():
    with pytest.raises(ValueError, match="frozen"):
        Days().config.step = 3.0  # type: ignore[misc]


def test_wrong_arguments_of_an_own_constructor_are_refused_as_python_does():
    with pytest.raises(TypeError, match="factr"):
        Scaled(Days(), factr=2.0)  # type: ignore[call-arg]


def test_a_node_without_an_update_cannot_be_made():
    class Nothing(DataNode):
        pass

    with pytest.raises(TypeError, match="update"):
        Nothing()  # type: ignore[abstract]


def test_a_node_without_configuration_takes_no_fields():
    class Plain(DataNode):
        def update(self) -> None:
            return None

    assert Plain().config == DataNodeConfiguration()
    with pytest.raises(UnknownFieldError):
        Plain(n=1)


def test_an_annotation_that_cannot_be_found_says_what_to_do():
    class Lost(DataNode):
        config: "NoSuchConfiguration"  # type: ignore[name-defined]  # noqa: F821

        def update(self) -> None:
            return None

    with pytest.raises(ConfigurationError, match="configuration_class"):
        Lost()


def test_the_configuration_class_may_be_named():
    class Named(Days):
        configuration_class = DaysConfiguration

    assert Named(step=4.0).config.step == 4.0


def test_a_configuration_is_inherited():
    assert SameFields(step=5.0).config == DaysConfiguration(step=5.0)


def test_repr_shows_how_to_make_it():
    assert repr(Days(step=2.0)) == "Days(assets=('a', 'b'), step=2.0, note='', label='')"
    assert repr(Scaled(Days(), 3.0)).startswith("Scaled(source=Days(")


def test_the_identifier_is_the_declared_one_else_class_and_hash():
    assert Emitting("prices").identifier == "prices"
    assert Days().identifier == f"Days_{Days().storage_hash[:16]}"


def test_a_namespace_marks_a_declared_identifier():
    class Spaced(Emitting):
        def __init__(self, name: str, hash_namespace: str | None = None) -> None:
            super().__init__(name)

    assert Spaced("prices", "trial").identifier == "prices__trial"
    assert Spaced("prices").identifier == "prices"


def test_importing_the_room_loads_no_frames():
    code = (
        "import sys, mainsequence.tdag as t; t.DataNode; t.WrapperDataNode; t.APIDataNode; t.DataNodeConfiguration;"
        "print([m for m in ('pandas', 'polars', 'pyarrow', 'numpy', 'sqlalchemy', 'rich') if m in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def test_the_exports_are_what_the_room_promises():
    from mainsequence import tdag

    promised = {"DataNode", "DataNodeConfiguration", "DataNodeMetaData", "RecordDefinition", "APIDataNode"}
    assert promised | {"WrapperDataNode"} <= set(tdag.__all__)
    assert tdag.__all__ == sorted(tdag.__all__) == dir(tdag)
    assert all(getattr(tdag, name).__name__ == name for name in tdag.__all__)
    with pytest.raises(AttributeError):
        _ = tdag.NoSuchName


def test_mappings_of_settings_are_read_by_value():
    def settings() -> Mapping[str, Any]:
        return {"a": {"b": [1, 2.5, None, True]}}

    assert canonical(settings()) == {"a": {"b": [1, 2.5, None, True]}}
