"""Assets: a key that never changes, names that do, and identifiers that are checked."""

import copy
import pickle
from datetime import UTC, datetime

import numpy as np
import pytest

import mainsequence.client as msc
from mainsequence.errors import (
    InvalidIdentifierError,
    InvalidIntervalError,
    UnknownCalendarError,
    UnknownFieldError,
    UnknownFilterError,
)

APPLE = {
    "unique_identifier": "BBG000B9XRY4",
    "figi": "BBG000B9XRY4",
    "isin": "US0378331005",
    "security_type": "Common Stock",
    "security_market_sector": "Equity",
    "snapshot": {"name": "Apple Inc", "ticker": "AAPL", "exchange_code": "US"},
}


def register(*identifiers: str, **fields: object) -> list[msc.Asset]:
    return msc.Asset.batch_get_or_register_custom_assets(
        [{"unique_identifier": identifier, **fields} for identifier in identifiers]
    )


def test_an_asset_has_the_fields_that_users_of_this_api_know() -> None:
    asset = msc.Asset.create(**APPLE)
    assert (asset.name, asset.ticker, asset.exchange_code) == ("Apple Inc", "AAPL", "US")
    assert asset.current_snapshot.ticker == "AAPL"
    assert asset.asset_ticker_group_id is None
    assert asset.current_snapshot.venue_specific_properties == {}
    assert asset.current_snapshot.effective_from is None
    assert (asset.composite, asset.share_class, asset.security_type_2) == (None, None, None)
    assert asset.is_tradable
    assert msc.Asset.get(asset.id) == asset


def test_registering_a_batch_twice_returns_the_same_in_the_order_asked() -> None:
    first = register("a", "b", "c", name="first")
    again = register("c", "d", "a", name="second")
    assert [asset.unique_identifier for asset in again] == ["c", "d", "a"]
    assert [again[0].id, again[2].id] == [first[2].id, first[0].id]
    assert [asset.name for asset in again] == ["first", "second", "first"]
    assert len(msc.Asset.filter()) == 4


@pytest.mark.parametrize("value", [b"AAPL", float("nan"), float("inf"), datetime(2024, 1, 1, tzinfo=UTC), object])
def test_a_filter_takes_what_json_can_hold(value: object) -> None:
    msc.Asset.create(**APPLE)
    register("without a ticker")
    for asked in ({"ticker": value}, {"ticker__in": ["AAPL", value]}):
        with pytest.raises(msc.ValidationError, match="ticker"):
            msc.Asset.filter(**asked)
        with pytest.raises(msc.ValidationError, match="ticker"):
            msc.Asset.get_or_none(**asked)


@pytest.mark.parametrize("number", [2**64, -(2**63) - 1])
def test_numbers_beyond_64_bits_are_no_properties(number: int) -> None:
    with pytest.raises(msc.ValidationError, match="64"):
        register("a", venue_specific_properties={"number": number})
    with pytest.raises(msc.ValidationError, match="64"):
        msc.Asset.create(**APPLE).add_instrument_pricing_details({"number": number}, "2024-01-01")
    assert [asset.unique_identifier for asset in msc.Asset.filter()] == [APPLE["unique_identifier"]]


def test_one_bad_asset_refuses_the_whole_batch() -> None:
    with pytest.raises(InvalidIdentifierError, match="check digit"):
        msc.Asset.batch_get_or_register_custom_assets(
            [{"unique_identifier": "good"}, {**APPLE, "isin": "US0378331006"}]
        )
    assert msc.Asset.filter() == []


def test_one_key_with_two_meanings_refuses_the_batch() -> None:
    with pytest.raises(msc.ValidationError, match="twice"):
        msc.Asset.batch_get_or_register_custom_assets(
            [{"unique_identifier": "a", "name": "one"}, {"unique_identifier": "a", "name": "two"}]
        )
    assert msc.Asset.filter() == []


