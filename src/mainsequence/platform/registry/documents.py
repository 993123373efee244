"""Assets as JSON documents straight from their rows, without a model for each."""

from typing import Any

import orjson
from sqlalchemy import Connection, Select, Text, cast

from mainsequence.domain.times import MIN_MICROS, from_micros
from mainsequence.platform.registry.assets import IDENTITY, SNAPSHOT, selection
from mainsequence.platform.registry.tables import asset, asset_pricing, asset_snapshot

OPTIONS = orjson.OPT_UTC_Z


def asset_selection() -> Select[Any]:
    """Give the query whose rows `assets` turns into documents: `assets.selection`, what is JSON left as text."""
    return selection().with_only_columns(
        *(asset.c[name] for name in IDENTITY),
        asset.c.id,
        asset.c.retired_at,
        *(asset_snapshot.c[name] for name in SNAPSHOT[:-1]),
        cast(asset_snapshot.c.venue_specific_properties, Text),
        asset_snapshot.c.effective_from,
        cast(asset_pricing.c.instrument_dump, Text),
        asset_pricing.c.pricing_details_date,
        maintain_column_froms=True,
    )


def assets(connection: Connection, query: Select[Any]) -> list[dict[str, Any]]:
    """Run an `asset_selection` and give its documents, ready for orjson with `OPTIONS`."""
    return [_document(*row) for row in connection.execute(query)]


_IDENTITY_ENDS = len(IDENTITY)
_NAMES_END = _IDENTITY_ENDS + 2 + len(SNAPSHOT) - 1


def _document(*row: Any) -> dict[str, Any]:
    properties, effective_from, dump, priced_at = row[_NAMES_END:]
    snapshot = dict(zip(SNAPSHOT, row[_IDENTITY_ENDS + 2 : _NAMES_END], strict=False))
    snapshot["venue_specific_properties"] = orjson.Fragment(properties)
    snapshot["effective_from"] = None if effective_from == MIN_MICROS else from_micros(effective_from)
    snapshot["effective_to"] = None
    made = dict(zip(IDENTITY, row[:_IDENTITY_ENDS], strict=True))
    made["id"] = row[_IDENTITY_ENDS]
    made["current_snapshot"] = snapshot
    made["current_pricing_detail"] = None if dump is None else _pricing(dump, priced_at)
    retired_at = row[_IDENTITY_ENDS + 1]
    made["retired_at"] = None if retired_at is None else from_micros(retired_at)
    return made


def _pricing(dump: str, priced_at: int) -> dict[str, Any]:
    return {"instrument_dump": orjson.Fragment(dump), "pricing_details_date": from_micros(priced_at)}
