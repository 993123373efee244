"""What every client object shares: finding, reading, refreshing, and how it looks."""

from collections.abc import Iterable, Iterator
from copy import deepcopy
from html import escape
from math import isfinite
from types import NoneType
from typing import Any, ClassVar, Generic, Self, TypeVar

from pydantic import PrivateAttr

from mainsequence.client.connection import carrier as current_carrier
from mainsequence.contract.carrier import Carrier
from mainsequence.contract.operation import In, Operation, Out
from mainsequence.contract.queries import MAX_PAGE, Query
from mainsequence.domain.values import Page, Value, trusted
from mainsequence.errors import MultipleFoundError, NotFoundError, ValidationError

Record = TypeVar("Record", bound=Value)
Bound = TypeVar("Bound", bound="ClientObject")

_LEFT = "style='text-align:left'"


class ClientObject(Value):
    """An object of the platform in the user's hands, bound to the session that it came from.

    Its fields change only through its verbs, which refresh it from the platform's answer.
    """

    _carrier: Carrier | None = PrivateAttr(None)
    _shown: ClassVar[tuple[str, ...]] = ("id", "unique_identifier")

    @classmethod
    def _bind(cls, record: Value, carrier: Carrier) -> Self:
        made = trusted(cls, record.__dict__)
        object.__setattr__(made, "__pydantic_private__", {"_carrier": carrier})
        return made

    def __setattr__(self, name: str, value: Any) -> None:
        if not name.startswith("_"):
            raise ValidationError(
                f"{name} of a {type(self).__name__} cannot be assigned.",
                hint="Fields are frozen: they change through verbs such as patch().",
            )
        super().__setattr__(name, value)

    def __getstate__(self) -> dict[Any, Any]:
        """Leave the session behind: a pickled object binds to the session in which it is next used."""
        return super().__getstate__() | {"__pydantic_private__": {"_carrier": None}}

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        made = trusted(type(self), deepcopy(self.__dict__, memo))
        object.__setattr__(made, "__pydantic_private__", {"_carrier": self._carrier})
        return made

    def _call(self, operation: Operation[In, Out], body: In, **path: int | str) -> Out:
        return (self._carrier or current_carrier()).call(operation, body, **path)

    def _bind_all(self, kind: type[Bound], records: Iterable[Value]) -> list[Bound]:
        where = self._carrier or current_carrier()
        return [kind._bind(record, where) for record in records]  # noqa: SLF001 (a client object binds another)

    def _refresh(self, record: Value) -> Self:
        self.__dict__.clear()
        self.__dict__.update(record.__dict__)
        return self

    def _facts(self) -> dict[str, Any]:
        return {name: getattr(self, name, None) for name in self._shown}

    def __repr__(self) -> str:
        facts = ", ".join(f"{name}={value!r}" for name, value in self._facts().items() if value is not None)
        return f"{type(self).__name__}({facts})"

    __str__ = __repr__

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th {_LEFT}>{escape(name)}</th><td {_LEFT}>{escape(str(value))}</td></tr>"
            for name, value in self._facts().items()
            if value is not None
        )
        return f"<table><caption>{escape(type(self).__name__)}</caption>{rows}</table>"