def test_creating_what_exists_is_refused() -> None:
    msc.Asset.create(**APPLE)
    with pytest.raises(msc.AlreadyExistsError, match="BBG000B9XRY4"):
        msc.Asset.create(**APPLE)


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"ticker": "T1"}, ["one"]),
        ({"ticker__in": ["T1", "T3"]}, ["one", "three"]),
        ({"current_snapshot__ticker__in": ["T2"]}, ["two"]),
        ({"unique_identifier__contains": "t"}, ["two", "three"]),
        ({"unique_identifier__contains": "T"}, []),
        ({"name__contains": "%"}, []),
        ({"name__contains": "of two"}, ["two"]),
        ({"exchange_code": "US", "ticker__in": ["T1", "T2"]}, ["one"]),
        ({"security_type": None}, ["one", "two", "three"]),
        ({"figi__isnull": False}, []),
        ({"id__in": []}, []),
    ],
)
def test_lookups_find_what_they_say(filters: dict[str, object], expected: list[str]) -> None:
    for number, (identifier, exchange) in enumerate([("one", "US"), ("two", "LN"), ("three", "US")], start=1):
        msc.Asset.create(
            unique_identifier=identifier, name=f"name of {identifier}", ticker=f"T{number}", exchange_code=exchange
        )
    assert [asset.unique_identifier for asset in msc.Asset.filter(**filters)] == expected
    assert [asset.unique_identifier for asset in msc.Asset.query(per_page=1, **filters)] == expected


@pytest.mark.parametrize("filters", [{"tikcer": "A"}, {"ticker__startswith": "A"}, {"is_tradable__in": [True]}])
def test_an_unknown_lookup_is_refused_with_the_allowed_ones(filters: dict[str, object]) -> None:
    with pytest.raises(UnknownFilterError, match="ticker__in"):
        msc.Asset.filter(**filters)


@pytest.mark.parametrize("filters", [{"ticker__in": "AAPL"}, {"id": "1"}, {"ticker": 5}, {"id__in": [True]}])
def test_a_lookup_with_a_value_of_the_wrong_type_is_refused(filters: dict[str, object]) -> None:
    with pytest.raises(msc.ValidationError):
        msc.Asset.filter(**filters)


def test_ten_thousand_identifiers_are_one_call() -> None:
    assets = register(*(f"asset-{number}" for number in range(12_000)))
    found = msc.Asset.filter(unique_identifier__in=[asset.unique_identifier for asset in assets[:10_000]])
    assert [asset.id for asset in found] == [asset.id for asset in assets[:10_000]]


def test_more_values_than_are_sent_at_once_find_each_asset_once_in_the_order_of_ids() -> None:
    assets = register(*(f"asset-{number}" for number in range(1_500)))
    names = [asset.unique_identifier for asset in assets]
    asked = [*names[::-1], "nobody", *names[:700]]
    assert msc.Asset.query(per_page=100, unique_identifier__in=iter(asked)) == assets
    listed = list(
        msc.Asset.iter_filter(per_page=400, unique_identifier__in=asked, id__in=[assets[0].id, assets[-1].id])
    )
    assert sorted(each.id for each in listed) == [assets[0].id, assets[-1].id]


def test_get_wants_exactly_one() -> None:
    register("a", "b", security_type="Bond")
    with pytest.raises(msc.DoesNotExist, match="nothing"):
        msc.Asset.get(unique_identifier="nothing")
    with pytest.raises(msc.ConflictError, match="Several"):
        msc.Asset.get(security_type="Bond")
    assert msc.Asset.get_or_none(unique_identifier="nothing") is None


def test_a_new_ticker_opens_a_snapshot_and_closes_the_old_one() -> None:
    asset = register("meta", name="Facebook", ticker="FB", exchange_code="US")[0]
    asset.patch(name="Meta Platforms", ticker="META", effective_from=datetime(2022, 6, 9, tzinfo=UTC))
    assert (asset.ticker, asset.exchange_code) == ("META", "US")
    old, new = asset.snapshots()
    assert (old.ticker, old.effective_from, old.effective_to) == ("FB", None, datetime(2022, 6, 9, tzinfo=UTC))
    assert (new.ticker, new.effective_from, new.effective_to) == ("META", datetime(2022, 6, 9, tzinfo=UTC), None)
    asset.patch(ticker="META")
    assert len(asset.snapshots()) == 2, "the same name is no news"
    with pytest.raises(InvalidIntervalError, match="2022-06-09"):
        asset.patch(ticker="M", effective_from=datetime(2022, 6, 9, tzinfo=UTC))
    assert msc.Asset.filter(ticker="FB") == []


def test_the_key_cannot_be_changed() -> None:
    asset = register("a")[0]
    with pytest.raises(UnknownFieldError, match="unique_identifier"):
        asset.patch(unique_identifier="b")


