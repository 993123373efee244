"""What a change of a universe means to its readers: whose results differ from when, what is held, what is missing."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar

from mainsequence.domain.plans import AffectedReader, HeldWeight, UnpricedMember, UnroutedMember
from mainsequence.platform.registry import routing as routing_registry
from mainsequence.platform.services import readers as readers_service
from mainsequence.platform.services.reader_views import View
from mainsequence.platform.services.readers import Reader
from mainsequence.platform.services.shifts import Shift
from mainsequence.platform.services.spreading import Spread
from mainsequence.platform.services.stored_results import Stored
from mainsequence.platform.work import Work


@dataclass
class Impact:
    """What a change means; each thing once."""

    readers: list[AffectedReader] = field(default_factory=list)
    held: list[HeldWeight] = field(default_factory=list)
    unrouted: list[UnroutedMember] = field(default_factory=list)
    unpriced: list[UnpricedMember] = field(default_factory=list)


def of(work: Work, shift: Shift) -> Impact:
    """Say what a change means to everything that is known to read the universe.

    What reads a universe that is made from this one is told by how that one moves: who enters this one may leave it.
    """
    found = readers_service.of(work, shift.head)
    stored = Stored(work, _tables(work, found))
    spread = Spread(work, shift, found)
    views = {key: View(work, spread.shift(key), stored) for key in {each.universe.id for each in found}}
    told: dict[tuple[str, str], list[AffectedReader]] = {}
    impact = Impact()
    for key, view in views.items():
        view.find_routes([each for each in found if each.universe.id == key and not each.pinned])
        for routes in view.routes.values():
            impact.unrouted += routes.unrouted
            impact.unpriced += routes.unpriced
    for each in found:
        view = views[each.universe.id]
        told.setdefault((each.kind, each.identifier), []).append(spread.assessed(each, view))
        impact.held += view.held(each)
    impact.readers = [_worst(each) for each in told.values()]
    impact.held, impact.unrouted = _once(impact.held), _once(impact.unrouted)
    impact.unpriced = _once(impact.unpriced)
    return impact


def _tables(work: Work, found: Iterable[Reader]) -> dict[str, str]:
    names = {name for each in found for name in _series_of(each)}
    tables = routing_registry.targets(work.connection, work.organization_id, names)
    return {name: table for name, (table, _) in tables.items()}


def _series_of(reader: Reader) -> Iterator[str]:
    about = reader.about
    named = (about.values_series, about.weights_series, about.signal_series, about.prices_series)
    yield from (each for each in (*named, reader.identifier) if each is not None)


Row = TypeVar("Row", HeldWeight, UnroutedMember, UnpricedMember)

_BEGINNING = datetime.min.replace(tzinfo=UTC)


def _worst(told: list[AffectedReader]) -> AffectedReader:
    """Give what is told of a reader that reads in several ways: by the one through which it differs first."""
    affected = [each for each in told if each.affected]
    return min(affected, key=lambda each: (each.differs_from or _BEGINNING, not each.exact), default=told[0])


def _once(rows: list[Row]) -> list[Row]:
    return list(dict.fromkeys(rows))
