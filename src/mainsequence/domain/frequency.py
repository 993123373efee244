"""How often a series has a bar: a number and a unit, read once at the edge (METHODOLOGY section 1)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator
from pydantic_core import core_schema

from mainsequence.domain.times import MICROS_PER_DAY, MICROS_PER_SECOND
from mainsequence.errors import ValidationError

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler

_UNITS = {"s": MICROS_PER_SECOND, "m": 60 * MICROS_PER_SECOND, "h": 3_600 * MICROS_PER_SECOND, "d": MICROS_PER_DAY}
_SHAPE = re.compile(r"([1-9][0-9]{0,4})([smhd])")
_HINT = "Write a whole number and one of s, m, h, d: '1m', '5m', '1h', '1d'."


@dataclass(frozen=True, slots=True, order=True)
class Frequency:
    """The length of a bar.

    A day is one session of a calendar, whatever its length; everything shorter is a length of time within a session.
    Works as a pydantic field: read from text, written as text.

    Parameters
    ----------
    micros
        Length in microseconds; 86,400,000,000 for one day.
    """

    micros: int

    @classmethod
    def parse(cls, value: str | Frequency) -> Frequency:
        """Read ``"1d"``, ``"5m"``, ``"1h"`` and the like; a `Frequency` is given back as it is.

        Raises
        ------
        ValidationError
            Anything else, and sub-daily lengths of a day or more (``"24h"``): a day is a session, not 24 hours.
        """
        if isinstance(value, Frequency):
            return value
        shape = _SHAPE.fullmatch(str(value))
        if shape is None:
            raise ValidationError(f"{value!r} is not a frequency.", hint=_HINT, found=str(value))
        return cls._of(value, int(shape[1]), shape[2])

    @classmethod
    def _of(cls, text: str, count: int, unit: str) -> Frequency:
        micros = count * _UNITS[unit]
        if unit != "d" and micros >= MICROS_PER_DAY:
            raise ValidationError(
                f"{text!r} is not a frequency: a day is one session, not 24 hours.", hint="Write '1d'.", found=text
            )
        return cls(micros)

    @property
    def step(self) -> timedelta:
        """Length of a bar as a `timedelta`."""
        return timedelta(microseconds=self.micros)

    @property
    def is_daily(self) -> bool:
        """Is a bar one session?"""
        return self.micros == MICROS_PER_DAY

    @property
    def is_intraday(self) -> bool:
        """Is a bar shorter than a session?"""
        return self.micros < MICROS_PER_DAY

    def is_multiple_of(self, finer: Frequency) -> bool:
        """Tell whether whole bars of ``finer`` make up a bar of this frequency.

        A session is always made of whole intraday bars: its last one may be short.
        """
        if finer.is_intraday and not self.is_intraday:
            return True
        return finer.is_intraday == self.is_intraday and self.micros % finer.micros == 0

    def __str__(self) -> str:
        unit = next(name for name in "dhms" if self.micros % _UNITS[name] == 0)
        return f"{self.micros // _UNITS[unit]}{unit}"

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls.parse,
            json_schema_input_schema=core_schema.str_schema(pattern=f"^{_SHAPE.pattern}$"),
            serialization=core_schema.to_string_ser_schema(),
        )


DAILY = Frequency(MICROS_PER_DAY)

FrequencyText = Annotated[str, AfterValidator(lambda text: str(Frequency.parse(text)))]
"""A frequency as stored and shown: text such as ``1d``, refused where it is none."""
