"""Time that assets gain or lose as members, told with their names."""

from mainsequence.compute.intervals import Intervals
from mainsequence.compute.membership_changes import Reweighted
from mainsequence.domain.plans import Reweighting, Spell
from mainsequence.domain.times import open_datetime
from mainsequence.domain.values import trusted


def spells(rows: Intervals, names: dict[int, str]) -> list[Spell]:
    """Tell intervals."""
    columns = (rows.asset.tolist(), rows.start.tolist(), rows.end.tolist(), rows.weight.tolist())
    return [
        trusted(
            Spell,
            {
                "asset_id": asset,
                "unique_identifier": names[asset],
                "valid_from": open_datetime(start),
                "valid_to": open_datetime(end),
                "weight": _weight(weight),
            },
        )
        for asset, start, end, weight in zip(*columns, strict=True)
    ]


def reweightings(rows: Reweighted, names: dict[int, str]) -> list[Reweighting]:
    """Tell time over which members weigh something else."""
    columns = (column.tolist() for column in (rows.asset, rows.start, rows.end, rows.before, rows.after))
    return [
        Reweighting(
            asset_id=asset,
            unique_identifier=names[asset],
            valid_from=open_datetime(start),
            valid_to=open_datetime(end),
            before=_weight(before),
            after=_weight(later),
        )
        for asset, start, end, before, later in zip(*columns, strict=True)
    ]


def _weight(value: float) -> float | None:
    return None if value != value else value  # noqa: PLR0124 (NaN is none)
