"""Identifiers become assets, or say why not; nothing is ever chosen that nobody asked to be chosen."""

import random

import pytest

import mainsequence.client as msc

AAPL_US, AAPL_GR, AAPL_LN = "BBG000B9XRY4", "BBG000B9Y5X2", "BBG000B9XSK2"


def register(*fields: dict[str, object]) -> dict[str, msc.Asset]:
    made = msc.Asset.batch_get_or_register_custom_assets(list(fields))
    return {asset.unique_identifier: asset for asset in made}


def listing(name: str, ticker: str, exchange: str, **more: object) -> dict[str, object]:
    return {"unique_identifier": name, "ticker": ticker, "exchange_code": exchange, "name": f"{name} Inc", **more}


def outcomes(report: msc.ResolutionReport) -> list[str]:
    return report.to_frame()["outcome"].tolist()


@pytest.fixture
def listings() -> dict[str, msc.Asset]:
    """One share on three exchanges, the first of which is the composite and at home."""
    return register(
        listing("apple_us", "AAPL", "US", isin="US0378331005", figi=AAPL_US, composite=AAPL_US),
        listing("apple_gr", "APC", "GR", isin="US0378331005", composite=AAPL_GR),
        listing("apple_ln", "AAPL", "LN", isin="US0378331005"),
    )


@pytest.mark.parametrize(
    ("kind", "identifier"),
    [
        ("unique_identifier", "apple_gr"),
        ("ticker", "APC"),
        ("name", "apple_gr Inc"),
        ("composite", AAPL_GR),
        ("any", "APC"),
    ],
)
def test_what_only_one_asset_has_means_that_asset(listings: dict[str, msc.Asset], kind: str, identifier: str) -> None:
    report = msc.Asset.resolve([identifier], kind)
    assert (report.ok, report.exit_code, report.asset_ids) == (True, 0, [listings["apple_gr"].id])


@pytest.mark.parametrize(
    ("policy", "chosen"),
    [
        ({}, None),
        ({"preferred_exchanges": ("LN",)}, "apple_ln"),
        ({"preferred_exchanges": ("XX", "GR", "US")}, "apple_gr"),
        ({"preferred_exchanges": ("XX",)}, None),
        ({"prefer": "composite"}, "apple_us"),
        ({"prefer": "primary"}, "apple_us"),
    ],
)
def test_several_listings_are_ambiguous_until_a_policy_chooses(
    listings: dict[str, msc.Asset], policy: dict[str, object], chosen: str | None
) -> None:
    report = msc.Asset.resolve(["US0378331005"], "isin", policy=msc.ListingPolicy(**policy))
    if chosen is None:
        (row,) = report.unresolved
        assert (row["outcome"], row["asset_id"]) == ("ambiguous", None)
        assert [each["unique_identifier"] for each in row["candidates"]] == ["apple_us", "apple_gr", "apple_ln"]
        assert "3 listings of one share" in row["why"]
    else:
        assert report.asset_ids == [listings[chosen].id]
        assert "of 3 by policy" in report.rows()[0]["why"]


def test_a_ticker_with_its_exchange_is_one_asset_and_elsewhere_nobody(listings: dict[str, msc.Asset]) -> None:
    report = msc.Asset.resolve([("AAPL", "LN"), ("AAPL", "US"), ("AAPL", "GR")], "ticker")
    assert report.asset_ids == [listings["apple_ln"].id, listings["apple_us"].id, None]
    assert report.unresolved[0]["why"] == "not on GR, only on LN, US"


def test_share_classes_of_one_ticker_are_named_as_such() -> None:
    register(
        listing("a", "X", "US", share_class="BBG001S5N8V8"),
        listing("b", "X", "LN", share_class="BBG001S5PQL7"),
    )
    (row,) = msc.Asset.resolve(["X"], "ticker").unresolved
    assert row["why"] == "2 share classes: a on US, b on LN"


def test_who_had_a_ticker_then_wins_over_who_has_it_now() -> None:
    old, new = register(listing("old", "T", "US"), listing("new", "SBC", "US")).values()
    old.patch(ticker="T-OLD", effective_from="2005-11-18")
    new.patch(ticker="T", effective_from="2005-11-21")
    assert msc.Asset.resolve(["T"], "ticker", as_of="2000-01-03").asset_ids == [old.id]
    assert msc.Asset.resolve(["T"], "ticker", as_of="2010-01-04").asset_ids == [new.id]
    (gap,) = msc.Asset.resolve(["T"], "ticker", as_of="2005-11-19").unresolved
    assert gap["outcome"] == "ambiguous"
    assert gap["why"] == "reused over time: old on US until 2005-11-18, new on US since 2005-11-21"


def test_an_earlier_ticker_is_reported_as_renamed_and_refused_where_that_is_asked() -> None:
    (meta,) = register(listing("meta", "FB", "US")).values()
    meta.patch(ticker="META", effective_from="2022-06-09")
    (row,) = msc.Asset.resolve(["FB"], "ticker").rows()
    assert (row["outcome"], row["asset_id"]) == ("renamed", meta.id)
    assert row["why"] == "it was so called until 2022-06-09; now META"
    assert outcomes(msc.Asset.resolve(["FB"], "ticker", as_of="2022-06-08")) == ["matched"]
    strict = msc.Asset.resolve(["FB"], "ticker", policy=msc.ListingPolicy(accept_renamed=False))
    assert (strict.ok, strict.asset_ids) == (False, [None])


