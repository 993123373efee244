"""The main job on a fresh home, against a plain loop over the same published closes and dates."""

from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("skfolio")
pytest.importorskip("matplotlib")
import numpy as np
import pandas as pd
from rich.console import Console
from skfolio.datasets import load_sp500_dataset

import mainsequence.client as msc
from mainsequence.demo.main import DemoResult, run
from mainsequence.demo.membership import COMPANIES
from mainsequence.demo.portfolios import COMMISSION, STEADY
from mainsequence.errors import ConfigurationError


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


def demo(place: Path) -> tuple[DemoResult, str]:
    console = Console(width=80)
    with console.capture() as captured:
        result = run(place / "home", place / "pictures" / "demo.png", console)
    return result, captured.get()


@pytest.fixture(scope="module")
def first(place: Path) -> tuple[DemoResult, str]:
    return demo(place)


def by_hand(targets: np.ndarray) -> np.ndarray:
    """NAV of trading to its row of targets at the first session of each month (METHODOLOGY section 4)."""
    closes = load_sp500_dataset()
    returns = closes.pct_change().fillna(0.0).to_numpy()
    months = closes.index.year * 12 + closes.index.month
    held, worth, nav = np.zeros(closes.shape[1]), 1.0, []
    for row in range(len(closes)):
        growth = float(held @ returns[row])
        drifted = held * (1 + returns[row]) / (1 + growth)
        trades = row == 0 or months[row] != months[row - 1]
        held = targets[row] if trades else drifted
        worth *= (1 + growth) * (1 - COMMISSION * np.abs(held - drifted).sum())
        nav.append(worth)
    return np.array(nav)


def equal(members: np.ndarray) -> np.ndarray:
    return members / members.sum(axis=1, keepdims=True)


def members_by_hand() -> np.ndarray:
    days = load_sp500_dataset().index
    inside = [
        np.any([(days >= str(s.start)) & (days < str(s.end or "2100-01-01")) for s in company.spells], axis=0)
        for company in COMPANIES
    ]
    return np.column_stack(inside).astype(float)


@pytest.mark.parametrize(
    ("place_in_table", "targets"),
    [
        (0, lambda: equal(members_by_hand())),
        (1, lambda: equal(np.tile([float(c.is_member_today) for c in COMPANIES], (8_313, 1)))),
        (2, lambda: np.tile([0.2 * (c.ticker in STEADY) for c in COMPANIES], (8_313, 1))),
    ],
    ids=["members as they were", "today's members", "five fixed weights"],
)
def test_each_portfolio_is_worth_what_a_plain_loop_says(
    first: tuple[DemoResult, str], place_in_table: int, targets: Callable[[], np.ndarray]
):
    nav = first[0].measured[place_in_table].nav
    np.testing.assert_allclose(nav.to_numpy(), by_hand(targets()), rtol=1e-9)
    assert nav.index[0] == pd.Timestamp("1990-01-02 21:00", tz="UTC")


def test_it_says_what_it_found_and_where_the_picture_is(first: tuple[DemoResult, str], place: Path):
    result, told = first
    assert "Ignoring membership dates would have added" in told
    assert result.picture == place / "pictures" / "demo.png"
    assert result.picture.name in told
    assert result.picture.read_bytes().startswith(b"\x89PNG")


def test_a_second_run_writes_nothing_new(first: tuple[DemoResult, str], place: Path):
    with msc.session(str(place / "home")):
        before = {series.unique_identifier: len(series.history()) for series in msc.Series.filter()}
        revisions = {each.unique_identifier: each.revision for each in msc.AssetCategory.filter()}
    again, told = demo(place)
    assert again.rows_written == 0
    assert told.count("nothing new") == 4
    for label, now in zip(first[0].measured, again.measured, strict=True):
        pd.testing.assert_series_equal(label.nav, now.nav, check_exact=True)
    with msc.session(str(place / "home")):
        assert {series.unique_identifier: len(series.history()) for series in msc.Series.filter()} == before
        assert {each.unique_identifier: each.revision for each in msc.AssetCategory.filter()} == revisions


def test_the_portfolios_are_published_each_as_an_asset_too(first: tuple[DemoResult, str], place: Path):
    with msc.session(str(place / "home")):
        group = msc.PortfolioGroup.get(unique_identifier="large_caps_demo")
        portfolios = msc.Portfolio.filter()
        assert len(portfolios) == 3
        assert {each.index_asset.unique_identifier for each in portfolios} == {
            each.unique_identifier for each in portfolios
        }
        assert group.display_name == "Large caps demo"


def test_a_picture_that_cannot_be_written_is_refused_by_name(first: tuple[DemoResult, str], place: Path):
    (place / "a file").touch()
    with pytest.raises(ConfigurationError, match="a file"):
        run(place / "home", place / "a file" / "demo.png", Console(quiet=True))
