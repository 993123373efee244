"""When twenty large US companies were members of the S&P 500: facts, each with its source.

The companies are those whose closes ship inside ``skfolio`` (``load_sp500_dataset``).

Sources
-------
``RECORD``
    The daily record of S&P 500 members kept at https://github.com/fja05680/sp500 (MIT), which begins on 1996-01-02.
    Every entry and exit after that day is taken from it. Its dates are half-open: the day of an exit is the first day
    outside.
``LIST``
    The column "Date added" of https://en.wikipedia.org/wiki/List_of_S%26P_500_companies, for companies that were
    members when the record begins. It dates the membership of the company under whatever name it had (Standard Oil of
    New Jersey is Exxon Mobil), which is what an investor in the index held.
``RECORD_BEGINS``
    Already a member when the record begins, and no earlier date is shown by either source. The company may have been a
    member before; what cannot be shown is not claimed, so membership starts with the record, on 1996-01-02. This
    concerns AMD only: it had left before the list was written and came back, so the list dates its return.
"""

from dataclasses import dataclass
from datetime import date

RECORD = "fja05680/sp500"
LIST = "Wikipedia, List of S&P 500 companies, date added"
RECORD_BEGINS = "fja05680/sp500: already a member when the record begins"
FIRST_RECORDED_DAY = date(1996, 1, 2)
ORIGINAL_MEMBER = date(1957, 3, 4)
"""The day the index took on five hundred companies."""


@dataclass(frozen=True, slots=True)
class Spell:
    """An unbroken membership over ``[start, end)``; an ``end`` of ``None`` is open."""

    start: date
    end: date | None = None
    source: str = RECORD


@dataclass(frozen=True, slots=True)
class Company:
    """A company, the composite FIGI of its US listing, and its spells in the index."""

    ticker: str
    name: str
    figi: str
    spells: tuple[Spell, ...]

    @property
    def is_member_today(self) -> bool:
        """Whether the last spell is open."""
        return self.spells[-1].end is None


def _listed(year: int, month: int, day: int) -> tuple[Spell, ...]:
    return (Spell(date(year, month, day), source=LIST),)


_ORIGINAL = (Spell(ORIGINAL_MEMBER, source=LIST),)

COMPANIES = (
    Company("AAPL", "Apple", "BBG000B9XRY4", _listed(1982, 11, 30)),
    Company(
        "AMD",
        "Advanced Micro Devices",
        "BBG000BBQCY0",
        (Spell(FIRST_RECORDED_DAY, date(2013, 9, 23), RECORD_BEGINS), Spell(date(2017, 3, 20))),
    ),
    Company("BAC", "Bank of America", "BBG000BCTLF6", _listed(1976, 6, 30)),
    Company("BBY", "Best Buy", "BBG000BCWCG1", (Spell(date(1999, 6, 30)),)),
    Company("CVX", "Chevron", "BBG000K4ND22", _ORIGINAL),
    Company("GE", "General Electric", "BBG000BK6MB5", _ORIGINAL),
    Company("HD", "Home Depot", "BBG000BKZB36", _listed(1988, 3, 31)),
    Company("JNJ", "Johnson & Johnson", "BBG000BMHYD1", _listed(1973, 6, 30)),
    Company("JPM", "JPMorgan Chase", "BBG000DMBXR2", _listed(1975, 6, 30)),
    Company("KO", "Coca-Cola", "BBG000BMX289", _ORIGINAL),
    Company("LLY", "Eli Lilly", "BBG000BNBDC2", _listed(1970, 12, 31)),
    Company("MRK", "Merck", "BBG000BPD168", _ORIGINAL),
    Company("MSFT", "Microsoft", "BBG000BPH459", _listed(1994, 6, 1)),
    Company("PEP", "PepsiCo", "BBG000DH7JK6", _ORIGINAL),
    Company("PFE", "Pfizer", "BBG000BR2B91", _ORIGINAL),
    Company("PG", "Procter & Gamble", "BBG000BR2TH3", _ORIGINAL),
    Company("RRC", "Range Resources", "BBG000FVXD63", (Spell(date(2007, 12, 21), date(2018, 6, 18)),)),
    Company("UNH", "UnitedHealth Group", "BBG000CH5208", _listed(1994, 7, 1)),
    Company("WMT", "Walmart", "BBG000BWXBC2", _listed(1982, 8, 31)),
    Company("XOM", "Exxon Mobil", "BBG000GZQ728", _ORIGINAL),
)
