"""In which country an exchange is, by its composite code or MIC."""

from collections.abc import Mapping
from types import MappingProxyType

from mainsequence.domain.calendars import calendar_of_exchange

_CALENDARS = {
    "US": "XNYS",
    "CA": "XTSE",
    "MX": "XMEX",
    "BR": "BVMF",
    "AR": "XBUE",
    "CL": "XSGO",
    "CO": "XBOG",
    "PE": "XLIM",
    "BM": "XBDA",
    "GB": "XLON",
    "IE": "XDUB",
    "DE": "XETR XFRA XSTU XDUS XHAM",
    "FR": "XPAR",
    "NL": "XAMS",
    "BE": "XBRU",
    "LU": "XLUX",
    "PT": "XLIS",
    "IT": "XMIL",
    "ES": "XMAD",
    "CH": "XSWX",
    "AT": "XWBO",
    "SE": "XSTO",
    "DK": "XCSE",
    "FI": "XHEL",
    "NO": "XOSL",
    "IS": "XICE",
    "PL": "XWAR",
    "CZ": "XPRA",
    "HU": "XBUD",
    "RO": "XBSE",
    "SI": "XLJU",
    "HR": "XZAG",
    "EE": "XTAL",
    "LV": "XRIS",
    "LT": "XLIT",
    "SK": "XBRA",
    "GR": "ASEX",
    "CY": "XCYS",
    "TR": "XIST",
    "RU": "XMOS",
    "IL": "XTAE",
    "SA": "XSAU",
    "ZA": "XJSE",
    "JP": "XTKS",
    "KR": "XKRX",
    "HK": "XHKG",
    "CN": "XSHG",
    "TW": "XTAI",
    "SG": "XSES",
    "MY": "XKLS",
    "ID": "XIDX",
    "TH": "XBKK",
    "PH": "XPHS",
    "IN": "XBOM",
    "PK": "XKAR",
    "AU": "XASX",
    "NZ": "XNZE",
}

COUNTRY_OF_CALENDAR: Mapping[str, str] = MappingProxyType(
    {calendar: country for country, calendars in _CALENDARS.items() for calendar in calendars.split()}
)
"""ISO 3166 country codes, as ISINs begin with, by the calendar of the country's exchanges."""


def country_of_exchange(code: str) -> str | None:
    """Give the country of an exchange (``US``, ``LN``, ``XETR`` …), or None where it is not known."""
    calendar = calendar_of_exchange(code)
    return None if calendar is None else COUNTRY_OF_CALENDAR.get(calendar)
