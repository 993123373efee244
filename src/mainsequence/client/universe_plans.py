"""Changing a universe with foresight: plans, guards, approvals, deprecation."""

import sys
import warnings
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Self

from mainsequence.client.assets import asset_ids_of
from mainsequence.client.connection import carrier
from mainsequence.client.plans import ChangeRequest, Plan
from mainsequence.client.universe_base import UniverseObject
from mainsequence.client.universe_weights import Weights, aligned, keyed
from mainsequence.contract import guards as guard_contract
from mainsequence.contract import plans as contract
from mainsequence.domain.assets import AssetRecord
from mainsequence.domain.categories import CategoryRecord
from mainsequence.domain.guards import (
    DeprecatedUniverseWarning,
    GuardChange,
    Guards,
    RenamedUniverseWarning,
    RequestStatus,
)
from mainsequence.domain.times import TimeLike, to_datetime
from mainsequence.errors import ValidationError

if TYPE_CHECKING:
    from mainsequence.client.universe_composition import Combinable

Members = Iterable[AssetRecord] | Iterable[int]
"""Assets, as objects or by ids."""


class Planned(UniverseObject):
    """Changing a universe with foresight: plans, guards, approvals, deprecation."""

    # -- see what would happen

    def plan(
        self,
        *,
        replace: Members | None = None,
        append: Members | None = None,
        remove: Members | None = None,
        expression: "str | Combinable | None" = None,
        weights: Weights | None = None,
        effective_from: TimeLike | None = None,
        effective_to: TimeLike | None = None,
        if_revision: int | None = None,
    ) -> Plan:
        """Say what a change would do; nothing is changed. ``plan.apply(reason=…)`` then writes exactly that.

        Parameters
        ----------
        replace
            Make the universe exactly these: assets, or ids.
        append, remove
            Make these members, take these out; both in one step where both are given.
        expression
            Make the universe from this, where it is made from others: text, or universes combined.
        weights
            For those replaced with or appended: by unique identifier or asset id (a mapping or a Series), or a list in
            the order named. A mapping alone: members weigh that from now on.
        effective_from, effective_to
            The window ``[from, to)``; left out, for all time (in a dated universe: from now on).
        if_revision
            Refuse unless the head is at this revision.

        Raises
        ------
        ValidationError
            It does not say once what shall change.
        UnknownAssetsError
            An id that does not exist.
        """
        from mainsequence.client.universe_composition import written

        weighing = keyed(weights, self._carrier)
        if replace is None and append is None and isinstance(weighing, dict):
            append = list(weighing)
        wanted = {"replace": replace, "append": append, "remove": remove}
        ids = {name: self._ids(name, each) for name, each in wanted.items() if each is not None}
        weighted = ids.get("replace", ids.get("append"))
        body = contract.PlanQuery(
            **ids,
            expression=None if expression is None else written(expression),
            weights=aligned(weighing, weighted or []),
            effective_from=None if effective_from is None else to_datetime(effective_from, "effective_from"),
            effective_to=None if effective_to is None else to_datetime(effective_to, "effective_to"),
            if_revision=if_revision,
        )
        return Plan.of(self, self._call(contract.PLAN, body, key=self.id))

    def _ids(self, name: str, members: Any) -> list[int]:
        if (
            isinstance(members, (str, bytes, Mapping))
            or hasattr(members, "columns")
            or not isinstance(members, Iterable)
        ):
            raise ValidationError(f"{name} takes a list, got {members!r}.", hint=f"Write {name}=[…].")
        given = list(members)
        if given and all(isinstance(each, AssetRecord) for each in given):
            return asset_ids_of(given, None, self._carrier)
        return asset_ids_of(None, given, self._carrier)

    # -- guard

    def guards(self) -> Guards:
        """Read the guards of the universe: what its changes must satisfy."""
        return self._call(guard_contract.GUARDS, None, key=self.id)

    def guard(self, *, reason: str | None = None, **guards: Any) -> Guards:
        """Set guards, for owners and administrators; those not named stay as they are.

        Parameters
        ----------
        reason
            Why, for the history of the guards.
        **guards
            ``max_removal_fraction`` (``None``: half, of a universe of more than 20), ``forbid_empty``,
            ``require_reason``, ``require_plan``, ``locked``, ``approvers``, ``owners``; see `Guards`.

        Raises
        ------
        PermissionDeniedError
            You neither own the universe nor administer the organization.
        UnknownFieldError
            A guard that does not exist.
        """
        told = guards if reason is None else guards | {"reason": reason}
        return self._call(guard_contract.GUARD, guard_contract.GuardPatch(**told), key=self.id)

    def guard_history(self) -> list[GuardChange]:
        """Read every change of the guards, oldest first: who, when, why."""
        return self._call(guard_contract.GUARD_HISTORY, None, key=self.id)

    def requests(self, status: RequestStatus | None = "pending") -> list[ChangeRequest]:
        """List changes that were asked for: those that wait for approval, with another status, or all (``None``)."""
        found = self._call(guard_contract.REQUESTS, guard_contract.RequestsQuery(status=status), key=self.id)
        return self._bind_all(ChangeRequest, found)

    # -- names

    def deprecate(self, successor: "str | CategoryRecord | None" = None, *, reason: str | None = None) -> Self:
        """Warn those who read the universe, and name the one to read instead.

        Raises
        ------
        NotFoundError
            There is no such successor.
        CyclicUniverseError
            The successors would go round in a circle.
        """
        name = successor.unique_identifier if isinstance(successor, CategoryRecord) else successor
        body = guard_contract.DeprecationOrder(successor=name, reason=reason)
        return self._refresh(self._call(guard_contract.DEPRECATE, body, key=self.id))

    def undeprecate(self) -> Self:
        """Take the deprecation back."""
        return self._refresh(self._call(guard_contract.UNDEPRECATE, None, key=self.id))

    def rename(self, unique_identifier: str) -> Self:
        """Give the universe another identifier; the old one goes on leading to it and cannot be taken.

        Raises
        ------
        AlreadyExistsError
            Another universe has, or had, that identifier.
        """
        body = guard_contract.Renaming(unique_identifier=unique_identifier)
        return self._refresh(self._call(guard_contract.RENAME, body, key=self.id))

    # -- what readers are told

    @classmethod
    def get(cls, pk: int | None = None, /, **filters: Any) -> Self:
        """Read the one universe with this id, or that fits the lookups; an identifier that it had before finds it too.

        Raises
        ------
        NotFoundError
            None fits.
        MultipleFoundError
            Several fit.
        """
        found = super().get(pk, **filters)
        found._notice()  # noqa: SLF001 (of its class)
        return found

    @classmethod
    def _at_most_one(cls, filters: dict[str, Any]) -> Self | None:
        found = super()._at_most_one(filters)
        if found is not None:
            found._notice(filters.get("unique_identifier"))  # noqa: SLF001 (of its class)
        return found

    def _notice(self, asked: Any = None) -> None:
        """Warn, once in a process, of a universe that should be read no more or is called something else now."""
        name = asked.partition("@")[0] if isinstance(asked, str) else self.unique_identifier
        if name != self.unique_identifier:
            told = f"The asset category {name!r} is called {self.unique_identifier!r} now."
            self._warn(RenamedUniverseWarning, name, f"{told} The old name goes on working.")
        if self.deprecated is not None:
            self._warn(DeprecatedUniverseWarning, self.deprecated.at, self._deprecation())

    def _deprecation(self) -> str:
        told = self.deprecated
        successor = told and told.successor
        instead = f" Read {successor!r} instead." if successor else ""
        reason = f" Reason: {told.reason}." if told and told.reason else ""
        return f"The asset category {self.unique_identifier!r} is deprecated.{instead}{reason}"

    def _warn(self, kind: type[Warning], about: Any, message: str) -> None:
        where = (self._carrier or carrier()).describe()
        if (where, self.id, kind, about) not in _SAID:
            _SAID.add((where, self.id, kind, about))
            warnings.warn(message, kind, stacklevel=_levels_to_caller())


def _levels_to_caller() -> int:
    """Count the frames up to whoever called this package, so that the warning names their line."""
    frame, levels = sys._getframe(1), 1  # noqa: SLF001 (there is no other way before Python 3.12)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("mainsequence."):
        frame, levels = frame.f_back, levels + 1
    return levels


_SAID: set[tuple[Any, ...]] = set()
"""What this process was warned of."""
