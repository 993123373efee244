"""Assets with the series that serve them: one read for each series, the answer keyed by the assets asked for."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mainsequence.client.series import Series
from mainsequence.domain.routing import Route
from mainsequence.domain.series import TIME_INDEX, UNIQUE_IDENTIFIER
from mainsequence.domain.times import TimeLike
from mainsequence.errors import SchemaMismatchError
from mainsequence.tdag.reading import ReadableNode
from mainsequence.tdag.windows import window

if TYPE_CHECKING:
    import pyarrow as pa

    from mainsequence.contract.arrow import WideMatrix


@dataclass(frozen=True)
class Served:
    """What one series serves: the routes into it."""

    series: Series
    routes: tuple[Route, ...]

    def names(self) -> tuple[str, ...]:
        """Under which names the series holds them, each once."""
        return tuple(dict.fromkeys(route.unique_identifier for route in self.routes))

    def only(self, assets: frozenset[str] | None) -> "Served":
        """Keep the routes of these assets."""
        if assets is None:
            return self
        return replace(self, routes=tuple(each for each in self.routes if each.asset_unique_identifier in assets))

    def rename(self, table: "pa.Table") -> "pa.Table":
        """Key rows by the assets asked for; a listing that serves several assets gives its rows to each."""
        if all(route.unique_identifier == route.asset_unique_identifier for route in self.routes):
            return table
        import pyarrow as pa

        return pa.concat_tables([_renamed(table, names) for names in self._layers()])

    def _layers(self) -> list[dict[str, str]]:
        """Part the routes so that in each part a name of the series serves one asset."""
        layers: list[dict[str, str]] = []
        for route in self.routes:
            free = next((layer for layer in layers if route.unique_identifier not in layer), None)
            if free is None:
                layers.append(free := {})
            free[route.unique_identifier] = route.asset_unique_identifier
        return layers


class RoutedAssets(ReadableNode):
    """Reads assets from the series that serve them."""

    def __init__(self, identifier: str, served: Sequence[Served]) -> None:
        self._identifier = identifier
        self.served = tuple(served)

    @property
    def identifier(self) -> str:
        """The identifier of the translation table."""
        return self._identifier

    def as_identity(self) -> dict[str, str]:
        """Count by the translation table."""
        return {"routes": self._identifier}

    def _only(self, unique_identifiers: Iterable[str] | None) -> list[Served]:
        wanted = None if unique_identifiers is None else frozenset(unique_identifiers)
        return [each for each in (served.only(wanted) for served in self.served) if each.routes]

    def read_arrow(
        self,
        columns: Iterable[str] | None = None,
        *,
        unique_identifiers: Iterable[str] | None = None,
        start: TimeLike | None = None,
        end: TimeLike | None = None,
        start_inclusive: bool = True,
        end_inclusive: bool = False,
        last_per_asset: bool = False,
    ) -> "pa.Table":
        """Read all the assets, one read for each series; columns that a series lacks are null in its rows."""
        names = None if columns is None else tuple(columns)
        asked = window(start, end, start_inclusive, end_inclusive) | {"last_per_asset": last_per_asset}
        parts = [each.rename(_read(each, names, asked)) for each in self._only(unique_identifiers)]
        return _together(parts, names)

    def wide(
        self,
        column: str | None = None,
        *,
        unique_identifiers: Iterable[str] | None = None,
        start: TimeLike | None = None,
        end: TimeLike | None = None,
    ) -> "WideMatrix":
        """Read one column of all the assets as a matrix, by default the column that each asset's rule names."""
        asked = window(start, end)
        by_id = {each.series.id: each.series for each in self.served}
        blocks: dict[tuple[int, str], list[Route]] = {}
        for each in self._only(unique_identifiers):
            for route in each.routes:
                blocks.setdefault((each.series.id, column or route.column_name), []).append(route)
        read = [(members, _wide(by_id[key], name, members, asked)) for (key, name), members in blocks.items()]
        return _assembled(read)


def _read(served: Served, columns: tuple[str, ...] | None, asked: Mapping[str, Any]) -> "pa.Table":
    return served.series.read_arrow(columns, unique_identifiers=served.names(), **asked)


def _wide(series: Series, column: str, routes: list[Route], asked: Mapping[str, Any]) -> "WideMatrix":
    names = [route.unique_identifier for route in routes]
    distinct = tuple(dict.fromkeys(names))
    return series.wide(column, unique_identifiers=distinct, start=asked.get("start"), end=asked.get("end"))


def _renamed(table: "pa.Table", names: Mapping[str, str]) -> "pa.Table":
    import pyarrow as pa

    place = table.column_names.index(UNIQUE_IDENTIFIER)
    coded = table.column(place).combine_chunks().dictionary_encode()
    wanted = pa.array([names.get(each) for each in coded.dictionary.to_pylist()], pa.string())
    renamed = table.set_column(place, UNIQUE_IDENTIFIER, wanted.take(coded.indices))
    return renamed.filter(renamed.column(place).is_valid()) if wanted.null_count else renamed


def _together(parts: "list[pa.Table]", columns: tuple[str, ...] | None) -> "pa.Table":
    """Put the rows of several series into one table, in the order of time and asset."""
    import pyarrow as pa

    if not parts:
        index = [pa.field(TIME_INDEX, pa.timestamp("us", "UTC")), pa.field(UNIQUE_IDENTIFIER, pa.string())]
        return pa.schema([*index, *(pa.field(name, pa.float64()) for name in columns or ())]).empty_table()
    try:
        table = pa.concat_tables(parts, promote_options="permissive")
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise SchemaMismatchError(
            f"The series that serve these assets hold columns of one name in different types: {error}",
            hint="Name the columns that you need.",
        ) from None
    return _sorted(table)


def _sorted(table: "pa.Table") -> "pa.Table":
    import numpy as np
    import pyarrow as pa

    coded = table.column(UNIQUE_IDENTIFIER).combine_chunks().dictionary_encode()
    labels = np.array(coded.dictionary.to_pylist(), dtype=object)
    ranks = np.empty(len(labels), np.int64)
    ranks[np.argsort(labels)] = np.arange(len(labels))
    times = table.column(TIME_INDEX).combine_chunks().view(pa.int64()).to_numpy(zero_copy_only=False)
    own = ranks[coded.indices.to_numpy(zero_copy_only=False)]
    rising = (times[1:] > times[:-1]) | ((times[1:] == times[:-1]) & (own[1:] > own[:-1]))
    return table if rising.all() else table.take(pa.array(np.lexsort((own, times))))


def _assembled(blocks: "list[tuple[list[Route], WideMatrix]]") -> "WideMatrix":
    """Put matrices over different stamps beside each other, the assets ascending."""
    import numpy as np

    from mainsequence.contract.arrow import WideMatrix

    assets = tuple(sorted(route.asset_unique_identifier for routes, _ in blocks for route in routes))
    stamps = [matrix.times for _, matrix in blocks]
    times = np.unique(np.concatenate(stamps)) if stamps else np.empty(0, np.int64)
    places = {name: place for place, name in enumerate(assets)}
    values = np.full((len(times), len(assets)), np.nan)
    for routes, matrix in blocks:
        own = {name: place for place, name in enumerate(matrix.assets)}
        columns = np.array([places[route.asset_unique_identifier] for route in routes])
        rows = np.searchsorted(times, matrix.times)
        values[np.ix_(rows, columns)] = matrix.values[:, [own[route.unique_identifier] for route in routes]]
    values.flags.writeable = False
    return WideMatrix(times, assets, values, max((matrix.version for _, matrix in blocks), default=0))
