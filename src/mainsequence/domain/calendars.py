"""Which trading calendar an asset follows (METHODOLOGY section 1): its own, its exchange's, or 24/7 for crypto.

There is no default. An asset that says nothing of these is refused, by name.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from types import MappingProxyType

from mainsequence.errors import UnknownCalendarError

ALWAYS_OPEN = "24/7"

_COMPOSITES_AND_VENUES = {
    # Bloomberg composite codes first, then the venue codes of the same market.
    "XNYS": "US UN UQ UW UR UA UP UB UD UF UM UV UX PQ",
    "XTSE": "CN CT CV",
    "XMEX": "MM MF",
    "BVMF": "BZ BS BV",
    "XBUE": "AR AF",
    "XSGO": "CI CC",
    "XBOG": "CB CX",
    "XLIM": "PE",
    "XBDA": "BH",
    "XLON": "LN",
    "XDUB": "ID",
    "XETR": "GR GY",
    "XFRA": "GF",
    "XSTU": "GS",
    "XDUS": "GD",
    "XHAM": "GH",
    "XPAR": "FP",
    "XAMS": "NA",
    "XBRU": "BB",
    "XLUX": "LX",
    "XLIS": "PL",
    "XMIL": "IM",
    "XMAD": "SM SQ",
    "XSWX": "SW SE",
    "XWBO": "AV",
    "XSTO": "SS",
    "XCSE": "DC",
    "XHEL": "FH",
    "XOSL": "NO",
    "XICE": "IR",
    "XWAR": "PW",
    "XPRA": "CP",
    "XBUD": "HB",
    "XBSE": "RO",
    "XLJU": "SV",
    "XZAG": "CZ",
    "XTAL": "ET",
    "XRIS": "LR",
    "XLIT": "LH",
    "XBRA": "SK",
    "ASEX": "GA",
    "XCYS": "CY",
    "XIST": "TI",
    "XMOS": "RM RX",
    "XTAE": "IT",
    "XSAU": "AB",
    "XJSE": "SJ",
    "XTKS": "JP JT",
    "XKRX": "KS KP KQ",
    "XHKG": "HK",
    "XSHG": "CH CG CS C1 C2",
    "XTAI": "TT",
    "XSES": "SP",
    "XKLS": "MK",
    "XIDX": "IJ",
    "XBKK": "TB",
    "XPHS": "PM",
    "XBOM": "IN IB IS",
    "XKAR": "PA PK",
    "XASX": "AU AT",
    "XNZE": "NZ",
}

_OTHER_MICS = {
    # Market identifier codes (ISO 10383) whose sessions are those of another code's calendar.
    "XNYS": "XNAS XNGS XNMS XNCM XASE ARCX BATS BATY EDGX EDGA IEXG XCHI OOTC OTCM PINX XOTC MEMX LTSE XPHL XPSX",
    "XTSE": "XTSX XTNX NEOE XCNQ",
    "BVMF": "XBSP",
    "XLON": "AIMX XLOM",
    "XDUB": "XESM XMSM",
    "XETR": "XETA XETB XETS",
    "XFRA": "FRAA FRAB",
    "XPAR": "ALXP XMLI",
    "XAMS": "ALXA TNLA",
    "XBRU": "ALXB TNLB MLXB",
    "XLIS": "ALXL ENXL",
    "XMIL": "MTAA EXGM ETFP MTAX",
    "XSWX": "XVTX",
    "XSTO": "FNSE SSME",
    "XCSE": "FNDK DSME",
    "XHEL": "FNFI FSME",
    "XICE": "FNIS",
    "XOSL": "MERK XOAS",
    "XMOS": "MISX RTSX",
    "XKRX": "XKOS XKON",
    "XSHG": "XSHE SHSC SZSC XSSC XSEC",
    "XTAI": "ROCO",
    "XHKG": "XGEM",
    "XBOM": "XNSE",
    "XTKS": "XJPX XTK1 XTK2 XTK3",
    "XBKK": "XMAI",
}


def _by_code(groups: Mapping[str, str]) -> dict[str, str]:
    return {code: name for name, codes in groups.items() for code in codes.split()}


CALENDAR_OF_EXCHANGE_CODE: Mapping[str, str] = MappingProxyType(_by_code(_COMPOSITES_AND_VENUES))
"""Composite and venue exchange codes (``US``, ``LN``, ``JP``…) to calendar names."""

CALENDAR_OF_MIC: Mapping[str, str] = MappingProxyType(
    {name: name for name in _COMPOSITES_AND_VENUES} | _by_code(_OTHER_MICS)
)
"""Market identifier codes (``XNAS``, ``XETR``, ``MTAA``…) to calendar names."""

_CRYPTO_WORDS = ("crypto", "cryptocurrency", "digital asset", "digital currency")


def is_crypto(*descriptions: str | None) -> bool:
    """Tell whether any of an asset's type or sector descriptions says crypto (``Crypto``, ``CRYPTOCURRENCY_SPOT``…)."""
    words = [text.lower().replace("_", " ") for text in descriptions if text]
    return any(crypto in text for text in words for crypto in _CRYPTO_WORDS)


def calendar_of_exchange(code: str) -> str | None:
    """Give the calendar of a composite exchange code or MIC, or None when neither is known."""
    key = code.strip().upper()
    return CALENDAR_OF_EXCHANGE_CODE.get(key) or CALENDAR_OF_MIC.get(key)


def calendar_name_for(
    asset: str,
    *,
    calendar: str | None = None,
    exchange_code: str | None = None,
    mic: str | None = None,
    kinds: tuple[str | None, ...] = (),
) -> str:
    """Name the trading calendar of an asset.

    Parameters
    ----------
    asset
        The asset's unique identifier, for the error.
    calendar
        The asset's own calendar, when it has one: taken as it is.
    exchange_code
        Composite or venue exchange code of the current snapshot, or a MIC.
    mic
        Market identifier code, when known apart from the exchange code.
    kinds
        Security type, second security type and market sector: crypto trades 24/7.

    Raises
    ------
    UnknownCalendarError
        None of these names a calendar. There is no default.
    """
    if calendar and calendar.strip():
        return calendar.strip()
    for code in (exchange_code, mic):
        found = calendar_of_exchange(code) if code else None
        if found:
            return found
    if is_crypto(*kinds):
        return ALWAYS_OPEN
    raise _no_calendar(asset, exchange_code or mic)


def _no_calendar(asset: str, code: str | None) -> UnknownCalendarError:
    if code is None:
        found = "it has no exchange code and is not crypto"
    else:
        found = f"its exchange code {code!r} is not known"
    near = difflib.get_close_matches((code or "").upper(), [*CALENDAR_OF_EXCHANGE_CODE, *CALENDAR_OF_MIC], n=3)
    return UnknownCalendarError(
        f"No trading calendar for asset {asset!r}: {found}.",
        hint=("Did you mean " + ", ".join(near) + "? " if near else "")
        + "Give the asset a calendar of its own, or an exchange code or MIC that is known.",
        asset=asset,
        exchange_code=code,
        nearest=near,
    )
