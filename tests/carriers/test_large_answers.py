"""Where answers hold so many objects at once, more come in several, and the result is that of one."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import mainsequence.client as msc
from mainsequence.client import connection
from mainsequence.contract import assets, categories
from mainsequence.contract.operation import In, Operation, Out
from mainsequence.platform.platform import Platform
from mainsequence.settings import Settings


class Narrow:
    """A carrier whose answers hold three objects; it keeps what was asked, and lets something happen in between."""

    at_once: int | None = 3

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.asked: list[tuple[Operation[object, object], object]] = []
        self.behind_the_first: Callable[[], object] | None = None

    def call(self, operation: Operation[In, Out], body: In, /, **path: int | str) -> Out:
        answer = self.platform.call(operation, body, **path)
        self.asked.append((operation, body))  # type: ignore[arg-type]
        act, self.behind_the_first = self.behind_the_first, None
        if act is not None:
            act()
        return answer

    def describe(self) -> str:
        return self.platform.describe()

    def close(self) -> None:
        pass

    @property
    def names(self) -> list[str]:
        return [operation.name for operation, _ in self.asked]


@pytest.fixture
def narrow(tmp_path: Path) -> Iterator[Narrow]:
    platform = Platform.embedded(Settings(home=tmp_path))
    made = Narrow(platform)
    token = connection._inside.set(made)
    yield made
    connection._inside.reset(token)
    platform.close()


def registered(count: int) -> list[int]:
    return [each.id for each in register(*(f"a{number}" for number in range(count)))]


def register(*names: str) -> list[msc.Asset]:
    return msc.Asset.batch_get_or_register_custom_assets([{"unique_identifier": name} for name in names])


def ids_asked(narrow: Narrow) -> list[object]:
    return [body.filters["id__in"] for _, body in narrow.asked if isinstance(body, assets.AssetQuery)]


@pytest.mark.parametrize(("members", "asked"), [(0, 1), (2, 1), (3, 2), (4, 3), (8, 3)])
def test_what_was_read_of_many_members_is_kept(narrow: Narrow, members: int, asked: int) -> None:
    ids = registered(8)[:members]
    universe = msc.AssetCategory.create(unique_identifier="u", asset_ids=ids)
    narrow.asked.clear()
    assert [each.id for each in universe.get_assets()] == ids
    assert narrow.names == [categories.ASSETS.name, categories.ASSET_IDS.name, assets.QUERY.name][:asked]
    assert ids_asked(narrow) == ([ids[3:]] if members > 3 else [])


def test_members_that_change_meanwhile_are_those_of_one_reading(narrow: Narrow) -> None:
    ids = registered(8)
    universe = msc.AssetCategory.create(unique_identifier="u", asset_ids=ids[:5])
    body = categories.MembershipEdit(asset_ids=ids[2:])
    narrow.behind_the_first = lambda: narrow.platform.call(categories.UPDATE_ASSETS, body, key=universe.id)
    assert [each.id for each in universe.get_assets()] == ids[2:]


def test_without_a_wire_all_members_are_one_answer(narrow: Narrow) -> None:
    ids = registered(8)
    universe = msc.AssetCategory.create(unique_identifier="u", asset_ids=ids)
    narrow.at_once = narrow.platform.at_once
    narrow.asked.clear()
    assert [each.id for each in universe.get_assets()] == ids
    assert narrow.names == [categories.ASSETS.name]


def test_many_registered_assets_are_read_back_in_the_order_asked(narrow: Narrow) -> None:
    (old,) = msc.Asset.batch_get_or_register_custom_assets([{"unique_identifier": "c", "name": "Old"}])
    old.delete()
    narrow.asked.clear()
    found = register("d", "c", "a", "d", "b")
    assert [each.unique_identifier for each in found] == ["d", "c", "a", "d", "b"]
    assert (found[1].id, found[1].name, found[1].retired_at) == (old.id, "Old", None)
    assert narrow.names == [assets.REGISTER_IDS.name, assets.QUERY.name]
    assert [each.id for each in register("b", "c", "d")] == [found[4].id, found[1].id, found[0].id]
    assert narrow.names[2:] == [assets.REGISTER.name], "as many as one answer holds"


def test_of_many_assets_all_are_registered_or_none(narrow: Narrow) -> None:
    wanted = [{"unique_identifier": name, "ticker": ticker} for name, ticker in zip("abcda", "12345", strict=True)]
    with pytest.raises(msc.ValidationError, match="twice"):
        msc.Asset.batch_get_or_register_custom_assets(wanted)
    assert msc.Asset.filter() == []
