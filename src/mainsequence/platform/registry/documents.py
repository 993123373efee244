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


_ID = len(IDENTITY)
_RETIRED, _NAMES, _NAMES_END = _ID + 1, _ID + 2, _ID + 2 + len(SNAPSHOT) - 1
_FIELDS = (*IDENTITY, "id")
_NAMED = (*SNAPSHOT, "effective_from", "effective_to")


def _document(*row: Any) -> dict[str, Any]:
    properties, effective_from, dump, priced_at = row[_NAMES_END:]
    since = None if effective_from == MIN_MICROS else from_micros(effective_from)
    named = (*row[_NAMES:_NAMES_END], _PLAIN if properties == "{}" else orjson.Fragment(properties), since, None)
    made = dict(zip(_FIELDS, row, strict=False))
    made["current_snapshot"] = dict(zip(_NAMED, named, strict=True))
    made["current_pricing_detail"] = None if dump is None else _pricing(dump, priced_at)
    made["retired_at"] = None if row[_RETIRED] is None else from_micros(row[_RETIRED])
    return made


_PLAIN: dict[str, Any] = {}


def _pricing(dump: str, priced_at: int) -> dict[str, Any]:
    return {"instrument_dump": orjson.Fragment(dump), "pricing_details_date": from_micros(priced_at)}
