"""Plans for people: lines with a sign, as text, in colour, or as HTML."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Any

from mainsequence.domain.beside import Announcement
from mainsequence.domain.plans import AffectedReader, PlanRecord, Reweighting, Spell, count
from mainsequence.domain.universe_rules import differences

SHOWN = 20
"""How many lines of one kind are shown."""

COLOURS = {"+": "green", "-": "red", "~": "yellow", "!": "magenta", "?": "cyan", "#": "bold"}
"""What enters, leaves, weighs something else, differs, is missing, and headings."""

_CSS = {"+": "color:#0a7a2f", "-": "color:#b3261e", "~": "color:#8a6100", "!": "color:#8e24aa", "?": "color:#00697a"}


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a plan: what it is about, and what it says."""

    sign: str
    text: str

    def __str__(self) -> str:
        if self.sign in ("", "#"):
            return self.text
        return f"  {self.sign} {self.text}"


def lines(plan: PlanRecord, shown: int = SHOWN) -> list[Line]:
    """Say what a plan would do, as lines; the last one is the summary."""
    title = f"{plan.unique_identifier} at revision {plan.change.revision}, planned {_moment(plan.planned_at)}"
    return [
        Line("#", title),
        *_definition(plan),
        *_cut(_members(plan), shown),
        *_section("Announced", [Line("~", _announced(each)) for each in plan.announced], shown),
        *_section("Decided", [Line("·", str(plan.decision))] if plan.decision else [], shown),
        *_section("Readers", _readers(plan), shown),
        *_section("Held today in members that would leave", _held(plan), shown),
        *_section(
            "Without a route", [Line("?", f"{each.unique_identifier}: {each.reason}") for each in plan.unrouted], shown
        ),
        *_section("Without prices for the dates needed", _unpriced(plan), shown),
        *_section("Refused as it stands", [Line("!", each.message) for each in plan.objections], shown),
        *([] if plan.is_empty else [Line("", f"Size: {_size(plan)}")]),
        Line("#", plan.summary),
    ]


def text(plan: PlanRecord) -> str:
    """Write a plan as text."""
    return "\n".join(map(str, lines(plan)))


def html(plan: PlanRecord) -> str:
    """Write a plan as HTML."""
    rows = (f"<span style='{_style(each.sign)}'>{escape(str(each))}</span>" for each in lines(plan))
    return "<pre>" + "\n".join(rows) + "</pre>"


def _style(sign: str) -> str:
    return "font-weight:bold" if sign == "#" else _CSS.get(sign, "")


def _definition(plan: PlanRecord) -> list[Line]:
    asked = plan.change.expression
    if asked is not None:
        return [Line("~", f"made from {plan.made_from} → {asked}")]
    if plan.change.rule is None:
        return []
    changed = differences(plan.filled_by, plan.change.rule)
    return [Line("~", f"rule: {name} {old} → {new}") for name, old, new in changed]


def _members(plan: PlanRecord) -> list[Line]:
    signed: list[tuple[str, Sequence[Spell]]] = [("+", plan.enters), ("-", plan.leaves)]
    moved = [
        Line(sign, f"{each.unique_identifier}{_span(each)}{_weight(each)}") for sign, some in signed for each in some
    ]
    return moved + [Line("~", f"{each.unique_identifier}{_change(each)}{_span(each)}") for each in plan.reweighted]


def _announced(each: Announcement) -> str:
    before = f", not {_moment(each.before)}" if each.before else ""
    return f"{each.unique_identifier} of {_moment(each.effective_at)}: on {_moment(each.announced_at)}{before}"


def _cut(rows: Sequence[Line], shown: int) -> Iterator[Line]:
    """Show some lines of each kind, and count the others."""
    for sign in dict.fromkeys(each.sign for each in rows):
        same = [each for each in rows if each.sign == sign]
        yield from same[:shown]
        if len(same) > shown:
            yield Line(sign, f"… and {len(same) - shown:,} more")


def _section(title: str, rows: Iterable[Line], shown: int) -> list[Line]:
    found = list(rows)
    return [Line("#", title), *_cut(found, shown)] if found else []


def _span(spell: Any) -> str:
    start, end = spell.valid_from, spell.valid_to
    if start is None and end is None:
        return ""
    return (f" from {_moment(start)}" if start else "") + (f" until {_moment(end)}" if end else "")


def _weight(spell: Spell) -> str:
    return "" if spell.weight is None else f" weight {spell.weight:g}"


def _change(each: Reweighting) -> str:
    before, after = ("none" if weight is None else f"{weight:g}" for weight in (each.before, each.after))
    return f" weight {before} → {after}"


def _moment(at: datetime) -> str:
    midnight = (at.hour, at.minute, at.second, at.microsecond) == (0, 0, 0, 0)
    return f"{at:%Y-%m-%d}" if midnight else f"{at:%Y-%m-%d %H:%M} UTC"


def _readers(plan: PlanRecord) -> list[Line]:
    hidden = [Line("?", f"{count(plan.hidden_readers, 'reader')} that you may not see")] if plan.hidden_readers else []
    return [_reader(each) for each in plan.readers] + hidden


def _reader(each: AffectedReader) -> Line:
    name = each.role if each.role == each.kind else f"{each.role} ({each.kind})"
    through = f" through {' → '.join(each.through)}" if each.through else ""
    if not each.affected:
        return Line("·", f"{name} {each.identifier}{through}: not affected, {each.why}")
    since = "from the beginning" if each.differs_from is None else f"from {_moment(each.differs_from)}"
    differs = "differs" if each.exact else "may differ"
    return Line("!", f"{name} {each.identifier}{through}: {differs} {since}, {each.why}")


def _held(plan: PlanRecord) -> list[Line]:
    return [
        Line("-", f"{each.portfolio}: {each.weight:.2%} {each.unique_identifier} on {_moment(each.at)}")
        for each in plan.held
    ]


def _unpriced(plan: PlanRecord) -> list[Line]:
    return [
        Line(
            "?",
            f"{each.unique_identifier} in {each.series}: needed {_days(each.needed_from, each.needed_to)}, there "
            + ("is nothing" if each.first is None else f"is {_days(each.first, each.last)}"),
        )
        for each in plan.unpriced
    ]


def _days(start: datetime | None, end: datetime | None) -> str:
    first, last = ("" if each is None else f"{each:%Y-%m-%d}" for each in (start, end))
    return f"{first} to {last}"


def _size(plan: PlanRecord) -> str:
    part = "" if plan.size.fraction is None else f" ({plan.size.fraction:.0%})"
    return f"{plan.size.changed:,} changed, {plan.size.members:,} members before{part}, {plan.size}"
