"""Django-style lookups: ``ticker__in=[…]``, ``unique_identifier__contains="…"``; unknown ones are refused."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from mainsequence.domain.identifiers import HIDDEN
from mainsequence.domain.values import listed
from mainsequence.errors import UnknownFilterError, ValidationError

INT64 = 2**63


class Lookup(StrEnum):
    """How a field is compared; ``contains`` is case-sensitive, ``icontains`` is not."""

    EXACT = "exact"
    IN = "in"
    CONTAINS = "contains"
    ICONTAINS = "icontains"
    ISNULL = "isnull"


IDENTIFYING = frozenset({Lookup.EXACT, Lookup.IN, Lookup.CONTAINS, Lookup.ICONTAINS, Lookup.ISNULL})
LISTED = frozenset({Lookup.EXACT, Lookup.IN, Lookup.ISNULL})
EXACT_ONLY = frozenset({Lookup.EXACT})


@dataclass(frozen=True, slots=True)
class FieldLookups:
    """What a field can be compared with, and with which type of value."""

    lookups: frozenset[Lookup]
    kind: type = str


@dataclass(frozen=True, slots=True)
class Condition:
    """One parsed lookup."""

    field: str
    lookup: Lookup
    value: Any


def parse_lookups(
    filters: Mapping[str, Any], allowed: Mapping[str, FieldLookups], aliases: Mapping[str, str] | None = None
) -> list[Condition]:
    """Read keyword filters.

    Parameters
    ----------
    filters
        Keywords such as ``{"ticker__in": ["AAPL", "MSFT"]}``.
    allowed
        The fields and their lookups.
    aliases
        Short or long spellings of fields.

    Raises
    ------
    UnknownFilterError
        A field or lookup that does not exist; the allowed ones are named.
    ValidationError
        A value of the wrong type.
    """
    return [_condition(key, value, allowed, aliases or {}) for key, value in filters.items()]


def _condition(key: str, value: Any, allowed: Mapping[str, FieldLookups], aliases: Mapping[str, str]) -> Condition:
    field, lookup = _split(key, aliases)
    declared = allowed.get(field)
    if declared is None or lookup not in declared.lookups:
        raise _unknown(key, allowed)
    return Condition(field, lookup, _value(key, value, lookup, declared.kind))


def _split(key: str, aliases: Mapping[str, str]) -> tuple[str, Lookup]:
    name, _, suffix = key.rpartition("__")
    if suffix in set(Lookup) and name:
        return aliases.get(name, name), Lookup(suffix)
    return aliases.get(key, key), Lookup.EXACT


def spelt_out(
    filters: Mapping[str, Any], allowed: Mapping[str, FieldLookups], aliases: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Read the text of lookups that were written into an address: ``id__in=1,2`` is a list of whole numbers.

    A blank list is empty. What is no text already, or cannot be read, stays as it is, for `parse_lookups` to judge.
    """
    return {key: _spelt_out(key, value, allowed, aliases or {}) for key, value in filters.items()}


def _spelt_out(key: str, value: Any, allowed: Mapping[str, FieldLookups], aliases: Mapping[str, str]) -> Any:
    field, lookup = _split(key, aliases)
    declared = allowed.get(field)
    if not isinstance(value, str) or declared is None:
        return value
    if lookup is Lookup.IN:
        return [_word(each, declared.kind) for each in value.split(",")] if value else []
    return _word(value, bool if lookup is Lookup.ISNULL else declared.kind)


def _word(text: str, kind: type) -> Any:
    if kind is bool:
        return {"true": True, "false": False, "1": True, "0": False}.get(text.lower(), text)
    whole = text.removeprefix("-")
    return int(text) if kind is int and whole.isascii() and whole.isdecimal() and len(text) < len(str(INT64)) else text


def _unknown(key: str, allowed: Mapping[str, FieldLookups]) -> UnknownFilterError:
    names = sorted(
        field if lookup is Lookup.EXACT else f"{field}__{lookup}"
        for field, declared in allowed.items()
        for lookup in declared.lookups
    )
    return UnknownFilterError(f"There is no filter {key!r}.", hint=f"Allowed: {', '.join(names)}.", allowed=names)


def _value(key: str, value: Any, lookup: Lookup, kind: type) -> Any:
    if lookup is Lookup.ISNULL:
        return _one(key, value, bool)
    if lookup is Lookup.IN:
        return _many(key, value, kind)
    return value if value is None and lookup is Lookup.EXACT else _one(key, value, kind)


def _many(key: str, value: Any, kind: type) -> list[Any]:
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise ValidationError(f"The filter {key!r} takes a list, got {value!r}.", hint=f"Write {key}=[…].")
    items = [_plain(item, kind) for item in value]
    wrong = [item for item in items if not _fits(item, kind)]
    if wrong:
        raise ValidationError(f"The filter {key!r} takes {kind.__name__} values, got {listed(map(repr, wrong))}.")
    return items


def _one(key: str, value: Any, kind: type) -> Any:
    value = _plain(value, kind)
    if _fits(value, kind):
        return value
    raise ValidationError(f"The filter {key!r} takes a {kind.__name__}, got {value!r}.")


def _plain(value: Any, kind: type) -> Any:
    """Read whole numbers of other libraries as Python's own."""
    other = kind is int and hasattr(value, "__index__") and not isinstance(value, int)
    return value.__index__() if other else value


def _fits(value: Any, kind: type) -> bool:
    if not isinstance(value, kind) or (kind is not bool and isinstance(value, bool)):
        return False
    if isinstance(value, str):
        return not HIDDEN.search(value)
    return not isinstance(value, int) or abs(value) < INT64
