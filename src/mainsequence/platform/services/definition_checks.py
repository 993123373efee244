"""Checking the definitions of a universe against the revisions that recorded them: for `verify`.

What a definition says stands in its revision too, whose hash covers it. Nothing here believes what is stored: what
cannot be read is a finding. Of a reason that is too long for its revision, the end is not covered.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from mainsequence.domain.expressions import parse_expression
from mainsequence.domain.universe_rules import UniverseRule
from mainsequence.domain.verification import Finding
from mainsequence.errors import MainSequenceError
from mainsequence.platform.registry import composition, governance
from mainsequence.platform.registry import verification as source
from mainsequence.platform.registry.composition import EXPRESSION, MEMBERS, RULE, Body
from mainsequence.platform.services.definitions import said_of
from mainsequence.platform.work import Work

Row: TypeAlias = Mapping[str, Any]

_DEFINING = re.compile("define|redefine|revert to [0-9]+")
_OPERAND = ("operand_id", "pinned_revision", "pinned_at")


def definitions(work: Work, facts: Row, revisions: Sequence[Row]) -> Iterator[Finding]:
    """Compare what is stored of definitions with the history, which was checked by itself."""
    stored = source.definitions(work.connection, facts["id"])
    yield from _kind(facts, bool(stored))
    recorded = {each["revision"]: each for each in revisions if _defines(facts, each)}
    operands = _by_revision(source.operands(work.connection, facts["id"]))
    names = _Names(work, facts["kind"], stored)
    for row in stored:
        revision = row["revision"]
        found = _problem(row, recorded.get(revision), operands.get(revision, [])) or names.problem(row)
        if found:
            yield _finding(revision, f"The definition of revision {revision!r} {found}.")
    present = {each["revision"] for each in stored}
    for revision in recorded.keys() - present:
        yield _finding(revision, f"The definition of revision {revision} is gone.")
    for revision in operands.keys() - present:
        yield _finding(revision, f"Universes are named by revision {revision!r}, which has no definition.")


def _defines(facts: Row, revision: Row) -> bool:
    """Tell whether a revision recorded a definition: going back does so where members follow from one."""
    operation = str(revision["operation"])
    reverts = operation.startswith("revert") and facts["kind"] != EXPRESSION
    return not reverts and _DEFINING.fullmatch(operation) is not None


def _finding(revision: Any, message: str) -> Finding:
    return Finding(what="definition", revision=revision if type(revision) is int else None, message=message)


def _kind(facts: Row, is_defined: bool) -> Iterator[Finding]:
    kind = facts["kind"]
    if kind not in (MEMBERS, EXPRESSION, RULE) or (kind != MEMBERS) != is_defined:
        has = "has definitions" if is_defined else "has no definition"
        yield Finding(what="kind", message=f"The universe is said to be of the kind {kind!r:.100}, and {has}.")
    elif is_defined and facts["dated"] != (kind == RULE):
        said = f"A universe of the kind {kind} is said to have dated={facts['dated']!r:.100}."
        yield Finding(what="kind", message=said)


def _by_revision(rows: Sequence[Row]) -> dict[Any, list[Row]]:
    found: dict[Any, list[Row]] = {}
    for row in rows:
        found.setdefault(row["revision"], []).append(row)
    return found


def _problem(row: Row, recorded: Row | None, operands: Sequence[Row]) -> str | None:
    """Say what is wrong with a definition, as far as it can be told without its names."""
    if recorded is None:
        return "belongs to no revision that recorded one"
    if row["recorded_at"] != recorded["recorded_at"]:
        return "is said to have been recorded at another time"
    body = _read(row["body"])
    if body is None:
        return "cannot be read"
    if said_of(body.reason, body.text) != recorded["reason"]:
        return "is not the one that was recorded"
    named = {(place, *operand) for place, operand in enumerate(body.operands)}
    told = [(each["position"], *(each[name] for name in _OPERAND)) for each in operands]
    if set(told) != named or not all(map(_are_whole, told)):
        return "names other universes than those that are read"
    return None


def _read(stored: Any) -> Body | None:
    """Read a definition that is exactly as the platform writes it."""
    try:
        body = Body.of(stored)
    except (ValueError, TypeError, KeyError):
        return None
    told = all(isinstance(each, str) for each in (body.text, body.reason or ""))
    shaped = all(len(each) == len(_OPERAND) and _are_whole(each) for each in body.operands)
    return body if told and shaped and str(body) == stored else None


def _are_whole(values: tuple[Any, ...]) -> bool:
    return all(each is None or type(each) is int for each in values)


class _Names:
    """The universes that definitions name in their text: found at once."""

    def __init__(self, work: Work, kind: Any, stored: Sequence[Row]) -> None:
        bodies = {row["revision"]: _read(row["body"]) for row in stored}
        self._bodies = {revision: body for revision, body in bodies.items() if body is not None}
        self._wanted = {revision: _named(kind, body.text) for revision, body in self._bodies.items()}
        every = {name for names in self._wanted.values() for name in names or ()}
        self._present = governance.present_names(work.connection, work.organization_id, every)
        self._ids = composition.ids_named(work.connection, work.steward, set(self._present.values()))

    def problem(self, row: Row) -> str | None:
        """Say what is wrong with the names of a definition that can be read."""
        wanted = self._wanted[row["revision"]]
        if wanted is None:
            return "is not one of the kind of the universe"
        ids = {self._ids.get(self._present[name]) for name in wanted}
        if {each[0] for each in self._bodies[row["revision"]].operands} != ids:
            return "reads other universes than those that its text names"
        return None


def _named(kind: Any, text: str) -> list[str] | None:
    """Give the names in a definition; ``None`` where it is none of its kind."""
    try:
        texts = UniverseRule.model_validate_json(text).universes if kind == RULE else (text,)
        return [operand.name for each in texts for operand in parse_expression(each).operands]
    except (MainSequenceError, ValueError):
        return None
