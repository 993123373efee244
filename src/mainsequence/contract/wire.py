"""Bodies and answers of operations as bytes, for both ends of the wire.

What an operation takes crosses as JSON, as parameters of the address (`Operation.takes_parameters`) or, for tables, as
an Arrow stream; fields that hold their defaults are left out.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from types import NoneType
from typing import Any

from pydantic import TypeAdapter
from pydantic import ValidationError as PydanticValidationError
from pydantic_core import PydanticSerializationError, to_json

from mainsequence.contract import arrow
from mainsequence.contract.arrow import ArrowTable
from mainsequence.contract.operation import Operation
from mainsequence.domain.values import Value, explain
from mainsequence.errors import TransportError, UnknownFieldError, ValidationError

PREFIX = "/api/v1"
"""Where the operations stand on a server."""

JSON = "application/json"
IDEMPOTENCY_KEY = "Idempotency-Key"


def media_type(kind: Any) -> str:
    """Give the media type in which a type crosses."""
    return arrow.MEDIA_TYPE if kind is ArrowTable else JSON


# -- the asking end


def write_body(operation: Operation[Any, Any], body: Any) -> bytes:
    """Write what an operation takes.

    Raises
    ------
    ValidationError
        It holds something that JSON has no form for.
    """
    if operation.takes is ArrowTable:
        return arrow.encode(body)
    if operation.takes is NoneType:
        return b""
    try:
        return to_json(_given(body), inf_nan_mode="null")
    except PydanticSerializationError as error:
        raise ValidationError(f"This cannot be sent as JSON: {error}.", hint="Use plain text and numbers.") from None


def write_parameters(operation: Operation[Any, Any], body: Any) -> dict[str, str]:
    """Write what an operation takes as parameters of the address; what is null is left out."""
    given = {} if operation.takes is NoneType else _given(body)
    return {name: _parameter(value) for name, value in given.items() if value is not None}


def _parameter(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _given(body: Value) -> dict[str, Any]:
    """Give the fields that say something: those that differ from their defaults, and those set to them on purpose."""
    try:
        said = body.model_dump(mode="json", exclude_defaults=True, fallback=_as_list)
        on_purpose = body.model_fields_set - said.keys()
        return said | body.model_dump(mode="json", include=on_purpose, fallback=_as_list)
    except PydanticSerializationError as error:
        raise ValidationError(f"{type(body).__name__} cannot be sent: {error}.") from None


def _as_list(value: Any) -> list[Any]:
    if isinstance(value, Iterable):
        return list(value)
    raise ValidationError(f"A {type(value).__name__} cannot be sent: {value!r}.", hint="Give plain values.")


def read_answer(operation: Operation[Any, Any], content: bytes) -> Any:
    """Read what an operation gives; fields that a newer server adds are passed over.

    Raises
    ------
    TransportError
        It is not what the operation gives.
    """
    if operation.gives is NoneType:
        return None
    if operation.gives is ArrowTable:
        return arrow.decode(content)
    try:
        return adapter(operation.gives).validate_json(content, extra="ignore")
    except PydanticValidationError as error:
        raise TransportError(
            f"The answer to {operation.name} was not understood: {error.errors(include_url=False)[:3]}.",
            hint="Client and server may be of different releases.",
        ) from None


# -- the answering end


def read_body(operation: Operation[Any, Any], content: bytes) -> Any:
    """Read what an operation takes.

    Raises
    ------
    ValidationError
        It does not fit; every finding is named.
    """
    if operation.takes is ArrowTable:
        return arrow.decode_from_stranger(content)
    if operation.takes is NoneType:
        return None
    try:
        return adapter(operation.takes).validate_json(content, strict=True)
    except PydanticValidationError as error:
        raise explain(operation.takes, error) from None


def read_parameters(operation: Operation[Any, Any], given: Mapping[str, str]) -> Any:
    """Read what an operation takes from parameters of the address. Errors as `read_body`."""
    if operation.takes is NoneType:
        if given:
            raise UnknownFieldError(f"{operation.name} takes no parameters, got {', '.join(given)}.")
        return None
    return operation.takes.parse(dict(given))


def write_answer(operation: Operation[Any, Any], answer: Any) -> bytes:
    """Write what an operation gives."""
    if operation.gives is NoneType:
        return b""
    return arrow.encode(answer) if operation.gives is ArrowTable else adapter(operation.gives).dump_json(answer)


@cache
def adapter(kind: Any) -> TypeAdapter[Any]:
    """Give the reader and writer of a type."""
    return TypeAdapter(kind)
