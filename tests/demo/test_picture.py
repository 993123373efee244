from datetime import date
from pathlib import Path

import pytest

pytest.importorskip("matplotlib")
import pandas as pd

from mainsequence.demo.membership import Company, Spell
from mainsequence.demo.picture import Caption, Line, draw


def test_the_picture_is_a_png_and_the_same_for_the_same_numbers(tmp_path: Path):
    stamps = pd.date_range("2020-01-01 21:00", "2020-12-31 21:00", freq="B", tz="UTC")
    low = Line("low", pd.Series(1.0, stamps), "#1f5fbf")
    high = Line("high", pd.Series(range(1, len(stamps) + 1), stamps, dtype=float), "#d9762b")
    spells = (Spell(date(2019, 1, 1), date(2020, 3, 2)), Spell(date(2020, 6, 1)))
    companies = [Company("AAA", "A company", "BBG000B9XRY4", spells)]
    written = []
    for name in ("one.png", "two.png"):
        draw([low, high], (high, low), companies, Caption("Title", "Reading"), tmp_path / name)
        written.append((tmp_path / name).read_bytes())
    assert written[0] == written[1]
    assert written[0].startswith(b"\x89PNG")
    assert len(written[0]) > 20_000
