"""What a node finds stored of its own series when it updates."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from mainsequence.domain.series import SeriesStatistics

if TYPE_CHECKING:
    from mainsequence.client.assets import Asset


@dataclass(frozen=True)
class UpdateStatistics:
    """How far a node's series reaches; where an update continues.

    Parameters
    ----------
    max_time_index_value
        The newest stamp stored, UTC (of the assets in ``asset_list``, where the node names any); ``None`` while empty.
    last
        The newest stamp of each asset, by unique identifier; empty for series without assets.
    asset_list
        What the node's `get_asset_list` gave for this run.
    """

    max_time_index_value: datetime | None = None
    last: Mapping[str, datetime] = field(default_factory=dict)
    asset_list: "tuple[Asset, ...] | None" = None

    @classmethod
    def of(cls, stored: SeriesStatistics | None, asset_list: "tuple[Asset, ...] | None" = None) -> "UpdateStatistics":
        """Read them from the statistics of a series (``None``: nothing stored), limited to the assets named."""
        if stored is None:
            return cls(asset_list=asset_list)
        last = {name: counted.last for name, counted in stored.assets.items()}
        if asset_list is None or not last:
            return cls(stored.max_time, MappingProxyType(last), asset_list)
        named = {asset.unique_identifier for asset in asset_list}
        kept = {name: at for name, at in last.items() if name in named}
        return cls(max(kept.values(), default=None), MappingProxyType(kept), asset_list)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is stored yet; so it is when the node is forced to begin anew."""
        return self.max_time_index_value is None

    def last_of(self, unique_identifier: str, default: datetime | None = None) -> datetime | None:
        """Give the newest stamp of one asset, or ``default`` where it has none."""
        return self.last.get(unique_identifier, default)

    def start_of(self, unique_identifier: str | None = None, default: datetime | None = None) -> datetime | None:
        """Give the stamp after which an update continues: of one asset, or of the series; ``default`` where none."""
        if unique_identifier is not None:
            return self.last_of(unique_identifier, default)
        return default if self.max_time_index_value is None else self.max_time_index_value

    def range_descriptor(self, start: datetime | None = None) -> dict[str, dict[str, Any]]:
        """Say, for `get_ranged_data_per_asset`, what lies after the newest stamp of each asset in ``asset_list``.

        Parameters
        ----------
        start
            From where (inclusive) assets are wanted that have nothing stored; ``None``: from their beginning.
        """
        names = self.last if self.asset_list is None else [each.unique_identifier for each in self.asset_list]
        return {name: self._range(name, start) for name in names}

    def _range(self, name: str, start: datetime | None) -> dict[str, Any]:
        last = self.last.get(name)
        if last is None:
            return {"start_date": start, "start_date_operand": ">="}
        return {"start_date": last, "start_date_operand": ">"}
