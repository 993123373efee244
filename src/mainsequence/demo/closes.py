"""The prices of the main job: daily closes that ship inside the ``skfolio`` package (BSD-3-Clause), 1990 to 2022.

A bar is stamped with midnight UTC of its session date, as most vendors deliver it; the platform reads it as known at
that session's close (METHODOLOGY section 1). Closes of the companies are adjusted for splits and dividends; the index
is a price index.
"""

from importlib.util import find_spec
from pathlib import Path

import pandas as pd

import mainsequence.client as msc
from mainsequence.demo.membership import COMPANIES
from mainsequence.domain.frequency import DAILY
from mainsequence.errors import ConfigurationError
from mainsequence.tdag import DataNode, DataNodeMetaData, RecordDefinition

CLOSES = "skfolio_sp500_daily_closes"
INDEX = "skfolio_sp500_index_daily_closes"
_CLOSE = RecordDefinition(column_name="close", nullable=False)


class LargeCapCloses(DataNode):
    """Daily closes of the twenty companies."""

    def get_table_metadata(self) -> DataNodeMetaData:
        """Describe the series."""
        about = "Adjusted daily closes of twenty large US companies, from the skfolio package."
        return DataNodeMetaData(identifier=CLOSES, description=about, frequency=DAILY, by_asset=True)

    def get_column_metadata(self) -> list[RecordDefinition]:
        """Declare the one column."""
        return [_CLOSE]

    def get_asset_list(self) -> list[msc.Asset]:
        """Give the twenty companies."""
        return msc.Asset.filter(unique_identifier__in=[company.figi for company in COMPANIES])

    def update(self) -> pd.DataFrame | None:
        """Give the closes after the newest stored stamp."""
        closes = _after(_read("sp500_dataset.csv.gz"), self.update_statistics.max_time_index_value)
        if closes.empty:
            return None
        figis = {company.ticker: company.figi for company in COMPANIES}
        wide = closes.rename(columns=figis).rename_axis(columns="unique_identifier")
        return pd.DataFrame({"close": wide.stack()})


class IndexCloses(DataNode):
    """Daily closes of the S&P 500 itself."""

    def get_table_metadata(self) -> DataNodeMetaData:
        """Describe the series."""
        about = "Daily closes of the S&P 500 price index, from the skfolio package."
        return DataNodeMetaData(identifier=INDEX, description=about, frequency=DAILY, by_asset=False)

    def get_column_metadata(self) -> list[RecordDefinition]:
        """Declare the one column."""
        return [_CLOSE]

    def update(self) -> pd.DataFrame | None:
        """Give the closes after the newest stored stamp."""
        closes = _after(_read("sp500_index.csv.gz"), self.update_statistics.max_time_index_value)
        return None if closes.empty else closes.set_axis(["close"], axis="columns")


def _read(name: str) -> pd.DataFrame:
    """Read a data file of the package: dates × columns, stamped with midnight UTC."""
    package = find_spec("skfolio")
    if package is None or package.origin is None:
        raise ConfigurationError(
            "The demo reads prices that ship inside skfolio, which is not installed.",
            hint="pip install 'mainsequence-platform[demo]'",
        )
    closes = pd.read_csv(Path(package.origin).parent / "datasets" / "data" / name, index_col=0)
    closes.index = pd.to_datetime(closes.index, format="%Y-%m-%d", utc=True).rename("time_index")
    return closes


def _after(closes: pd.DataFrame, last: object) -> pd.DataFrame:
    return closes if last is None else closes.loc[closes.index > last]