@pytest.mark.parametrize(
    ("figi", "accepted"),
    # Published FIGIs of Apple, IBM and Microsoft; then a wrong check digit, a vowel, a reserved prefix, a short one.
    [
        ("BBG000B9XRY4", True),
        ("BBG000BLNNH6", True),
        ("BBG000BPH459", True),
        ("BBG000B9XRY5", False),
        ("BBG000B9XRA4", False),
        ("GBG000B9XRY4", False),
        ("BBG000", False),
    ],
)
def test_figis_are_checked(figi: str, accepted: bool) -> None:
    if accepted:
        asset = msc.Asset.register_asset_from_figi(figi)
        assert (asset.unique_identifier, asset.figi, asset.is_custom_by_organization) == (figi, figi, False)
        assert msc.Asset.register_asset_from_figi(figi).id == asset.id
    else:
        with pytest.raises(InvalidIdentifierError):
            msc.Asset.register_asset_from_figi(figi)
        assert msc.Asset.filter() == []


@pytest.mark.parametrize(
    ("isin", "accepted"),
    # ISO 6166 examples: Apple, BAE Systems, SAP, Treasury Corporation of Victoria.
    [
        ("US0378331005", True),
        ("GB0002634946", True),
        ("DE0007164600", True),
        ("AU0000XVGZA3", True),
        ("US0378331004", False),
        ("us0378331005", False),
        ("US03783310", False),
    ],
)
def test_isins_are_checked(isin: str, accepted: bool) -> None:
    if accepted:
        assert register("a", isin=isin)[0].isin == isin
    else:
        with pytest.raises(InvalidIdentifierError):
            register("a", isin=isin)


@pytest.mark.embedded
def test_a_configured_resolver_supplies_the_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAINSEQUENCE_FIGI_RESOLVER", "tests.identity.resolver:apple_only")
    assert msc.Asset.register_asset_from_figi("BBG000B9XRY4").ticker == "AAPL"
    with pytest.raises(msc.NotFoundError):
        msc.Asset.register_asset_from_figi("BBG000BLNNH6")


def test_a_deleted_asset_leaves_every_universe_and_stays_readable() -> None:
    assets = register("a", "b")
    timeless = msc.AssetCategory.get_or_create(unique_identifier="timeless").append_assets(assets=assets)
    dated = msc.AssetCategory.get_or_create(unique_identifier="dated", dated=True).append_assets(assets=assets)
    before = datetime.now(UTC)
    assets[0].delete()
    assert timeless.refresh().assets == dated.refresh().assets == [assets[1].id]
    assert timeless.revision == dated.revision == 2
    assert "retired" in (timeless.history()[-1].reason or "")
    assert {asset.unique_identifier for asset in timeless.get_assets(revision=1)} == {"a", "b"}
    assert {asset.unique_identifier for asset in dated.get_assets(before)} == {"a", "b"}
    assert msc.Asset.get(assets[0].id).retired_at is not None
    assert [asset.unique_identifier for asset in msc.Asset.filter()] == ["b"]
    assert len(msc.Asset.filter(include_retired=True)) == 2
    with pytest.raises(msc.UnknownAssetsError):
        timeless.append_assets(assets=[assets[0]])
    assert register("a")[0].id == assets[0].id, "registering again brings it back"
    assert len(msc.Asset.filter()) == 2


def test_pricing_details_are_stored_replaced_and_cleared() -> None:
    asset = register("bond")[0]
    day = datetime(2024, 6, 28, tzinfo=UTC)
    asset.add_instrument_pricing_details({"instrument": {"coupon": 0.05}}, day)
    asset.add_instrument_pricing_details({"instrument": {"coupon": 0.04}}, day)
    stored = msc.Asset.get(asset.id).current_pricing_detail
    assert stored is not None
    assert (stored.instrument_dump, stored.pricing_details_date) == ({"instrument": {"coupon": 0.04}}, day)
    asset.clear_asset_pricing_details()
    assert msc.Asset.get(asset.id).current_pricing_detail is None


@pytest.mark.parametrize(
    ("fields", "calendar"),
    [
        ({"exchange_code": "US"}, "XNYS"),
        ({"exchange_code": "XLON"}, "XLON"),
        ({"exchange_code": "US", "calendar_name": "XTKS"}, "XTKS"),
        ({"security_market_sector": "Crypto"}, "24/7"),
    ],
)
def test_a_calendar_follows_from_the_asset(fields: dict[str, object], calendar: str) -> None:
    assert register("a", **fields)[0].get_calendar().name == calendar


