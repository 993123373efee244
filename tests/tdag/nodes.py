"""Nodes that the tests run."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, ClassVar

import pandas as pd
from pydantic import Field

import mainsequence.client as msc
from mainsequence.tdag import (
    DataNode,
    DataNodeConfiguration,
    DataNodeMetaData,
    DisplayOnly,
    RecordDefinition,
    UpdateOnly,
)
from mainsequence.tdag.reading import ReadableNode

START = datetime(2024, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def day(number: int) -> datetime:
    """The n-th day of the tests."""
    return START + number * DAY


def frame(rows: Mapping[tuple[datetime, str], float], column: str = "close") -> pd.DataFrame:
    """Rows by time and asset."""
    index = pd.MultiIndex.from_tuples(list(rows), names=["time_index", "unique_identifier"])
    return pd.DataFrame({column: list(rows.values())}, index=index)


class DaysConfiguration(DataNodeConfiguration):
    assets: tuple[str, ...] = ("a", "b")
    step: float = 1.0
    note: Annotated[str, DisplayOnly] = ""
    label: str = Field("", json_schema_extra={"display_only": True})


class Days(DataNode):
    """One row for each asset and day up to now: price = place of the asset + number of the day."""

    config: DaysConfiguration

    def update(self) -> pd.DataFrame | None:
        last = self.update_statistics.max_time_index_value
        first = 0 if last is None else (last - START) // DAY + 1
        numbers = range(first, (self.now - START) // DAY + 1)
        rows = {(day(n), name): self.price(n, name) for n in numbers for name in self.config.assets}
        return frame(rows) if rows else None

    def price(self, number: int, name: str) -> float:
        return self.config.assets.index(name) + number * self.config.step


class Scaled(DataNode):
    """Another node's rows, times a factor; with plain arguments of its own."""

    def __init__(self, source: DataNode, factor: float = 2.0, title: Annotated[str, DisplayOnly] = "") -> None:
        super().__init__()
        self.source, self.factor, self.title = source, factor, title

    def dependencies(self) -> dict[str, ReadableNode]:
        return {"source": self.source}

    def update(self) -> pd.DataFrame:
        last = self.update_statistics.max_time_index_value
        return self.source.get_df_between_dates(last, self.now, great_or_equal=False) * self.factor


class Emitting(DataNode):
    """Gives whatever it is told to, and counts its updates by name."""

    updates: ClassVar[dict[str, int]] = {}

    def __init__(self, name: str, gives: Annotated[Any, DisplayOnly] = None, needs: tuple[DataNode, ...] = ()) -> None:
        super().__init__()
        self.name, self.gives, self.needs = name, gives, needs

    def dependencies(self) -> dict[str, ReadableNode]:
        return {f"need {place}": node for place, node in enumerate(self.needs)}

    def get_table_metadata(self) -> DataNodeMetaData:
        return DataNodeMetaData(identifier=self.name, description=f"What {self.name} gives", frequency="1d")

    def update(self) -> Any:
        Emitting.updates[self.name] = Emitting.updates.get(self.name, 0) + 1
        return self.gives(self) if isinstance(self.gives, Callable) else self.gives  # type: ignore[arg-type]


class Declared(Emitting):
    """Declares its columns."""

    def get_column_metadata(self) -> list[RecordDefinition]:
        return [
            RecordDefinition(column_name="close", dtype="float", label="Close", description="Closing price"),
            RecordDefinition(column_name="volume", dtype="int64"),
        ]

    def get_table_metadata(self) -> DataNodeMetaData:
        return super().get_table_metadata().model_copy(update={"by_asset": True})


class PartConfiguration(DataNodeConfiguration):
    market: str
    assets: Annotated[list[str], UpdateOnly]


class Part(DataNode):
    """Fills the rows of some assets in a series that several nodes fill."""

    config: PartConfiguration

    def get_asset_list(self) -> list[msc.Asset]:
        return msc.Asset.filter(unique_identifier__in=self.config.assets)

    def update(self) -> pd.DataFrame | None:
        rows = {
            (day(n), asset.unique_identifier): float(n)
            for asset in self.update_statistics.asset_list or ()
            for n in range((self.now - START) // DAY + 1)
            if day(n) > self.update_statistics.last_of(asset.unique_identifier, day(-1))
        }
        return frame(rows) if rows else None
