"""The identity of a node: its class and everything that changes its behaviour, as canonical JSON and its hash."""

import inspect
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, is_dataclass
from dataclasses import fields as dataclass_fields
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from hashlib import sha256
from math import isfinite
from pathlib import PurePath
from types import FunctionType
from typing import Any, get_args, get_type_hints

from pydantic import BaseModel

from mainsequence.client.base import ClientObject
from mainsequence.domain.assets import AssetRecord
from mainsequence.domain.times import to_datetime
from mainsequence.errors import ValidationError
from mainsequence.tdag.configuration import DisplayOnly, UpdateOnly, carries, is_marked
from mainsequence.tdag.reading import ReadableNode

_PLAIN = (type(None), bool, int, str)
_HASH_LENGTH = 32


def class_name(kind: type) -> str:
    """Give the full name of a class, as it counts in identities."""
    return f"{kind.__module__}.{kind.__qualname__}"


def hash_of(form: Any) -> str:
    """Hash a canonical form: 32 hexadecimal digits of its SHA-256."""
    text = json.dumps(form, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return sha256(text.encode()).hexdigest()[:_HASH_LENGTH]


def canonical(value: Any, *, for_update: bool = False) -> Any:
    """Give a value as JSON that is the same in every process and says everything that changes behaviour.

    Times are UTC, sets sorted, models and other objects named by their class; `DisplayOnly` fields are left out, and
    `UpdateOnly` ones unless ``for_update``. Assets, universes, series and nodes count by their stable identifier.

    Raises
    ------
    ValidationError
        The value has no such form (a lambda, an array, an open file …).
    NaiveTimestampError
        A time without a zone.
    """
    return _Canonical(for_update).form(value)


@dataclass(frozen=True)
class NodeIdentity:
    """What makes a node itself: the canonical form of its class, arguments and namespace, and its hash."""

    form: Mapping[str, Any]
    hash: str

    @classmethod
    def of(cls, kind: type, given: Mapping[str, Any], namespace: str | None, *, for_update: bool) -> "NodeIdentity":
        """Work out the identity of a node of a class from its arguments (or its ``config``)."""
        own = {name: value for name, value in given.items() if name != "hash_namespace"}
        arguments = _Canonical(for_update).arguments(kind.__init__, own)  # type: ignore[misc]
        form = {"class": class_name(kind), "arguments": arguments}
        form |= {} if namespace is None else {"namespace": namespace}
        return cls(form, hash_of(form))


class _Canonical:
    """Writes canonical forms, with or without the fields for updates."""

    def __init__(self, for_update: bool) -> None:
        self.hidden = (DisplayOnly,) if for_update else (DisplayOnly, UpdateOnly)

    def form(self, value: Any) -> Any:
        if isinstance(value, Enum):
            return {"enum": class_name(type(value)), "name": value.name}
        if isinstance(value, _PLAIN):
            return value
        if isinstance(value, float):
            return value if isfinite(value) else {"float": str(value)}
        for kinds, write in self._writers():
            if isinstance(value, kinds):
                return write(value)
        return self._object(value)

    def _writers(self) -> tuple[tuple[Any, Callable[[Any], Any]], ...]:
        return (
            (datetime, lambda each: {"time": to_datetime(each, "a time in a node's configuration").isoformat()}),
            ((date, time), lambda each: {type(each).__name__: each.isoformat()}),
            (timedelta, lambda each: {"timedelta": each // timedelta(microseconds=1)}),
            (Decimal, lambda each: {"decimal": str(each)}),
            (PurePath, lambda each: {"path": each.as_posix()}),
            (bytes, lambda each: {"bytes": each.hex()}),
            (Mapping, self._mapping),
            ((set, frozenset), lambda each: {"set": sorted(map(self.form, each), key=_text)}),
            ((list, tuple), lambda each: [self.form(item) for item in each]),
            ((type, FunctionType), _importable),
        )

    def _mapping(self, value: Mapping[Any, Any]) -> Any:
        if all(isinstance(key, str) for key in value):
            return {key: self.form(value[key]) for key in sorted(value)}
        return {"mapping": sorted(([self.form(key), self.form(each)] for key, each in value.items()), key=_text)}

    def _object(self, value: Any) -> Any:
        kind = type(value)
        if isinstance(value, ReadableNode):
            return value.as_identity()
        if isinstance(value, ClientObject | AssetRecord) and hasattr(value, "unique_identifier"):
            return {"object": kind.__name__, "unique_identifier": value.unique_identifier}
        if isinstance(value, BaseModel):
            return {"class": class_name(kind), "fields": self._fields(value)}
        if is_dataclass(value):
            return {"class": class_name(kind), "fields": self._named(value, (f.name for f in dataclass_fields(value)))}
        return self._foreign(value)

    def _foreign(self, value: Any) -> Any:
        kind = type(value)
        if callable(getattr(value, "get_params", None)):
            return {"class": class_name(kind), "params": self.form(value.get_params(deep=False))}
        if callable(getattr(value, "item", None)) and getattr(value, "ndim", None) == 0:
            return self.form(value.item())
        raise ValidationError(
            f"A {class_name(kind)} cannot be part of a node's identity.",
            hint="Use plain values, pydantic models, dataclasses or enums, or mark the field DisplayOnly.",
        )

    def _fields(self, model: BaseModel) -> dict[str, Any]:
        fields = type(model).model_fields
        kept = [name for name, field in fields.items() if not any(is_marked(field, each) for each in self.hidden)]
        return self._named(model, sorted(kept))

    def _named(self, value: Any, names: Iterable[str]) -> dict[str, Any]:
        return {name: self.form(getattr(value, name)) for name in names}

    def arguments(self, function: Callable[..., Any], given: Mapping[str, Any]) -> dict[str, Any]:
        """Give the form of a call's arguments, without those whose annotation hides them."""
        hints = _annotations(function)
        kept = [name for name in given if not any(_marks(hints.get(name), each) for each in self.hidden)]
        return {name: self.form(given[name]) for name in sorted(kept)}


def bound_arguments(function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Give the arguments of a method call by name, defaults filled in and ``**kwargs`` spread; ``self`` is left out."""
    signature = inspect.signature(function)
    call = signature.bind(None, *args, **kwargs)
    call.apply_defaults()
    found = dict(list(call.arguments.items())[1:])
    for name, parameter in signature.parameters.items():
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            found |= found.pop(name, {})
    return found


def _annotations(function: Callable[..., Any]) -> dict[str, Any]:
    try:
        return get_type_hints(function, include_extras=True)
    except NameError:  # an annotation names something that only type checkers import
        return dict(getattr(function, "__annotations__", {}))


def _marks(annotation: Any, marker: type[DisplayOnly] | type[UpdateOnly]) -> bool:
    if isinstance(annotation, str):
        return re.search(rf"\b{marker.__name__}\b", annotation) is not None
    return carries(get_args(annotation), marker)


def _importable(value: Any) -> Any:
    name: str = value.__qualname__
    if "<" in name:
        raise ValidationError(
            f"{value.__module__}.{name} has no name that another process could find.",
            hint="Define the function or class at the top of a module.",
        )
    return {"name": f"{value.__module__}.{name}"}


def _text(form: Any) -> str:
    return json.dumps(form, sort_keys=True)


def read_again(kind: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Make a node again from the arguments of its constructor, in another process."""
    return kind(*args, **kwargs)
