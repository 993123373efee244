"""``WrapperDataNode``: assets read through a translation table."""

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal

from mainsequence.client.assets import Asset
from mainsequence.client.routing import AssetTranslationTable
from mainsequence.client.series import Series
from mainsequence.domain.routing import Route
from mainsequence.domain.values import listed
from mainsequence.errors import RoutingError, StaleRouteError, UnknownAssetsError, ValidationError
from mainsequence.tdag.reading import AssetRange, ReadableNode, identifiers_of
from mainsequence.tdag.routed import RoutedAssets, Served

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from mainsequence.client.coverage import CoverageReport
    from mainsequence.contract.arrow import WideMatrix
    from mainsequence.domain.assets import AssetRecord
    from mainsequence.domain.times import TimeLike

OnError = Literal["raise", "report"]

ROUTING_ERRORS = "routing_errors"
"""Where an answer asked for with ``on_error="report"`` says whom it lacks: ``frame.attrs["routing_errors"]``."""


class WrapperDataNode(ReadableNode):
    """Reads each asset from the series that a translation table routes it to.

    Assets are read in one go for each series, whatever their number. Rows are keyed by the assets asked for, also where
    a rule with ``target_exchange_code`` reads another listing of the share class. An asset whose rule leads nowhere (no
    rule or several, no such listing, no such series or column, nothing of it in the series) is refused by name, or left
    out and reported with ``on_error="report"``; the others are not concerned. Where all columns are read, one that a
    series lacks is null in its rows; a column that is asked for must be in every series.

    Parameters
    ----------
    translation_table
        The table, or its ``unique_identifier``; its rules are those of the moment of reading.
    """

    def __init__(self, translation_table: AssetTranslationTable | str) -> None:
        self._table = translation_table

    @property
    def identifier(self) -> str:
        """The ``unique_identifier`` of the translation table."""
        return self._table if isinstance(self._table, str) else self._table.unique_identifier

    @property
    def translation_table(self) -> AssetTranslationTable:
        """The table.

        Raises
        ------
        NotFoundError
            There is none of this identifier.
        """
        if isinstance(self._table, AssetTranslationTable):
            return self._table
        return AssetTranslationTable.get(unique_identifier=self._table)

    def as_identity(self) -> dict[str, str]:
        """Count by the translation table."""
        return {"routes": self.identifier}

    def __repr__(self) -> str:
        return f"WrapperDataNode({self.identifier!r})"

    # -- routes

    def coverage(self, unique_identifiers: "Iterable[AssetRecord | str] | None") -> "CoverageReport":
        """Route assets and look into their series: what serves each, and why some are not served.

        Raises
        ------
        UnknownAssetsError
            An identifier that no asset has.
        """
        names = identifiers_of(unique_identifiers)
        if names is None:
            raise ValidationError("A translation table serves any asset: say which.", hint="Name them in a list.")
        found = {asset.unique_identifier: asset for asset in _registered(names)}
        missing = [name for name in names if name not in found]
        if missing:
            raise UnknownAssetsError(
                f"No asset is registered as {listed(map(repr, missing))}.",
                hint="msc.Asset.filter() lists those that are.",
                unique_identifiers=missing[:1_000],
            )
        return self.translation_table.coverage(assets=list(found.values()))

    def routed(
        self, unique_identifiers: "Iterable[AssetRecord | str] | None", columns: Iterable[str] | None = None
    ) -> tuple[RoutedAssets, dict[str, RoutingError]]:
        """Find the series of assets once, to read from several times.

        Parameters
        ----------
        unique_identifiers
            Assets, or their identifiers.
        columns
            Columns that their series must have.

        Returns
        -------
        tuple
            What reads those that are served, and for each of the others why it is not, by unique identifier.
        """
        report = self.coverage(unique_identifiers)
        wanted, errors = tuple(columns or ()), report.errors()
        by_series: dict[str, list[Route]] = {}
        for route in report.routes().values():
            by_series.setdefault(route.markets_time_serie_unique_identifier, []).append(route)
        served = []
        for series in Series.filter(unique_identifier__in=sorted(by_series)):
            routes = by_series.pop(series.unique_identifier)
            lacking = [name for name in wanted if name not in series.columns]
            errors |= {each.asset_unique_identifier: _lacks(each, lacking) for each in routes if lacking}
            served += [] if lacking else [Served(series, tuple(routes))]
        errors |= {each.asset_unique_identifier: _gone(each) for routes in by_series.values() for each in routes}
        return RoutedAssets(self.identifier, served), errors

    def _served(
        self, names: "Iterable[AssetRecord | str] | None", columns: Iterable[str] | None, on_error: OnError
    ) -> tuple[RoutedAssets, dict[str, str]]:
        if on_error not in ("raise", "report"):
            raise ValidationError(f"on_error is 'raise' or 'report', not {on_error!r}.")
        found, errors = self.routed(names, columns)
        if errors and on_error == "raise":
            raise _all_in_one(errors, self.identifier)
        return found, {name: str(error) for name, error in sorted(errors.items())}

    # -- reading

    def read_arrow(
        self,
        columns: Iterable[str] | None = None,
        *,
        unique_identifiers: Iterable[str] | None = None,
        start: "TimeLike | None" = None,
        end: "TimeLike | None" = None,
        start_inclusive: bool = True,
        end_inclusive: bool = False,
        last_per_asset: bool = False,
        on_error: OnError = "raise",
    ) -> "pa.Table":
        """Read rows; see `ReadableNode.read_arrow`.

        With ``on_error="report"`` the schema's metadata says, as JSON under ``routing_errors``, who is missing and why.
        """
        names = None if columns is None else tuple(columns)
        found, errors = self._served(unique_identifiers, names, on_error)
        table = found.read_arrow(
            names,
            start=start,
            end=end,
            start_inclusive=start_inclusive,
            end_inclusive=end_inclusive,
            last_per_asset=last_per_asset,
        )
        return table.replace_schema_metadata({ROUTING_ERRORS: json.dumps(errors)}) if on_error == "report" else table

    def wide(
        self,
        column: str | None = None,
        *,
        unique_identifiers: Iterable[str] | None = None,
        start: "TimeLike | None" = None,
        end: "TimeLike | None" = None,
        on_error: OnError = "raise",
    ) -> "WideMatrix":
        """Read one column as a matrix, by default the column that each asset's rule names; assets are ascending."""
        found, _ = self._served(unique_identifiers, None if column is None else (column,), on_error)
        return found.wide(column, start=start, end=end)

    def get_df_between_dates(
        self,
        start_date: "TimeLike | None" = None,
        end_date: "TimeLike | None" = None,
        great_or_equal: bool = True,
        less_or_equal: bool = True,
        unique_identifier_list: Iterable[str] | None = None,
        columns: Iterable[str] | None = None,
        *,
        on_error: OnError = "raise",
    ) -> "pd.DataFrame":
        """Read a range of time of the assets named; see `ReadableNode.get_df_between_dates`.

        Parameters
        ----------
        on_error
            ``"raise"``, or ``"report"``: leave out who is not served, and say why in ``frame.attrs["routing_errors"]``.

        Raises
        ------
        NoRouteError, AmbiguousRouteError, StaleRouteError
            Assets are not served; the message names them. `RoutingError` where the reasons differ.
        """
        names = None if columns is None else tuple(columns)
        found, errors = self._served(unique_identifier_list, names, on_error)
        frame = found.get_df_between_dates(start_date, end_date, great_or_equal, less_or_equal, columns=names)
        return _reported(frame, errors, on_error)

    def get_ranged_data_per_asset(
        self,
        range_descriptor: Mapping[str, Mapping[str, Any] | AssetRange],
        columns: Iterable[str] | None = None,
        *,
        on_error: OnError = "raise",
    ) -> "pd.DataFrame":
        """Read each asset over a range of its own; see `ReadableNode` and `get_df_between_dates`."""
        names = None if columns is None else tuple(columns)
        found, errors = self._served(range_descriptor, names, on_error)
        return _reported(found.get_ranged_data_per_asset(range_descriptor, names), errors, on_error)

    def get_last_observation(
        self,
        asset_list: "Iterable[AssetRecord | str] | None" = None,
        columns: Iterable[str] | None = None,
        *,
        on_error: OnError = "raise",
    ) -> "pd.DataFrame":
        """Read the newest row of each asset; see `get_df_between_dates`."""
        names = None if columns is None else tuple(columns)
        found, errors = self._served(asset_list, names, on_error)
        return _reported(found.get_last_observation(columns=names), errors, on_error)