def test_there_is_no_default_calendar() -> None:
    with pytest.raises(UnknownCalendarError, match="'a'"):
        register("a")[0].get_calendar()


def test_fields_change_only_through_verbs() -> None:
    asset = register("a")[0]
    with pytest.raises(ValueError, match="frozen"):
        asset.is_tradable = False
    asset.patch(is_tradable=False)
    assert not msc.Asset.get(asset.id).is_tradable


def test_repr_helps_and_never_fails() -> None:
    asset = register("<b>&", ticker="T", exchange_code="US")[0]
    assert repr(asset) == f"Asset(id={asset.id}, unique_identifier='<b>&', name='<b>&', ticker='T', exchange_code='US')"
    assert "&lt;b&gt;&amp;" in asset._repr_html_()
    assert repr(msc.Asset.__new__(msc.Asset)) == "Asset()"


def test_assets_are_equal_by_identity_and_can_be_keys_copied_and_pickled() -> None:
    first, second = register("a", "b")
    again = msc.Asset.get(first.id)
    again.patch(ticker="NEW")
    assert first == again
    assert first != second
    assert {first: 0.5, second: 0.5}[again] == 0.5
    assert copy.deepcopy(first) == first
    assert copy.deepcopy(first).refresh().ticker == "NEW"
    there_and_back = pickle.loads(pickle.dumps(first))
    assert there_and_back.refresh().ticker == "NEW"
    category = msc.AssetCategory.create(unique_identifier="u", assets=[first])
    before = hash(category)
    assert hash(category.append_assets(assets=[second])) == before
    assert again in category.get_assets()


def test_ids_may_be_whole_numbers_of_other_libraries() -> None:
    asset = register("a")[0]
    assert msc.Asset.get(np.int64(asset.id)) == asset
    assert msc.Asset.filter(id=np.int64(asset.id)) == [asset]
    assert msc.Asset.filter(id__in=np.array([asset.id])) == [asset]
    with pytest.raises(msc.ValidationError, match="unique_identifier="):
        msc.Asset.get("a")


@pytest.mark.parametrize("filters", [{"id": 2**70}, {"ticker__in": ["T\x00"]}, {"name": "\ud800"}])
def test_lookups_that_no_database_can_hold_are_refused(filters: dict[str, object]) -> None:
    with pytest.raises(msc.ValidationError):
        msc.Asset.filter(**filters)


def test_names_cannot_begin_in_the_future() -> None:
    asset = register("a")[0]
    with pytest.raises(InvalidIntervalError, match="future"):
        asset.patch(name="later", effective_from="2999-01-01")
    with pytest.raises(msc.ValidationError, match="is_tradable"):
        asset.patch(is_tradable=None)


@pytest.mark.parametrize("terms", [{"rate": float("nan")}, {"when": datetime(2024, 1, 1, tzinfo=UTC)}])
def test_terms_that_are_not_json_are_refused(terms: dict[str, object]) -> None:
    with pytest.raises(msc.ValidationError, match="JSON"):
        register("a")[0].add_instrument_pricing_details(terms, "2024-01-01")


def test_a_figi_that_an_asset_has_already_is_not_registered_twice() -> None:
    custom = register("apple", figi="BBG000B9XRY4")[0]
    assert msc.Asset.register_asset_from_figi("BBG000B9XRY4") == custom


def test_an_unknown_calendar_is_refused_where_it_is_used() -> None:
    with pytest.raises(UnknownCalendarError, match="NOPE"):
        register("a", calendar_name="NOPE")[0].get_calendar()


def test_a_refused_batch_names_every_item_that_is_wrong() -> None:
    every = r"2 of 3 assets are refused.*Item 0: .*blank.*Item 2: "
    with pytest.raises(InvalidIdentifierError, match=every) as refused:
        msc.Asset.batch_get_or_register_custom_assets(
            [{"unique_identifier": ""}, {"unique_identifier": "GOOD"}, {"unique_identifier": "B", "color": "red"}]
        )
    assert refused.value.context["items"] == [0, 2]
    assert msc.Asset.filter() == []
