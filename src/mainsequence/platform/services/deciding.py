"""Deciding what a rule says of its effective dates, and looking once more at one of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from mainsequence.compute.intervals import Bools, Floats, Intervals, Ints
from mainsequence.compute.ranking import choose, held_at, ranks, spells, statistic
from mainsequence.compute.sessions import Schedule
from mainsequence.domain.times import MICROS_PER_DAY, MIN_MICROS, from_micros
from mainsequence.domain.universe_rules import Measure, Outcome, UniverseRule
from mainsequence.domain.values import listed
from mainsequence.platform.registry import attributes
from mainsequence.platform.services.rule_inputs import Dates, Gathered, dates_of, gather
from mainsequence.platform.work import Work

Members = Callable[[int], list[int]]
"""Gives the ids of the members at a time."""


@dataclass(frozen=True, slots=True)
class Decided:
    """What was decided: bool[D, N], for D effective dates and N assets, from what, and what later ones wait for."""

    effective: Ints
    chosen: Bools
    ids: Ints
    ends: Ints
    versions: dict[str, int]
    inputs: dict[str, str]
    waiting: str | None = None

    def spells(self) -> Intervals:
        """Give the intervals that follow."""
        return spells(self.chosen, self.effective, self.ids, self.ends)


def decide(work: Work, rule: UniverseRule, first: int, last: int, members: Members) -> Decided:
    """Decide the effective dates in ``[first, last]``, each from what was known at its close and who was in before.

    Parameters
    ----------
    members
        Gives who was in before the first of them.
    """
    asked = dates_of(rule, first, last)
    whole = gather(work, rule, asked)
    # Numbers that have not arrived are no reason to be out: such dates stay undecided.
    dates = asked.first(asked.reached(whole.reaches.values()))
    chosen = np.zeros((len(dates), len(whole.ids)), dtype=bool)
    held = np.isin(whole.ids, members(int(dates.effective[0]) - 1)) if len(dates) else np.zeros(0, dtype=bool)
    for row, (effective, cut) in enumerate(zip(dates.effective.tolist(), dates.cut.tolist(), strict=True)):
        held = at_date(rule, whole, dates.sessions, effective, cut).chosen(rule, held)
        chosen[row] = held
    told = _told(rule, whole.versions)
    return Decided(
        dates.effective, chosen, whole.ids, whole.ends, whole.versions, told, _waiting(asked, len(dates), whole)
    )


def _waiting(asked: Dates, decided: int, whole: Gathered) -> str | None:
    """Say which series end before the data of the first date that is not decided, and when."""
    if decided == len(asked):
        return None
    cut = asked.cut[decided : decided + 1]
    short = {name: time for name, time in whole.reaches.items() if asked.sessions.position_of(np.array([time])) < cut}
    ends = [f"{name} {_until(time)}" for name, time in sorted(short.items())]
    date, close = from_micros(int(asked.effective[decided])), from_micros(int(asked.sessions.closes[cut[0]]))
    return (
        f"{len(asked) - decided} effective dates from {date:%Y-%m-%d} on wait for data up to "
        f"{close:%Y-%m-%d %H:%M} UTC: {listed(ends)}"
    )


def _until(time: int) -> str:
    return "is empty" if time == MIN_MICROS else f"ends at {from_micros(time):%Y-%m-%d %H:%M} UTC"


def _told(rule: UniverseRule, versions: Mapping[str, int]) -> dict[str, str]:
    told = {f"series {name}": f"{name}@{version}" for name, version in versions.items()}
    if rule.base is not None:
        told["base"] = rule.base
    return told


@dataclass(slots=True)
class AtDate:
    """What a rule finds of N assets on one date: conditions by what they ask, and the numbers to rank."""

    until: int
    passed: dict[str, Bools]
    found: dict[str, Floats]
    ranked: Floats | None

    def eligible(self) -> Bools:
        """Say who fulfils every condition; bool[N]."""
        every = list(self.passed.values())
        whole: Bools = np.logical_and.reduce(every)
        return whole

    def rank(self, rule: UniverseRule) -> Ints | None:
        """Rank those that are eligible; 0 for others, ``None`` where nothing is ranked."""
        if rule.ranking is None or self.ranked is None:
            return None
        return ranks(self.ranked, self.eligible(), ascending=rule.ranking.ascending)

    def chosen(self, rule: UniverseRule, held: Bools) -> Bools:
        """Say who is in, given who was; bool[N]."""
        rank = self.rank(rule)
        return self.eligible() if rank is None or rule.ranking is None else choose(rank, held, rule.ranking)


def at_date(rule: UniverseRule, whole: Gathered, sessions: Schedule, effective: int, cut: int) -> AtDate:
    """Look at one date."""
    until = int(sessions.closes[cut])
    passed = {"not retired": whole.ends > effective, _where(rule): held_at(whole.attributes, whole.ids, until)}
    rows = iter(whole.universes)
    if rule.base is not None:
        passed[f"in {rule.base}"] = held_at(next(rows), whole.ids, until)
    for each in rule.member_of:
        since = until - each.days * MICROS_PER_DAY
        passed[f"in {each.universe} for {each.days} days"] = held_at(next(rows), whole.ids, until, since=since)
    found = {str(each): _number(whole, each, cut) for each in rule.measures}
    for bound in rule.thresholds:
        values = found[str(bound.measure)]
        if bound.at_least is not None:
            passed[f"{bound.measure} ≥ {bound.at_least:g}"] = values >= bound.at_least
        if bound.at_most is not None:
            passed[f"{bound.measure} ≤ {bound.at_most:g}"] = values <= bound.at_most
    ranked = None if rule.ranking is None else found[str(rule.ranking.measure)]
    if ranked is not None and rule.ranking is not None:
        passed[f"{rule.ranking.measure} is known"] = ~np.isnan(ranked)
    return AtDate(until, passed, found, ranked)


def _where(rule: UniverseRule) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in rule.where.items()) or "an asset"


def _number(whole: Gathered, measure: Measure, cut: int) -> Floats:
    if measure not in whole.numbers:
        return np.full(len(whole.ids), np.nan)
    end = cut - whole.first_session + 1
    return statistic(whole.numbers[measure][max(end - measure.window, 0) : end], measure.statistic, measure.least)


# -- why


@dataclass(frozen=True, slots=True)
class Look:
    """What a rule found of one asset on one date."""

    rule: UniverseRule
    until: int
    outcomes: list[Outcome]
    rank: int
    ranked: int | None
    was_member: bool

    def verdict(self, member: bool) -> str:
        """Say in words why it is in, or is not."""
        failed = [each.condition for each in self.outcomes if not each.passed]
        if failed:
            return f"not eligible: failed {', '.join(failed)}"
        ranking = self.rule.ranking
        if ranking is None:
            return "eligible: every condition holds"
        told = f"rank {self.rank} of {self.ranked}"
        if not member:
            border = f"members stay to rank {ranking.leaves}" if self.was_member else f"{ranking.top} were in before it"
            return f"{told}: out, {border}"
        if self.rank <= ranking.enters:
            return f"{told}: in, rank {ranking.enters} or better enters"
        if self.was_member and self.rank <= ranking.leaves:
            return f"{told}: in, members stay to rank {ranking.leaves}"
        return f"{told}: in, there was room for {ranking.top}"


def look(
    work: Work,
    rule: UniverseRule,
    date: int,
    asset_id: int,
    *,
    known: int,
    versions: Mapping[str, int],
    members: list[int],
) -> Look:
    """Look once more at one date, at what was known when it was decided, and give what was found of one asset."""
    dates = dates_of(rule, date, date)
    whole = gather(work, rule, dates, known=known, versions=versions, also=[asset_id])
    seen = at_date(rule, whole, dates.sessions, date, int(dates.cut[0]))
    place = int(np.searchsorted(whole.ids, asset_id))
    rank = seen.rank(rule)
    outcomes = [
        Outcome(condition=asked, found=_found(work, rule, seen, asked, place, asset_id), passed=bool(held[place]))
        for asked, held in seen.passed.items()
    ]
    return Look(
        rule,
        seen.until,
        outcomes,
        0 if rank is None else int(rank[place]),
        None if rank is None else int((rank > 0).sum()),
        asset_id in members,
    )


def _found(work: Work, rule: UniverseRule, seen: AtDate, asked: str, place: int, asset_id: int) -> str:
    for measure, values in seen.found.items():
        if asked.startswith(measure):
            return "unknown" if np.isnan(values[place]) else f"{values[place]:g}"
    if asked == _where(rule) and rule.where:
        return _attributes_of(work, rule, asset_id, seen.until)
    return "yes" if seen.passed[asked][place] else "no"


def _attributes_of(work: Work, rule: UniverseRule, asset_id: int, time: int) -> str:
    names = list(dict.fromkeys(each.field for each in rule.conditions))
    held = attributes.held_at(work.connection, asset_id, names, time)
    return ", ".join(f"{name}={value!r}" for name, value in held.items())
