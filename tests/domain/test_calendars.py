"""An asset's calendar is its own, its exchange's, or 24/7 for crypto; never a guess."""

from __future__ import annotations

import pytest

from mainsequence.domain.calendars import (
    CALENDAR_OF_EXCHANGE_CODE,
    CALENDAR_OF_MIC,
    calendar_name_for,
    is_crypto,
)
from mainsequence.errors import UnknownCalendarError


@pytest.mark.parametrize(
    ("code", "calendar"),
    [
        ("US", "XNYS"),
        ("UW", "XNYS"),
        ("LN", "XLON"),
        ("GR", "XETR"),
        ("JP", "XTKS"),
        ("AU", "XASX"),
        ("HK", "XHKG"),
        ("FP", "XPAR"),
        ("SW", "XSWX"),
        ("CN", "XTSE"),
        ("us", "XNYS"),
        ("XNAS", "XNYS"),
        ("XTKS", "XTKS"),
        ("MTAA", "XMIL"),
        ("XSHE", "XSHG"),
    ],
)
def test_exchange_codes_and_mics_name_their_calendar(code: str, calendar: str) -> None:
    assert calendar_name_for("a", exchange_code=code) == calendar
    assert calendar_name_for("a", mic=code) == calendar


def test_the_assets_own_calendar_comes_first() -> None:
    assert calendar_name_for("a", calendar="SIFMAUS", exchange_code="US", kinds=("Crypto",)) == "SIFMAUS"


def test_the_exchange_comes_before_the_kind_of_asset() -> None:
    assert calendar_name_for("a crypto fund", exchange_code="US", kinds=("Crypto ETP",)) == "XNYS"


@pytest.mark.parametrize("kind", ["Crypto", "CRYPTOCURRENCY_SPOT", "Digital Asset", "crypto"])
def test_crypto_never_closes(kind: str) -> None:
    assert is_crypto(None, kind)
    assert calendar_name_for("BTC", exchange_code="Binance", kinds=("Curncy", kind)) == "24/7"


@pytest.mark.parametrize("known", [{}, {"calendar": " "}, {"exchange_code": "ZZZ"}, {"kinds": ("Common Stock", None)}])
def test_there_is_no_default(known: dict[str, object]) -> None:
    with pytest.raises(UnknownCalendarError, match="'thing'") as caught:
        calendar_name_for("thing", **known)  # type: ignore[arg-type]
    assert caught.value.context["asset"] == "thing"


def test_near_misses_are_suggested() -> None:
    with pytest.raises(UnknownCalendarError, match="XNYS"):
        calendar_name_for("thing", mic="XNYZ")


def test_every_calendar_named_here_exists() -> None:
    exchange_calendars = pytest.importorskip("exchange_calendars")
    known = set(exchange_calendars.get_calendar_names())
    named = {*CALENDAR_OF_EXCHANGE_CODE.values(), *CALENDAR_OF_MIC.values()}
    assert named <= known
