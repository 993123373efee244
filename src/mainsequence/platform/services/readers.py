"""Who reads a universe: portfolios, nodes, other universes, and readers of those, with what they told of themselves."""

from collections import deque
from dataclasses import dataclass, replace

from mainsequence.domain.categories import UNIVERSE_REFERENCE, CategoryRecord, Reference
from mainsequence.domain.portfolios import PORTFOLIO_REFERENCE, PortfolioRecord
from mainsequence.domain.readers import ReaderAbout
from mainsequence.domain.values import trusted
from mainsequence.platform.registry import categories as registry
from mainsequence.platform.registry import governance
from mainsequence.platform.registry import portfolios as portfolio_registry
from mainsequence.platform.registry.sets import within
from mainsequence.platform.registry.sharing import seen_by
from mainsequence.platform.registry.tables import category, portfolio
from mainsequence.platform.work import Work


@dataclass(frozen=True, slots=True)
class Reader:
    """Something that reads a universe.

    Parameters
    ----------
    kind, identifier
        How it is registered.
    about
        What it told of itself.
    universe
        What it reads: the universe asked about, or the last of those between.
    through
        The universes between, from the one asked about.
    made
        The universe that it is, for one that is made from the other.
    calendar
        The calendar of its stamps, where that is known.
    pinned
        How it names the universe, where that is pinned: no change reaches it.
    """

    kind: str
    identifier: str
    about: ReaderAbout
    universe: CategoryRecord
    through: tuple[str, ...] = ()
    made: CategoryRecord | None = None
    calendar: str | None = None
    pinned: tuple[str, ...] = ()

    @property
    def is_portfolio(self) -> bool:
        """Whether it is a portfolio, published or only built."""
        return self.about.role == "portfolio"


def of(work: Work, head: CategoryRecord) -> list[Reader]:
    """Find every reader of a universe that who asks may see, once for each universe through which it reads.

    The nearest come first.
    """
    found: list[Reader] = []
    seen = {head.id}
    queue: deque[tuple[CategoryRecord, tuple[str, ...]]] = deque([(head, ())])
    while queue:
        universe, through = queue.popleft()
        references = registry.references(work.connection, work.actor, universe.id)
        others = _universes(work, references)
        for reference in references:
            reader = _reader(work, universe, reference, through, others)
            found.append(reader)
            below = reader.made
            if below is not None and below.id not in seen and not reader.pinned:
                seen.add(below.id)
                queue.append((below, (*through, below.unique_identifier)))
    return _told(work, found)


def hidden(work: Work, head: CategoryRecord) -> int:
    """Count the readers that who asks may not see."""
    every, seen = (registry.references(work.connection, who, head.id) for who in (work.steward, work.actor))
    return len(every) - len(seen)


def _universes(work: Work, references: list[Reference]) -> dict[str, CategoryRecord]:
    names = [each.identifier for each in references if each.kind == UNIVERSE_REFERENCE]
    if not names:
        return {}
    named = within(work.connection, category.c.unique_identifier, names)
    found = registry.read(work.connection, registry.selection().where(*seen_by(work.actor, category), named))
    return {each.unique_identifier: each for each in found}


def _reader(
    work: Work,
    universe: CategoryRecord,
    reference: Reference,
    through: tuple[str, ...],
    others: dict[str, CategoryRecord],
) -> Reader:
    about = reference.about or ReaderAbout()
    pinned, below = about.pins, None
    if reference.kind == PORTFOLIO_REFERENCE:
        about = about.model_copy(update={"role": "portfolio"})
    elif reference.kind == UNIVERSE_REFERENCE:
        about = about.model_copy(update={"role": "universe"})
        below = others.get(reference.identifier)
        if below is not None and governance.reads_pinned_only(work.connection, below.id, universe.id):
            pinned = (f"{universe.unique_identifier}@…",)
    return Reader(reference.kind, reference.identifier, about, universe, through, below, pinned=pinned)


def _told(work: Work, readers: list[Reader]) -> list[Reader]:
    """Add what published portfolios know; leave out the nodes behind them, which are the same reader."""
    names = [each.identifier for each in readers if each.kind == PORTFOLIO_REFERENCE]
    own = (*seen_by(work.actor, portfolio), within(work.connection, portfolio.c.unique_identifier, names))
    query = portfolio_registry.selection().where(*own)
    published = {each.unique_identifier: each for each in portfolio_registry.read(work.connection, query)}
    told = [_of_portfolio(each, published.get(each.identifier)) for each in readers]
    behind = {each.about.values_series for each in told if each.kind == PORTFOLIO_REFERENCE}
    return [each for each in told if each.kind == PORTFOLIO_REFERENCE or each.identifier not in behind]


def _of_portfolio(reader: Reader, record: PortfolioRecord | None) -> Reader:
    if reader.kind != PORTFOLIO_REFERENCE or record is None:
        return reader
    series = ("values_series", "weights_series", "signal_series")
    known = {name: getattr(record, name) for name in series if getattr(record, name) is not None}
    about = trusted(ReaderAbout, {**reader.about.__dict__, **known})
    return replace(reader, about=about, calendar=record.calendar_name)
