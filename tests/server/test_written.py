"""What is written straight from rows says the same as the models, and is right about time."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mainsequence.contract import assets as asset_contract
from mainsequence.contract import categories as contract
from mainsequence.contract.wire import write_answer
from mainsequence.domain.access import LOCAL_OWNER
from mainsequence.domain.assets import PricingDetail
from mainsequence.domain.categories import CategoryCreation
from mainsequence.domain.times import to_micros
from mainsequence.errors import NotFoundError, UnknownRevisionError
from mainsequence.platform.platform import Platform
from mainsequence.settings import Settings

Call = Callable[..., Any]


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = to_micros(datetime(2024, 1, 1, tzinfo=UTC))

    def __call__(self) -> int:
        self.now += 1
        return self.now

    def at(self, *day: int) -> None:
        self.now = to_micros(datetime(*day, tzinfo=UTC))


@pytest.fixture(params=["sqlite", "postgresql"])
def platform(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Platform]:
    if request.param == "sqlite":
        made = Platform.embedded(Settings(home=tmp_path / "home"), Clock())
        yield made
        made.close()
        return
    from tests.postgresql import new_database

    with new_database() as url:
        made = Platform.embedded(Settings(home=tmp_path / "home", database_url=url), Clock())
        yield made
        made.close()


@pytest.fixture
def universe(platform: Platform) -> int:
    names: list[dict[str, Any]] = [
        {"unique_identifier": "plain"},
        {
            "unique_identifier": 'full «ü» \\ "',
            "figi": "BBG000B9XRY4",
            "isin": "US0378331005",
            "security_type": "Common Stock",
            "is_tradable": False,
            "calendar_name": "XNYS",
            "snapshot": {"name": "Ä", "ticker": "T", "venue_specific_properties": {"a": [1.5, None, True, {"b": "«"}]}},
        },
        {"unique_identifier": "renamed"},
        {"unique_identifier": "priced"},
        {"unique_identifier": "retired"},
    ]
    body = asset_contract.Registrations.parse({"assets": names})
    made = platform.call(asset_contract.REGISTER, body)
    platform.call(asset_contract.PATCH, asset_contract.AssetPatch(name="New", ticker="N"), key=made[2].id)
    priced_at = datetime(2024, 2, 3, 4, 5, 6, 789, tzinfo=UTC)
    detail = PricingDetail(instrument_dump={"coupon": 0.05, "legs": []}, pricing_details_date=priced_at)
    platform.call(asset_contract.SET_PRICING, detail, key=made[3].id)
    creation = CategoryCreation(unique_identifier="u", display_name="u", assets=[each.id for each in made])
    category = platform.call(contract.CREATE, creation)
    platform.call(asset_contract.RETIRE, None, key=made[4].id)
    return category.id


def both(platform: Platform, operation: Any, body: Any, **path: int) -> tuple[Any, Any]:
    written = platform.write_as(LOCAL_OWNER, operation, body, None, **path)
    assert written is not None
    assert written.content is not None
    return json.loads(written.content), json.loads(write_answer(operation, platform.call(operation, body, **path)))


@pytest.mark.parametrize("revision", [None, 0, 1, 2])
@pytest.mark.parametrize("operation", [contract.ASSET_IDS, contract.ASSETS], ids=lambda each: each.name)
def test_members_are_written_as_the_models_are(
    platform: Platform, universe: int, operation: Any, revision: int | None
) -> None:
    written, models = both(platform, operation, operation.takes(revision=revision), key=universe)
    assert written == models
    assert len(written) == {None: 4, 0: 0, 1: 5, 2: 4}[revision]


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ({"limit": 2}, [1, 2]),
        ({"limit": 2, "after": 2}, [3, 4]),
        ({"limit": 2, "after": 3}, [4]),
        ({"after": 1}, [2, 3, 4]),
        ({"after": 4, "limit": 1}, []),
        ({"after": -1, "limit": 10}, [1, 2, 3, 4]),
    ],
)
def test_a_part_of_the_members_may_be_asked_for(
    platform: Platform, universe: int, part: dict[str, int], expected: list[int]
) -> None:
    written, models = both(platform, contract.ASSETS, contract.MembersOf(**part), key=universe)
    assert written == models
    assert [each["id"] for each in written] == expected


@pytest.mark.parametrize(
    ("filters", "limit", "after"), [({}, 2, None), ({}, 1_000, None), ({"ticker": "N"}, 5, None), ({}, 2, 3)]
)
@pytest.mark.parametrize("include_retired", [False, True])
def test_pages_of_assets_are_written_as_the_models_are(
    platform: Platform, universe: int, filters: dict[str, Any], limit: int, after: int | None, include_retired: bool
) -> None:
    body = asset_contract.AssetQuery(filters=filters, limit=limit, after=after, include_retired=include_retired)
    written, models = both(platform, asset_contract.QUERY, body)
    assert written == models
    assert written["results"]


def test_members_of_now_change_with_the_time_alone(platform: Platform, universe: int) -> None:
    clock: Any = platform.clock
    edit = contract.MembershipEdit(
        asset_ids=[1],
        effective_from=datetime(2024, 3, 1, tzinfo=UTC),
        effective_to=datetime(2024, 4, 1, tzinfo=UTC),
    )
    platform.call(contract.REMOVE_ASSETS, edit, key=universe)
    seen, known = [], None
    for day in [(2024, 2, 1), (2024, 2, 20), (2024, 2, 29), (2024, 3, 1), (2024, 3, 31), (2024, 4, 1), (2024, 2, 2)]:
        clock.at(*day)
        written = platform.write_as(LOCAL_OWNER, contract.ASSET_IDS, contract.AsOf(), known, key=universe)
        assert written is not None
        assert written.until > clock.now
        if written.content is None:
            assert written.tag == known
        else:
            seen.append(json.loads(written.content))
        known = written.tag
    assert seen == [[1, 2, 3, 4], [2, 3, 4], [1, 2, 3, 4], [1, 2, 3, 4]], "each change seen, each repetition known"


def test_a_write_is_seen_at_once(platform: Platform, universe: int) -> None:
    first = platform.write_as(LOCAL_OWNER, contract.ASSET_IDS, contract.AsOf(), None, key=universe)
    platform.call(contract.REMOVE_ASSETS, contract.MembershipEdit(asset_ids=[2]), key=universe)
    assert first is not None
    again = platform.write_as(LOCAL_OWNER, contract.ASSET_IDS, contract.AsOf(), first.tag, key=universe)
    assert again is not None
    assert again.content == b"[1,3,4]"


def test_what_is_refused_is_refused_the_same(platform: Platform, universe: int) -> None:
    with pytest.raises(UnknownRevisionError):
        platform.write_as(LOCAL_OWNER, contract.ASSET_IDS, contract.AsOf(revision=9), None, key=universe)
    with pytest.raises(NotFoundError):
        platform.write_as(LOCAL_OWNER, contract.ASSET_IDS, contract.AsOf(), None, key=universe + 1)
