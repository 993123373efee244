"""Storing what an update gave, and registering who filled the series and from what."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import metadata as packages
from typing import TYPE_CHECKING, Any

from mainsequence.client.frames import Frame
from mainsequence.client.series import Series
from mainsequence.domain.series import UNIQUE_IDENTIFIER, SeriesSchema, WriteOutcome
from mainsequence.errors import AlreadyExistsError
from mainsequence.tdag.metadata import DataNodeMetaData, RecordDefinition
from mainsequence.tdag.tables import declared_schema, first_schema, result_table

if TYPE_CHECKING:
    import pyarrow as pa

PLATFORM = "mainsequence-platform"
MAX_UPDATES = 50
NODE, UPDATES = "node", "updates"
"""Where a series' metadata says which node fills it, and which parts are updated by which configuration."""


@dataclass(frozen=True)
class Target:
    """The series that a node fills.

    Parameters
    ----------
    identifier
        Its ``unique_identifier``.
    about, records
        What the node declares of it.
    registration
        What is registered of the node: class, configuration, hash, package, dependencies.
    update
        For nodes that fill a part of the series: their ``update_hash`` and configuration.
    assets
        For those: the assets of their part; ``None`` where the result shows them.
    check
        The node's own check of a result that has rows.
    """

    identifier: str
    about: DataNodeMetaData
    records: tuple[RecordDefinition, ...]
    registration: Mapping[str, Any]
    update: Mapping[str, Any]
    assets: tuple[str, ...] | None
    check: Callable[["pa.Table"], None]

    def find(self) -> Series | None:
        """Read the series, ``None`` where it does not exist yet.

        Raises
        ------
        AlreadyExistsError
            A series of this identifier is filled by something else.
        """
        return owned_series(self.identifier, str(self.registration["storage_hash"]))

    def store(self, result: Frame | None, *, force: bool) -> WriteOutcome | None:
        """Store what an update gave, all or nothing; ``None`` where it gave nothing."""
        table = None if result is None else result_table(result)
        series = self.find()
        if table is None or not table.num_rows:
            self._register(series or self._declared_early())
            return None
        self.check(table)
        series = series or self._declare(first_schema(table, self.records, self.about))
        written = series.replace(table, unique_identifiers=self._part(table)) if force else series.upsert(table)
        self._register(series)
        return written

    def _part(self, table: "pa.Table") -> tuple[str, ...] | None:
        """Name the assets whose rows a forced node replaces: those of its part, or everyone."""
        if not self.update or UNIQUE_IDENTIFIER not in table.column_names:
            return None
        if self.assets is not None:
            return self.assets
        return tuple(str(each) for each in table.column(UNIQUE_IDENTIFIER).unique().to_pylist())

    def _declared_early(self) -> Series | None:
        schema = declared_schema(self.records, self.about)
        return None if schema is None else self._declare(schema)

    def _declare(self, schema: SeriesSchema) -> Series:
        frequency = None if self.about.frequency is None else str(self.about.frequency)
        return Series.get_or_create(
            self.identifier,
            schema.columns,
            by_asset=schema.by_asset,
            frequency=frequency,
            description=self.about.description,
            metadata={NODE: dict(self.registration)},
        )

    def _register(self, series: Series | None) -> None:
        """Write down who fills the series, where that is not what it says already."""
        if series is None:
            return
        told = {**series.metadata, NODE: dict(self.registration)}
        if self.update:
            told[UPDATES] = _newest({**told.get(UPDATES, {}), **self.update})
        frequency = None if self.about.frequency is None else str(self.about.frequency)
        wanted = {"metadata": told, "description": self.about.description, "frequency": frequency}
        changed = {name: value for name, value in wanted.items() if getattr(series, name) != value}
        if changed:
            series.patch(**changed)


def owned_series(identifier: str, storage_hash: str) -> Series | None:
    """Read the series of a node, ``None`` where it does not exist yet.

    Raises
    ------
    AlreadyExistsError
        A series of this identifier is filled by something else.
    """
    series = Series.get_or_none(unique_identifier=identifier)
    if series is None:
        return None
    node = series.metadata.get(NODE) or {}
    if node.get("storage_hash") == storage_hash:
        return series
    filled = f"is filled by a {node.get('class')} of another configuration" if node else "was not made by a node"
    raise AlreadyExistsError(
        f"The series {identifier!r} {filled}.",
        hint="Give the node another identifier in get_table_metadata(), or delete that series.",
        identifier=identifier,
        storage_hash=storage_hash,
        found=node.get("storage_hash"),
    )


def _newest(updates: dict[str, Any]) -> dict[str, Any]:
    """Keep the parts registered last, so that the metadata of a series that many nodes fill stays small."""
    return dict(list(updates.items())[-MAX_UPDATES:])


@cache
def packages_of(module: str) -> dict[str, str]:
    """Give the versions of the code that a module's node runs on: the platform's, and that of the module's package.

    A package is known by its own distribution or ``__version__``; scripts and notebooks have none.
    """
    top = module.partition(".")[0]
    found = {name: _installed(name) for name in (PLATFORM, top)}
    if top != "mainsequence" and found[top] is None:
        found[top] = getattr(sys.modules.get(top), "__version__", None)
    return {name: str(version) for name, version in found.items() if version is not None}


def _installed(name: str) -> str | None:
    try:
        return packages.version(name)
    except packages.PackageNotFoundError:
        return None
