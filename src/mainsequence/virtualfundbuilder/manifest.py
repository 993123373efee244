"""Manifests: everything needed to rebuild a portfolio's numbers, and rebuilding them (DESIGN section 8)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any, Self

from pydantic import Field

from mainsequence.client.frames import to_pandas
from mainsequence.client.series import Series
from mainsequence.domain.times import to_micros
from mainsequence.domain.values import Value
from mainsequence.errors import NotFoundError, ValidationError
from mainsequence.virtualfundbuilder.engine import Engine, Sources
from mainsequence.virtualfundbuilder.models import PortfolioBuildConfiguration
from mainsequence.virtualfundbuilder.output import Resume, resume_from, values_table, weights_table
from mainsequence.virtualfundbuilder.pricing import price_table
from mainsequence.virtualfundbuilder.report import RunFlag
from mainsequence.virtualfundbuilder.spelling import read_configuration
from mainsequence.virtualfundbuilder.universe import PinnedUniverse

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

DISTRIBUTION = "mainsequence-platform"

MAX_FLAGS = 100
"""How many flags a manifest keeps: the newest."""


class Segment(Value):
    """Stamps that were computed from one recorded state of everything.

    Parameters
    ----------
    first, last
        The stamps, both included.
    universe
        ``name@revision``; ``None`` where the signal defines the universe.
    members
        The signal's own assets, where it defines the universe.
    prices_version, signal_version
        Versions of the series; ``None`` for a signal that stores nothing.
    """

    first: datetime
    last: datetime
    universe: str | None = None
    members: tuple[str, ...] = ()
    prices_version: int
    signal_version: int | None = None

    def joins(self, later: "Segment") -> bool:
        """Tell whether a later segment read the same universe, so that one of the two may stand for both."""
        return (self.universe, self.members) == (later.universe, later.members)


class Manifest(Value):
    """What a portfolio's numbers were computed from.

    Parameters
    ----------
    package
        The version of the package that computed last.
    configuration
        The configuration, as `read_configuration` reads it.
    calendar
        The calendar of the portfolio's stamps.
    asset_calendars
        For each other calendar its assets.
    translation_table, rules_hash
        The routing, and a hash of what its rules said at the last run.
    sources
        The raw series that prices came from, each with its version at the last run.
    prices_series, price_column
        The interpolated prices.
    signal_series
        The signal's series; ``None`` where it stores nothing.
    values_series, weights_series
        The output.
    segments
        What was read for which stamps, in order.
    flags
        What the runs had to say.
    """

    package: str
    configuration: dict[str, Any]
    calendar: str
    asset_calendars: dict[str, list[str]] = Field(default_factory=dict)
    translation_table: str
    rules_hash: str
    sources: dict[str, int] = Field(default_factory=dict)
    prices_series: str
    price_column: str
    signal_series: str | None = None
    values_series: str
    weights_series: str
    segments: tuple[Segment, ...]
    flags: tuple[RunFlag, ...] = ()

    def extended(self, later: Self) -> Self:
        """Give the manifest of the output after a run: this one's segments, then those of the run.

        Segments that read the same universe become one where nothing they read was corrected in between.
        """
        *earlier, last = self.segments
        first, *rest = later.segments
        if last.joins(first) and self._only_grew(last, first):
            joined = [first.model_copy(update={"first": last.first})]
        else:
            joined = [last, first]
        calendars = {
            name: sorted({*self.asset_calendars.get(name, ()), *later.asset_calendars.get(name, ())})
            for name in {*self.asset_calendars, *later.asset_calendars}
        }
        flags = {(each.code, each.message): each for each in (*self.flags, *later.flags)}
        return later.model_copy(
            update={
                "asset_calendars": calendars,
                "segments": (*earlier, *joined, *rest),
                "flags": tuple(flags.values())[-MAX_FLAGS:],
            }
        )

    def _only_grew(self, before: Segment, after: Segment) -> bool:
        return _grew(self.prices_series, before.prices_version, after.prices_version, before.last) and (
            self.signal_series is None
            or (
                before.signal_version is not None
                and _grew(self.signal_series, before.signal_version, after.signal_version, before.last)
            )
        )


def _grew(series: str, before: int, after: int | None, last: datetime) -> bool:
    """Tell whether between two versions of a series rows were added behind a time, and nothing else happened."""
    if before == after:
        return True
    if after is None:
        return False
    record = Series.get(unique_identifier=series)
    between = [each for each in record.history() if before < each.version <= after]
    if any(each.updated or each.deleted for each in between):
        return False
    return _rows_until(record, before, last) == _rows_until(record, after, last)


def _rows_until(series: Series, version: int, last: datetime) -> int:
    """Count the rows up to a time: all there are, without the few behind it."""
    behind = series.read_arrow([], start=last, start_inclusive=False, version=version).num_rows
    return int(series.statistics(version).count - behind)


def package_version() -> str:
    """Name the package and its version."""
    try:
        return f"{DISTRIBUTION} {version(DISTRIBUTION)}"
    except PackageNotFoundError:
        return DISTRIBUTION


@dataclass(frozen=True, eq=False)
class Rebuilt:
    """A portfolio's numbers, computed again; nothing was stored.

    Parameters
    ----------
    values_table, weights_table
        The rows of ``portfolio values`` and ``portfolio weights`` as Arrow tables.
    """

    values_table: "pa.Table"
    weights_table: "pa.Table"

    @property
    def values(self) -> "pd.DataFrame":
        """The values as a frame."""
        return to_pandas(self.values_table)

    @property
    def weights(self) -> "pd.DataFrame":
        """The weights as a frame."""
        return to_pandas(self.weights_table)


def rebuild(manifest: Manifest | Mapping[str, Any]) -> Rebuilt:
    """Compute a portfolio's numbers again from exactly what they were computed from.

    Universes are read at their revisions and series at their versions, so that edits and new observations since then
    change nothing: the result has the same bytes as what was stored.

    Parameters
    ----------
    manifest
        ``portfolio.manifest``, or ``node.manifest``.

    Raises
    ------
    ValidationError
        It is no manifest, or was made for nothing.
    NotFoundError
        Something it names is gone.
    """
    given = Manifest.parse(manifest) if manifest else None
    if given is None or not given.segments:
        raise ValidationError("The manifest is empty: nothing was computed.", hint="Run the portfolio first.")
    import pyarrow as pa

    build = read_configuration(given.configuration)
    resume: Resume | None = None
    parts: list[tuple[pa.Table, pa.Table]] = []
    for segment in given.segments:
        parts.append(_played(given, build, segment, resume))
        resume = resume_from(*parts[-1])
    values, weights = zip(*parts, strict=True)
    return Rebuilt(pa.concat_tables(values).combine_chunks(), pa.concat_tables(weights).combine_chunks())


def _played(
    manifest: Manifest, build: PortfolioBuildConfiguration, segment: Segment, resume: Resume | None
) -> "tuple[pa.Table, pa.Table]":
    engine = Engine(build, _sources(manifest, segment), resume, to_micros(segment.last), manifest.calendar)
    played = engine.play()
    if played is None:
        raise NotFoundError(
            f"The stamps {segment.first} to {segment.last} cannot be computed again: their prices are gone.",
            hint=f"Look at the versions of {manifest.prices_series!r}.",
        )
    weights = weights_table(played.done, played.columns, played.prices, played.before, played.volumes)
    return values_table(played.done, played.grid.sessions), weights


def _sources(manifest: Manifest, segment: Segment) -> Sources:
    universe = None if segment.universe is None else PinnedUniverse.pin(segment.universe)
    calendars = {name: calendar for calendar, names in manifest.asset_calendars.items() for name in names}
    series = Series.get(unique_identifier=manifest.prices_series)
    prices = price_table(series, segment.prices_version, manifest.price_column, calendars)
    return Sources(universe, prices, segment.signal_version, segment.members)