def _registered(names: tuple[str, ...]) -> list[Asset]:
    return Asset.filter(unique_identifier__in=list(dict.fromkeys(names)), include_retired=True)


def _lacks(route: Route, columns: list[str]) -> StaleRouteError:
    return StaleRouteError(
        f"The asset {route.asset_unique_identifier!r} is routed to the series "
        f"{route.markets_time_serie_unique_identifier!r}, which has no column {listed(map(repr, columns))}.",
        hint="Ask for columns that it has, or change the rule's target.",
        asset=route.asset_unique_identifier,
    )


def _gone(route: Route) -> StaleRouteError:
    return StaleRouteError(
        f"The asset {route.asset_unique_identifier!r} is routed to the series "
        f"{route.markets_time_serie_unique_identifier!r}, which does not exist any more.",
        hint="Create that series, or change the rule's target.",
        asset=route.asset_unique_identifier,
    )


def _all_in_one(errors: Mapping[str, RoutingError], table: str) -> RoutingError:
    """Give one error that names every asset that is not served."""
    kinds = {type(error) for error in errors.values()}
    kind = kinds.pop() if len(kinds) == 1 else RoutingError
    names = sorted(errors)
    first = errors[names[0]]
    if len(names) == 1:
        return first
    return kind(
        f"{len(names)} assets are not served through {table!r}: {listed(names)}. The first: {first.message}",
        hint='on_error="report" reads the others and reports these.',
        assets=names[:1_000],
        table=table,
    )


def _reported(frame: "pd.DataFrame", errors: Mapping[str, str], on_error: OnError) -> "pd.DataFrame":
    if on_error == "report":
        frame.attrs[ROUTING_ERRORS] = dict(errors)
    return frame
