import csv
from collections import defaultdict
from datetime import date
from itertools import pairwise

import pytest

from mainsequence.demo.membership import COMPANIES, FIRST_RECORDED_DAY, LIST, RECORD, RECORD_BEGINS, Company
from mainsequence.domain.identifiers import check_figi
from tests.shared_data import shared_data

Recorded = dict[str, list[tuple[date, date | None]]]


@pytest.fixture(scope="module")
def record() -> Recorded:
    """The published intervals, half-open, per ticker in time order."""
    spells: Recorded = defaultdict(list)
    with shared_data("fja05680-sp500", "sp500_ticker_start_end.csv").open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            end = date.fromisoformat(row["end_date"]) if row["end_date"] else None
            spells[row["ticker"]].append((date.fromisoformat(row["start_date"]), end))
    return {ticker: sorted(found) for ticker, found in spells.items()}


@pytest.mark.parametrize("company", COMPANIES, ids=lambda company: company.ticker)
def test_memberships_are_those_of_the_published_record_since_it_begins(company: Company, record: Recorded):
    known = [(max(spell.start, FIRST_RECORDED_DAY), spell.end) for spell in company.spells]
    assert known == record[company.ticker]


@pytest.mark.parametrize("company", COMPANIES, ids=lambda company: company.ticker)
def test_spells_are_in_order_and_say_where_they_come_from(company: Company):
    for spell in company.spells:
        assert spell.end is None or spell.start < spell.end
        earlier, later = spell.start < FIRST_RECORDED_DAY, spell.start > FIRST_RECORDED_DAY
        assert spell.source == (LIST if earlier else RECORD if later else RECORD_BEGINS)
    assert all(before.end is not None and before.end < after.start for before, after in pairwise(company.spells))


def test_the_companies_are_those_whose_closes_ship_with_skfolio():
    datasets = pytest.importorskip("skfolio.datasets")
    assert [company.ticker for company in COMPANIES] == list(datasets.load_sp500_dataset().columns)


def test_every_figi_is_well_formed_and_used_once():
    figis = [check_figi(company.figi) for company in COMPANIES]
    assert len(set(figis)) == len(COMPANIES) == 20
