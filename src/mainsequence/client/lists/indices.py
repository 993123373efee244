"""The members of indices as the package ``pytickersymbols`` brings them: without network, as of its release.

The package is under the MIT licence. Its lists (DAX, S&P 500, Nikkei 225 …) come from Wikipedia and are as good.
"""

from collections.abc import Mapping
from difflib import get_close_matches
from importlib.metadata import version
from types import MappingProxyType
from typing import Any

from mainsequence.client.lists.columns import normal
from mainsequence.client.lists.sheets import Sheet
from mainsequence.domain.assets import AssetRegistration
from mainsequence.domain.exchanges import country_of_exchange
from mainsequence.domain.identifiers import check_isin, identifier_from_name
from mainsequence.errors import ConfigurationError, InvalidIdentifierError, NotFoundError

EXCHANGES: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("NYSE", "NASDAQ", "OTCMKTS", "NYSEARCA"), "US"),
        **dict.fromkeys(("FRA", "ETR"), "GR"),
        "LON": "LN",
        "TYO": "JP",
        "EPA": "FP",
        "AMS": "NA",
        "EBR": "BB",
        "BIT": "IM",
        "BME": "SM",
        **dict.fromkeys(("SWX", "VTX"), "SW"),
        "STO": "SS",
        "HEL": "FH",
    }
)
"""Composite exchange codes by the prefixes with which the package names listings."""


Listing = tuple[str | None, str | None]
"""A ticker, and the composite code of its exchange."""

AMERICAN = frozenset({"DOW JONES", "NASDAQ 100", "S&P 100", "S&P 500", "S&P 600"})
"""Indices whose members' symbols are tickers in the United States, whatever other listings the package names."""


def available() -> list[str]:
    """List the indices that can be loaded by name."""
    return sorted(_indices())


def index_sheet(name: str) -> Sheet:
    """Give the members of an index as a list, with what the package tells of each: ISIN, listings, industries, country.

    The identifier is the ISIN where the package has exactly one, else the symbol, else the name.

    Raises
    ------
    NotFoundError
        The package has no such index; near names are given.
    ConfigurationError
        The package is not installed.
    """
    companies, american = _companies(name)
    shared = _shared_isins(companies)
    columns: dict[str, list[Any]] = {"identifier": [], "name": [], "isin": [], "ticker": [], "exchange_code": []}
    for company in companies:
        for column, value in _described(company, shared, american=american).items():
            columns[column].append(value)
    source = f"{name} of pytickersymbols {version('pytickersymbols')}"
    described = (_registration(each, shared, american=american) for each in companies)
    told = {each.unique_identifier: each for each in described}
    return Sheet(source, columns, list(range(1, len(companies) + 1)), known_as=told)


def universe_name(name: str) -> str:
    """Give the identifier of the universe that an index becomes: ``S&P 500`` becomes ``s_p_500``."""
    return identifier_from_name(name)


def _companies(name: str) -> tuple[list[dict[str, Any]], bool]:
    indices = _indices()
    spelled = {normal(each): each for each in indices}
    if normal(name) not in spelled:
        near = get_close_matches(normal(name), spelled, n=3, cutoff=0.4)
        raise NotFoundError(
            f"There is no index {name!r}.",
            hint=f"Did you mean {', '.join(spelled[each] for each in near)}?"
            if near
            else f"There are {', '.join(indices)}.",
        )
    companies: list[dict[str, Any]] = indices[spelled[normal(name)]]["companies"]
    return companies, spelled[normal(name)] in AMERICAN


def _shared_isins(companies: list[dict[str, Any]]) -> set[str]:
    """Give the ISINs that the package has for members of different symbols, and which therefore tell nothing."""
    holders: dict[str, set[Any]] = {}
    for each in companies:
        for isin in each.get("isins") or ():
            holders.setdefault(isin, set()).add(each.get("symbol"))
    return {isin for isin, symbols in holders.items() if len(symbols) > 1}


def _indices() -> dict[str, Any]:
    try:
        from pytickersymbols.indices_data import INDICES
    except ImportError as error:
        raise ConfigurationError(
            "The lists of indices come with pytickersymbols, which is not installed.",
            hint="pip install 'mainsequence-platform[indices]'",
        ) from error
    found: dict[str, Any] = INDICES
    return found


def _described(company: Mapping[str, Any], shared: set[str], *, american: bool) -> dict[str, str | None]:
    isin, symbol, name = _isin(company, shared), company.get("symbol") or None, company["name"]
    ticker, code = (symbol, "US") if american and symbol else _listing(company, isin)
    return {"identifier": isin or symbol or name, "name": name, "isin": isin, "ticker": ticker, "exchange_code": code}


def _registration(company: Mapping[str, Any], shared: set[str], *, american: bool) -> AssetRegistration:
    told = _described(company, shared, american=american)
    properties = {name: company[name] for name in ("symbols", "industries", "country") if company.get(name)}
    snapshot: dict[str, Any] = {
        "name": told["name"],
        "ticker": told["ticker"],
        "exchange_code": told["exchange_code"],
        "venue_specific_properties": properties,
    }
    identity = {"unique_identifier": told["identifier"], "isin": told["isin"], "security_market_sector": "Equity"}
    return AssetRegistration.parse({**identity, "snapshot": snapshot})


def _isin(company: Mapping[str, Any], shared: set[str]) -> str | None:
    """Give the ISIN, where the package has exactly one: of several it does not say which is the member's."""
    isins: list[str] = company.get("isins") or []
    if len(isins) != 1 or isins[0] in shared:
        return None
    try:
        return check_isin(isins[0])
    except InvalidIdentifierError:
        return None


def _listing(company: Mapping[str, Any], isin: str | None) -> Listing:
    """Give ticker and exchange of the listing that bears the company's symbol, at home where the ISIN tells."""
    symbol = company.get("symbol") or None
    bearing: list[Listing] = []
    for each in company.get("symbols") or ():
        prefix, _, ticker = str(each.get("google") or "").partition(":")
        if symbol is not None and ticker and symbol in (each.get("yahoo"), ticker) and prefix in EXCHANGES:
            bearing.append((ticker, EXCHANGES[prefix]))
    at_home = [each for each in bearing if isin is not None and country_of_exchange(each[1] or "") == isin[:2]]
    abroad = [each for each in bearing if each[1] != "GR"]
    return next(iter([*at_home, *abroad, *bearing]), (symbol, None))
