"""Frequencies are read once, print as they are written, and refuse nonsense."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import BaseModel

from mainsequence.domain.frequency import DAILY, Frequency
from mainsequence.errors import ValidationError


@pytest.mark.parametrize(
    ("text", "step"),
    [
        ("1s", timedelta(seconds=1)),
        ("1m", timedelta(minutes=1)),
        ("5m", timedelta(minutes=5)),
        ("90m", timedelta(minutes=90)),
        ("1h", timedelta(hours=1)),
        ("1d", timedelta(days=1)),
        ("7d", timedelta(days=7)),
    ],
)
def test_a_frequency_reads_and_prints(text: str, step: timedelta) -> None:
    frequency = Frequency.parse(text)
    assert frequency.step == step
    assert str(frequency) == text
    assert Frequency.parse(frequency) is frequency


def test_equal_lengths_are_equal_frequencies() -> None:
    assert Frequency.parse("60m") == Frequency.parse("1h")
    assert str(Frequency.parse("60m")) == "1h"
    assert hash(Frequency.parse("60m")) == hash(Frequency.parse("1h"))


@pytest.mark.parametrize(
    "text",
    ["", "d", "1", "0d", "-5m", "1.5h", "1 d", "1D", "1w", "1x", "24h", "1440m", "05m", "1d\n", "999999m", 5, None],
)
def test_nonsense_is_refused(text: object) -> None:
    with pytest.raises(ValidationError):
        Frequency.parse(text)  # type: ignore[arg-type]


def test_a_day_is_a_session() -> None:
    assert DAILY.is_daily
    assert not DAILY.is_intraday
    assert not Frequency.parse("7d").is_daily
    assert Frequency.parse("1h").is_intraday


@pytest.mark.parametrize(
    ("coarse", "fine", "answer"),
    [
        ("5m", "1m", True),
        ("1h", "5m", True),
        ("1h", "1h", True),
        ("1d", "7m", True),
        ("7d", "1d", True),
        ("7m", "5m", False),
        ("1m", "5m", False),
        ("1h", "1d", False),
        ("3d", "2d", False),
    ],
)
def test_coarse_bars_are_whole_multiples(coarse: str, fine: str, answer: bool) -> None:
    assert Frequency.parse(coarse).is_multiple_of(Frequency.parse(fine)) is answer


def test_a_frequency_is_a_pydantic_field() -> None:
    class Settings(BaseModel):
        every: Frequency

    assert Settings(every="5m").every == Frequency.parse("5m")  # type: ignore[arg-type]
    assert Settings(every=DAILY).model_dump_json() == '{"every":"1d"}'
    assert Settings.model_json_schema()["properties"]["every"]["type"] == "string"
    with pytest.raises(ValueError, match="not a frequency"):
        Settings(every="fortnightly")  # type: ignore[arg-type]