def test_a_retired_asset_counts_only_where_nobody_else_fits() -> None:
    gone, here = register(listing("gone", "X", "US"), listing("here", "Y", "US")).values()
    gone.delete()
    (row,) = msc.Asset.resolve(["X"], "ticker").unresolved
    assert (row["outcome"], row["asset_id"]) == ("delisted", None)
    here.patch(ticker="X")
    assert msc.Asset.resolve(["X"], "ticker").asset_ids == [here.id]


def test_what_nobody_has_comes_with_near_names(listings: dict[str, msc.Asset]) -> None:
    (row,) = msc.Asset.resolve(["AAPLE"], "ticker").unresolved
    assert (row["outcome"], row["nearest"]) == ("unmatched", ["AAPL"])


def test_naming_an_asset_twice_is_reported_at_the_second_time(listings: dict[str, msc.Asset]) -> None:
    report = msc.Asset.resolve(["apple_us", "apple_gr", BBG := AAPL_US])
    assert BBG == AAPL_US
    assert outcomes(report) == ["matched", "matched", "duplicate"]
    assert report.unresolved[0]["why"] == "the same asset as at position 0"
    with pytest.raises(msc.ListRefusedError, match="duplicate"):
        report.raise_errors()


def test_capitals_matter_and_other_organizations_are_not_seen(listings: dict[str, msc.Asset]) -> None:
    assert outcomes(msc.Asset.resolve(["aapl"], "ticker")) == ["unmatched"]


@pytest.mark.parametrize(
    ("identifiers", "kind"),
    [
        (["x"], "sedol"),
        ([1], "isin"),
        ([("a", "US"), "b"], "ticker"),
        ([("a", "US")], "isin"),
        (["x"], ("isin", "mic")),
    ],
)
def test_what_cannot_be_asked_is_refused(identifiers: list[object], kind: object) -> None:
    with pytest.raises(msc.ValidationError):
        msc.Asset.resolve(identifiers, kind)  # type: ignore[arg-type]


def test_a_report_is_a_frame_a_text_and_a_page(listings: dict[str, msc.Asset]) -> None:
    report = msc.Asset.resolve(["APC", "US0378331005", "<b>"])
    frame = report.to_frame()
    assert frame.columns.tolist() == [
        *("identifier", "exchange_code", "outcome", "asset_id", "unique_identifier", "why", "candidates", "nearest"),
    ]
    assert frame["candidates"].tolist()[1] == ["apple_us", "apple_gr", "apple_ln"]
    assert repr(report) == "ResolutionReport(rows=3, ok=False, matched=1, ambiguous=1, unmatched=1)"
    assert "&lt;b&gt;" in report._repr_html_()
    empty = msc.Asset.resolve([])
    assert (len(empty), empty.ok, empty.to_frame().empty, bool(repr(empty))) == (0, True, True, True)


def test_ten_thousand_mixed_identifiers_give_what_was_planted() -> None:
    """Ten thousand rows in every state, drawn here and not by the platform; the report tells each of them."""
    draw = random.Random(20_260_630)
    shares = [listing(f"S{n:05}", f"TK{n:05}", "US", isin=isin(n)) for n in range(7_000)]
    twins = [listing(f"L{n:05}", f"TK{n:05}", "LN") for n in range(500)]  # the first 500 tickers are ambiguous
    assets = register(*shares, *twins, *(listing(f"G{n:03}", f"GONE{n:03}", "US") for n in range(100)))
    renamed = [assets[f"S{n:05}"] for n in range(6_900, 7_000)]
    for number, asset in enumerate(renamed[:20]):
        asset.patch(ticker=f"NEW{number:03}")
    for number in range(20):
        assets[f"G{number:03}"].delete()
    planted: list[tuple[str, str, str | None]] = []
    planted += [(f"TK{n:05}", "matched", f"S{n:05}") for n in range(500, 3_500)]
    planted += [(isin(n), "matched", f"S{n:05}") for n in range(3_500, 6_500)]
    planted += [(f"S{n:05}", "matched", f"S{n:05}") for n in range(6_500, 6_900)]
    planted += [(f"TK{n:05}", "ambiguous", None) for n in range(500)]
    planted += [(f"TK{n:05}", "renamed", f"S{n:05}") for n in range(6_900, 6_920)]
    planted += [(f"GONE{n:03}", "delisted", None) for n in range(20)]
    planted += [(f"TK{n:05}X", "unmatched", None) for n in range(60)]
    free = 10_000 - len(planted)
    repeated = draw.sample([row for row in planted if row[1] == "matched"], free)
    draw.shuffle(planted)
    planted += [(identifier, "duplicate", name) for identifier, _, name in repeated]
    report = msc.Asset.resolve([identifier for identifier, _, _ in planted])
    found = [(row["identifier"], row["outcome"], row["unique_identifier"]) for row in report.rows()]
    assert found == planted
    assert sum(report.counts.values()) == 10_000


def isin(number: int) -> str:
    """Give a well-formed ISIN, its check digit by ISO 6166."""
    body = f"US{number:09}"
    digits = "".join(str(int(char, 36)) for char in body)
    total = sum(
        sum(divmod(int(digit) * (2 if place % 2 == 0 else 1), 10)) for place, digit in enumerate(reversed(digits))
    )
    return f"{body}{-total % 10}"


def test_what_no_asset_can_be_called_is_unmatched() -> None:
    names = ["", " ", "a\x00b", "x" * 5_000, "';--", "%"]
    assert outcomes(msc.Asset.resolve(names)) == ["unmatched"] * len(names)
