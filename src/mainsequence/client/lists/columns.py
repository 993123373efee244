"""Which column of a list says what: by documented names, or as the user says; nothing is guessed from the cells."""

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum

from mainsequence.domain.resolution import IdentifierKind
from mainsequence.errors import ValidationError


class Layout(StrEnum):
    """What a list is: intervals, dated lists below each other, or one list."""

    INTERVALS = "intervals"
    SNAPSHOTS = "snapshots"
    SNAPSHOT = "snapshot"


NAMES: Mapping[str, tuple[str, ...]] = {
    "unique_identifier": ("unique_identifier",),
    "isin": ("isin",),
    "figi": ("figi",),
    "composite": ("composite", "composite_figi"),
    "share_class": ("share_class", "share_class_figi", "shareclass_figi"),
    "ticker": ("ticker", "symbol"),
    "name": ("name", "company", "company_name", "security"),
    "identifier": ("identifier",),
    "exchange_code": ("exchange_code", "mic", "exchange"),
    "start": ("valid_from", "effective_from", "start", "start_date", "from", "opt_in", "entry_date", "effective"),
    "end": ("valid_to", "effective_to", "end", "end_date", "to", "opt_out", "exit_date"),
    "date": ("date", "as_of", "snapshot_date"),
    "weight": ("weight", "weights"),
    "announced": ("announced", "announced_at"),
    "exit_announced": ("exit_announced", "exit_announced_at"),
}
"""The names by which each role is known; capitals and punctuation do not matter."""

IDENTIFIERS = ("identifier", "unique_identifier", "isin", "figi", "composite", "share_class", "ticker", "name")
OPEN_START = "valid_from"
"""In a column of this name, which our own exports have, a blank start is open; in another it is a finding."""


def normal(name: str) -> str:
    """Give a column's name as it is compared: small letters, one underscore for whatever else stands between them."""
    return re.sub(r"[^0-9a-z]+", "_", name.lower()).strip("_")


def assign(
    names: Sequence[str], kind: IdentifierKind | None, *, with_exchange: bool, columns: Mapping[str, str] | None
) -> dict[str, str]:
    """Give the column of each role that the list has.

    Parameters
    ----------
    names
        The columns of the list.
    kind
        What the list names its assets by; ``None`` where the user did not say.
    with_exchange
        Whether tickers go with exchanges.
    columns
        Columns by role, as the user says; these win.

    Raises
    ------
    ValidationError
        A role or column that does not exist, several columns that could be one role, or none that could be the
        identifier.
    """
    chosen = _given(names, columns or {})
    needed = set(NAMES) - ({"exchange_code"} if not with_exchange else set())
    for role in NAMES:
        fitting = [name for name in names if normal(name) in NAMES[role]]
        if role in chosen or not fitting or role not in needed:
            continue
        if len(fitting) > 1:
            raise ValidationError(
                f"{' and '.join(map(repr, fitting))} could both be the {role}.",
                hint=f"Say which: columns={{{role!r}: {fitting[0]!r}}}.",
            )
        chosen[role] = fitting[0]
    chosen["identifier"] = _identifier(names, chosen, kind, columns or {})
    if with_exchange and "exchange_code" not in chosen:
        raise ValidationError(
            f"No column says the exchange: {', '.join(names)}.", hint="Say which: columns={'exchange_code': …}."
        )
    return chosen


def _given(names: Sequence[str], columns: Mapping[str, str]) -> dict[str, str]:
    unknown = sorted(set(columns) - set(NAMES))
    missing = sorted(set(columns.values()) - set(names))
    if unknown or missing:
        raise ValidationError(
            f"columns= names roles {unknown} that do not exist, or columns {missing} that the list does not have.",
            hint=f"Roles: {', '.join(NAMES)}. Columns: {', '.join(names)}.",
        )
    return dict(columns)


def _identifier(
    names: Sequence[str], chosen: dict[str, str], kind: IdentifierKind | None, columns: Mapping[str, str]
) -> str:
    if "identifier" in columns:
        return columns["identifier"]
    roles = IDENTIFIERS if kind in (None, IdentifierKind.ANY) else (str(kind), "identifier")
    found = next((chosen[role] for role in roles if role in chosen), None)
    if found is None and len(names) == 1:
        found = names[0]
    if found is None:
        raise ValidationError(
            f"No column could be the {kind or 'identifier'}: {', '.join(names)}.",
            hint="Say which: columns={'identifier': …}.",
        )
    return found


def is_known(column: str) -> bool:
    """Tell whether a column is called as identifiers are."""
    return any(normal(column) in NAMES[role] for role in IDENTIFIERS)


def kind_of(column: str) -> IdentifierKind:
    """Give what a column of identifiers holds by its name; ``any`` where that does not tell."""
    for role in IDENTIFIERS[1:]:
        if normal(column) in NAMES[role]:
            return IdentifierKind(role)
    return IdentifierKind.ANY


def layout_of(roles: Mapping[str, str]) -> Layout:
    """Tell what a list is by the dates that it has.

    Raises
    ------
    ValidationError
        It has the dates of lists and those of intervals.
    """
    spans = [roles[role] for role in ("start", "end") if role in roles]
    if "date" in roles and spans:
        raise ValidationError(
            f"The list has both {roles['date']!r} and {', '.join(map(repr, spans))}.",
            hint="Leave out the column that does not say who was a member when.",
        )
    if spans:
        return Layout.INTERVALS
    return Layout.SNAPSHOTS if "date" in roles else Layout.SNAPSHOT
