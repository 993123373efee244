"""Pages of portfolios: what they hold, what they were made from, whatever somebody registered."""

import re
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import mainsequence.client as msc
from mainsequence.server.pages import pictures
from tests.pages.conftest import MEAN, Browser, Desk


@pytest.fixture(scope="module")
def admin(desk: Desk) -> Browser:
    return desk.browser(desk.wire.token)


def test_a_portfolio_says_what_it_holds_and_was_made_from(admin: Browser):
    (path,) = (link for link in admin.open("/ui/portfolios?q=fund").links if re.fullmatch(r"/ui/portfolios/\d+", link))
    found = admin.open(path)
    assert re.search(r"a002.*50\.0000 %.*a001.*25\.0000 %.*Cash\s*25\.0000 %", found.text, re.DOTALL)
    assert "Venues 7 " in found.text
    assert "No portfolio fits." in admin.open("/ui/portfolios?q=nothing like it").text


STRANGE = [
    {"segments": [{"universe": MEAN}], "sources": ["a", "list"], "prices_series": 7, "flags": MEAN},
    {"segments": {"a": 1}, "flags": [1, {}, {"message": MEAN}]},
    {"segments": "text", "sources": {"a": None}, "price_column": {"b": [MEAN]}},
]


@pytest.mark.parametrize("manifest", STRANGE)
def test_a_manifest_may_say_anything(desk: Desk, admin: Browser, manifest: dict[str, Any]):
    with msc.session(desk.address, desk.wire.token):
        made = msc.Portfolio.get_or_create(unique_identifier=f"says {manifest}"[:80], manifest=manifest)
    admin.open(f"/ui/portfolios/{made.id}")


def registered(desk: Desk, name: str, values: dict[str, str] | None, weights: dict[str, str] | None) -> str:
    """Register a portfolio that others compute; gives its page."""
    with msc.session(desk.address, desk.wire.token):
        for kind, columns in (("values", values), ("weights", weights)):
            if columns is not None:
                msc.Series.create(f"{name} {kind}", columns, by_asset=kind == "weights")
        series = {"values_series": f"{name} values", "weights_series": f"{name} weights"}
        return f"/ui/portfolios/{msc.Portfolio.get_or_create(unique_identifier=name, **series).id}"


@pytest.mark.parametrize(
    ("name", "values", "weights", "said"),
    [
        ("no series", None, None, "There is no series 'no series values'."),
        ("no close", {"open": "float64"}, {"weight_current": "float64"}, "The series has no column 'close'."),
        ("no rows", {"close": "float64"}, {"weight_current": "float64"}, "Nothing is stored yet."),
    ],
)
def test_a_portfolio_whose_series_cannot_be_read_is_shown_all_the_same(
    desk: Desk, admin: Browser, name: str, values: dict[str, str] | None, weights: dict[str, str] | None, said: str
):
    path = registered(desk, name, values, weights)
    assert said in admin.open(path).text
    assert "No values yet" in admin.http.get(f"{path}/values.svg").text


def test_what_a_portfolio_holds_leads_to_assets_that_there_are(desk: Desk, admin: Browser):
    path = registered(desk, "elsewhere", {"close": "float64"}, {"weight_current": "float64"})
    with msc.session(desk.address, desk.wire.token):
        at = pd.DatetimeIndex(["2024-01-02T21:00Z"], name="time_index")
        msc.Series.get(unique_identifier="elsewhere values").append(pd.DataFrame({"close": [1.0]}, index=at))
        held = pd.MultiIndex.from_product([at, ["a001", "unheard of"]], names=["time_index", "unique_identifier"])
        weights = pd.DataFrame({"weight_current": [0.75, 0.25]}, index=held)
        msc.Series.get(unique_identifier="elsewhere weights").append(weights)
    found = admin.open(path)
    assert "unheard of not registered" in found.text
    assert [link for link in found.links if "find" in link] == ["/ui/find?kind=asset&name=a001"]


def test_a_portfolio_of_cash_says_so(desk: Desk, admin: Browser):
    path = registered(desk, "all cash", {"close": "float64"}, {"weight_current": "float64"})
    with msc.session(desk.address, desk.wire.token):
        at = pd.DatetimeIndex(["2024-01-02T21:00Z"], name="time_index")
        msc.Series.get(unique_identifier="all cash values").append(pd.DataFrame({"close": [1.0]}, index=at))
    assert re.search(r"Nothing but cash\.\s*Cash\s*100\.0000 %", admin.open(path).text)


def test_a_portfolio_leads_to_the_members_that_it_was_made_from(desk: Desk, admin: Browser):
    manifest = {
        "segments": [{"universe": "daily@1"}, {"universe": "core@1", "prices_version": 3}],
        "prices_series": "prices",
        "flags": [{"code": "cash", "message": "A third was cash.", "hint": "Look at the signal."}],
    }
    with msc.session(desk.address, desk.wire.token):
        made = msc.Portfolio.get_or_create(unique_identifier="pinned", manifest=manifest)
        core = msc.AssetCategory.get(unique_identifier="core")
    found = admin.open(f"/ui/portfolios/{made.id}")
    assert "A third was cash. Look at the signal." in found.text
    assert "prices@3" in found.text
    (link,) = (each for each in found.links if "core" in each)
    target = admin.http.get(link).headers["Location"]
    assert target.startswith(f"/ui/universes/{core.id}/members?revision=1&as_of=20")
    assert re.findall(r"\ba\d\d\d\b", admin.open(target).text) == [f"a{n:03}" for n in range(10)]


@pytest.mark.parametrize(
    ("times", "close", "is_drawn"),
    [
        (["2020-01-01", "2020-01-02", "9999-12-31"], [1.0, 2.0, 3.0], True),
        (["0001-01-01", "2020-01-02", "2020-01-03"], [1.0, 2.0, 3.0], True),
        (["2020-01-01", "2020-01-02", "2020-01-03"], [1.0, -1.7e308, 1.7e308], True),
        (["2020-01-01", "2020-01-02"], [None, float("inf")], False),
    ],
)
def test_values_that_no_axis_shows_are_left_out(times: list[str], close: list[float | None], *, is_drawn: bool):
    stamps = pa.array(np.array(times, "M8[us]"), pa.timestamp("us", "UTC"))
    picture = ET.fromstring(pictures.values(pa.table({"time_index": stamps, "close": pa.array(close, pa.float64())})))
    assert ("No values yet" in "".join(picture.itertext())) != is_drawn
