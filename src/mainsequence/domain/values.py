"""The base of every value: immutable, closed to unknown fields, refusing bad input with the platform's own error."""

from collections.abc import Iterable
from typing import Any, Generic, Self, TypeVar

from pydantic import BaseModel, ConfigDict
from pydantic import ValidationError as PydanticValidationError

from mainsequence.errors import UnknownFieldError, ValidationError

Item = TypeVar("Item")
Model = TypeVar("Model", bound=BaseModel)


class Value(BaseModel):
    """An immutable value; unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, defer_build=True)

    def __init__(self, /, **given: Any) -> None:
        try:
            super().__init__(**given)
        except PydanticValidationError as error:
            raise explain(type(self), error) from None

    # Tells pydantic that nested values need not go through this method.
    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]

    @classmethod
    def parse(cls, given: Any) -> Self:
        """Read a value from a mapping (or from an instance, unchanged), refusing bad input like the constructor."""
        try:
            return cls.model_validate(given)
        except PydanticValidationError as error:
            raise explain(cls, error) from None


class Page(Value, Generic[Item]):
    """One page of a listing; ``next_after`` continues it, ``None`` means there is no more."""

    results: list[Item]
    next_after: int | None = None


def explain(model: type[BaseModel], error: PydanticValidationError) -> ValidationError:
    """Turn pydantic's findings into the platform's error: every finding in one message, allowed fields named.

    Where the platform's own errors among the findings are of one class, that class is kept.
    """
    findings = error.errors(include_url=False)
    problems = [_problem(finding) for finding in findings]
    message = f"{model.__name__.lstrip('_')} refused: " + "; ".join(problems) + "."
    unknown = [str(finding["loc"][-1]) for finding in findings if finding["type"] == "extra_forbidden"]
    if unknown:
        allowed = sorted(model.model_fields)
        return UnknownFieldError(message, hint=f"Allowed: {', '.join(allowed)}.", unknown=unknown, allowed=allowed)
    kinds = {type(own) for own in map(_own, findings) if isinstance(own, ValidationError)}
    kind = kinds.pop() if len(kinds) == 1 else ValidationError
    return kind(message, problems=problems)


def _own(finding: Any) -> Any:
    return finding.get("ctx", {}).get("error")


def _problem(finding: Any) -> str:
    where = ".".join(str(part) for part in finding["loc"]) or "value"
    if finding["type"] == "extra_forbidden":
        return f"unknown field {where!r}"
    own = _own(finding)
    if isinstance(own, ValidationError):
        return f"{where}: {str(own).rstrip('.')}"
    given = repr(finding["input"])
    return f"{where}: {finding['msg']} (got {given if len(given) <= 60 else given[:60] + '…'})"


def refuse_null(value: BaseModel, *names: str) -> None:
    """Refuse fields that were given as ``None`` although they always hold something.

    Raises
    ------
    ValidationError
        Such a field was given; leaving it out keeps what is stored.
    """
    given = [name for name in names if name in value.model_fields_set and getattr(value, name) is None]
    if given:
        raise ValidationError(f"{', '.join(given)} cannot be None.", hint="Leave it out to keep what is stored.")


def listed(values: Iterable[object], limit: int = 10) -> str:
    """Write values for a message: the first ten, and how many more."""
    items = [str(value) for value in values]
    more = f" and {len(items) - limit} more" if len(items) > limit else ""
    return ", ".join(items[:limit]) + more


def trusted(model: type[Model], fields: dict[str, Any]) -> Model:
    """Build a value from fields that were checked before they were stored; every field must be given."""
    made = model.__new__(model)
    object.__setattr__(made, "__dict__", fields)
    object.__setattr__(made, "__pydantic_fields_set__", _TRUSTED)
    object.__setattr__(made, "__pydantic_extra__", None)
    object.__setattr__(made, "__pydantic_private__", None)
    return made


_TRUSTED: set[str] = set()