class Noun(ClientObject, Generic[Record]):
    """A client object that can be found by lookups."""

    _query: ClassVar[Operation[Any, Any]]
    _get: ClassVar[Operation[Any, Any]]

    id: int

    def __eq__(self, other: object) -> bool:
        """Tell whether both stand for the same object of the same platform, whatever was read of it when."""
        return isinstance(other, Noun) and type(self) is type(other) and self._identity() == other._identity()

    def __hash__(self) -> int:
        return hash((type(self), self.__dict__.get("id")))

    def _identity(self) -> tuple[Any, ...]:
        return self.__dict__.get("id"), None if self._carrier is None else self._carrier.describe()

    @classmethod
    def filter(cls, **filters: Any) -> list[Self]:
        """Find every object that fits the lookups (``field=``, ``field__in=``, ``field__contains=``).

        Raises
        ------
        UnknownFilterError
            A lookup that does not exist; the message lists those that do.
        """
        return cls.query(per_page=MAX_PAGE, **filters)

    @classmethod
    def query(cls, per_page: int = 1_000, **filters: Any) -> list[Self]:
        """Find like `filter`, asking for ``per_page`` objects at a time."""
        return sorted(cls.iter_filter(per_page=per_page, **filters), key=_id)

    @classmethod
    def iter_filter(cls, per_page: int = 1_000, **filters: Any) -> Iterator[Self]:
        """Find like `filter`, page by page while you iterate; a long list of values is asked for part by part."""
        return cls._found(current_carrier(), per_page, filters)

    @classmethod
    def _found(cls, where: Carrier, per_page: int, filters: dict[str, Any]) -> Iterator[Self]:
        given: set[int] = set()
        for part in _parts(_plain(filters), max(per_page, FEWEST_VALUES)):
            for page in cls._pages(where, per_page, part):
                new = [record for record in page.results if record.id not in given]
                given.update(record.id for record in new)
                yield from (cls._bind(record, where) for record in new)

    @classmethod
    def _pages(cls, where: Carrier, per_page: int, filters: dict[str, Any]) -> Iterator[Page[Any]]:
        after: int | None = None
        while True:
            page: Page[Any] = where.call(cls._query, cls._page(filters, per_page, after))
            yield page
            after = page.next_after
            if after is None:
                return

    @classmethod
    def _page(cls, filters: dict[str, Any], limit: int, after: int | None) -> Query:
        return Query(filters=filters, limit=limit, after=after)

    @classmethod
    def get(cls, pk: int | None = None, /, **filters: Any) -> Self:
        """Read the one object with this id, or that fits the lookups.

        Raises
        ------
        NotFoundError
            None fits.
        MultipleFoundError
            Several fit.
        """
        if pk is not None and not filters:
            where = current_carrier()
            return cls._bind(where.call(cls._get, None, key=_key(cls, pk)), where)
        found = cls._at_most_one(filters if pk is None else filters | {"id": pk})
        if found is None:
            raise NotFoundError(
                f"No {cls.__name__} fits {_written(filters)}.", hint=f"{cls.__name__}.filter() lists all."
            )
        return found

    @classmethod
    def get_or_none(cls, pk: int | None = None, /, **filters: Any) -> Self | None:
        """Read like `get`, but give ``None`` where none fits."""
        return cls._at_most_one(filters if pk is None else filters | {"id": pk})

    @classmethod
    def _at_most_one(cls, filters: dict[str, Any]) -> Self | None:
        where = current_carrier()
        page: Page[Any] = where.call(cls._query, cls._page(_plain(filters), 2, None))
        if len(page.results) > 1:
            raise MultipleFoundError(
                f"Several {cls.__name__} objects fit {_written(filters)}.", hint="Narrow it, or use filter()."
            )
        return cls._bind(page.results[0], where) if page.results else None


NO_ID = 10**18
"""Ids are smaller, on every carrier."""

FEWEST_VALUES = 1_000
"""How many values of one lookup are sent at once at least, however small the pages."""


def _parts(filters: dict[str, Any], size: int) -> Iterator[dict[str, Any]]:
    """Split the longest list of values, as each page of what fits would send all of it again."""
    lists = {name: value for name, value in filters.items() if name.endswith("__in") and isinstance(value, list)}
    longest = max(lists, key=lambda name: len(lists[name]), default=None)
    if longest is None or len(lists[longest]) <= size:
        yield filters
        return
    for start in range(0, len(lists[longest]), size):
        yield filters | {longest: lists[longest][start : start + size]}


def _plain(filters: dict[str, Any]) -> dict[str, Any]:
    """Give numbers, arrays and iterators of other libraries as Python's own, which every carrier understands.

    Raises
    ------
    ValidationError
        A value has no form in JSON, so that a server would be asked for something else than the platform in a process.
    """
    made = {name: _native(name, value) for name, value in filters.items()}
    for name, value in made.items():
        for each in value if isinstance(value, list) else (value,):
            if not isinstance(each, _PLAIN) or (isinstance(each, float) and not isfinite(each)):
                raise ValidationError(f"The filter {name!r} takes plain values, got {each!r}.")
    return made


_PLAIN = (str, int, float, NoneType, list, tuple)


def _native(name: str, value: Any) -> Any:
    if hasattr(value, "tolist"):
        return value.tolist()
    many = name.endswith("__in") and isinstance(value, Iterable) and not isinstance(value, str)
    return list(value) if many else value


def _id(found: Noun[Any]) -> int:
    return found.id


def _key(kind: type[Noun[Any]], pk: Any) -> int:
    if isinstance(pk, bool) or not hasattr(pk, "__index__"):
        raise ValidationError(
            f"{kind.__name__}.get() takes an id, got {pk!r}.",
            hint=f"By name write {kind.__name__}.get(unique_identifier=…).",
        )
    found = int(pk.__index__())
    if not 0 <= found < NO_ID:
        raise NotFoundError(f"No {kind.__name__} has the id {found}.", hint=f"{kind.__name__}.filter() lists all.")
    return found


def _written(filters: dict[str, Any]) -> str:
    text = ", ".join(f"{name}={value!r}" for name, value in filters.items()) or "no filter"
    return text if len(text) <= 200 else text[:200] + "…"
