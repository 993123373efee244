"""What every part of ``msc.AssetCategory`` stands on: the record, bound to its carrier, read at its head or a pin."""

from collections.abc import Iterable
from typing import Any, ClassVar, Self

from mainsequence.client.base import Noun
from mainsequence.client.connection import carrier
from mainsequence.contract import categories as contract
from mainsequence.contract import explanations
from mainsequence.contract.carrier import Carrier
from mainsequence.contract.operation import In, Operation, Out
from mainsequence.domain.categories import CategoryRecord, Revision
from mainsequence.domain.pins import PinnedState
from mainsequence.domain.values import Value
from mainsequence.errors import NotFoundError, PinnedError, UnknownRevisionError, ValidationError


class UniverseObject(Noun[CategoryRecord], CategoryRecord):
    """A universe as it is stored, with the way to its platform.

    One that was found by a pin (``sp500_constituents@12``, ``sp500_constituents@2024-06-28``) reads that recorded state
    wherever a question does not say otherwise, and refuses to be changed.
    """

    _query = contract.QUERY
    _get = contract.GET
    _shown: ClassVar[tuple[str, ...]] = (
        *("id", "unique_identifier", "pin", "display_name", "description", "revision", "dated"),
    )

    @property
    def pin(self) -> str | None:
        """The pin through which it is read, such as ``sp500_constituents@12``; ``None`` where that is its head."""
        held = self.pinned
        return None if held is None else held.reference

    @property
    def pinned(self) -> PinnedState | None:
        """The recorded state that it is read at; ``None`` where that is its head."""
        held: PinnedState | None = self.__dict__.get("_held")
        return held

    def _hold(self, state: PinnedState | None) -> Self:
        if state is not None:
            self.__dict__["_held"] = state
            if state.revision is not None:
                self.__dict__["revision"] = state.revision
        return self

    def _refresh(self, record: Value) -> Self:
        held = self.pinned
        super()._refresh(record)
        return self._hold(held)

    def _identity(self) -> tuple[Any, ...]:
        return *super()._identity(), self.pin

    @classmethod
    def _at_most_one(cls, filters: dict[str, Any]) -> Self | None:
        reference = filters.get("unique_identifier")
        if not isinstance(reference, str) or "@" not in reference or len(filters) > 1:
            return super()._at_most_one(filters)
        try:
            return cls._resolved(reference)
        except UnknownRevisionError:
            raise
        except NotFoundError:
            return None

    @classmethod
    def _resolved(cls, reference: str, where: Carrier | None = None, *, hold: bool = False) -> Self:
        """Find a universe by a reference, pinned or not; ``hold`` pins its head where the reference pins nothing."""
        where = where or carrier()
        found = where.call(explanations.RESOLVE, explanations.PinReference(reference=reference, hold=hold))
        made = cls._bind(found.record, where)
        made._hold(found.pinned)  # noqa: SLF001 (of the same kind)
        return made

    def _call(self, operation: Operation[In, Out], body: In, **path: int | str) -> Out:
        held = self.pinned
        if held is None:
            return super()._call(operation, body, **path)
        if (operation.writes and operation.changes_object) or operation.name in _OF_HEADS:
            raise PinnedError(
                f"{held.reference} is what was recorded and cannot be changed.",
                hint=f"Change the universe itself: AssetCategory.get(unique_identifier={self.unique_identifier!r}).",
            )
        answer = super()._call(operation, _at(held, body), **path)
        return until(held, answer) if operation is contract.HISTORY else answer  # type: ignore[arg-type, return-value]


_OF_HEADS = {"categories.plan", "categories.plan_refresh"}
"""Questions that only a head can be asked."""


def _at(held: PinnedState, body: Any) -> Any:
    """Let a question be about the state of a pin."""
    if not isinstance(body, contract.AsOf | contract.Span):
        return body
    asked = (body.revision, body.known_at)
    if asked not in ((None, None), (held.revision, held.known_at)):
        raise ValidationError(
            f"{held.reference} is one recorded state; revision={body.revision}, known_at={body.known_at} is another.",
            hint="Ask the universe itself, without the pin.",
        )
    state: dict[str, Any] = {"revision": held.revision, "known_at": held.known_at}
    if isinstance(body, contract.AsOf) and body.as_of is None:
        state["as_of"] = held.as_of
    return body.model_copy(update=state)


def until(held: PinnedState, history: list[Revision]) -> list[Revision]:
    """Leave out of a history what was recorded behind a pin."""
    if held.revision is not None:
        return [each for each in history if each.revision <= held.revision]
    return [each for each in history if held.known_at is None or each.recorded_at <= held.known_at]


def category_ids(categories: Iterable[Any] | None) -> list[int] | None:
    """Give the ids of universes named as objects, ids or identifiers; ``None`` for all."""
    if categories is None:
        return None
    if isinstance(categories, str | int | UniverseObject):
        categories = [categories]
    return [_category_id(each) for each in categories]


def _category_id(category: Any) -> int:
    if isinstance(category, str):
        category = UniverseObject._resolved(category)  # noqa: SLF001 (of the same kind)
    return category.id if isinstance(category, UniverseObject) else int(category)
