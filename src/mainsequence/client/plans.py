"""``msc.Plan`` and ``msc.ChangeRequest``: changes of a universe before they are made."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import PrivateAttr

from mainsequence.client import plan_views
from mainsequence.client.base import ClientObject, Noun
from mainsequence.client.connection import carrier
from mainsequence.client.universe_base import UniverseObject
from mainsequence.contract import guards as guard_contract
from mainsequence.contract import plans as contract
from mainsequence.domain.guards import ChangeRequestRecord
from mainsequence.domain.plans import PlanRecord
from mainsequence.errors import AlteredPlanError, ValidationError

FORMAT = "mainsequence plan 1"


class Plan(ClientObject, PlanRecord):
    """What a change of a universe would do, from ``category.plan(…)``; nothing was changed.

    It shows who enters (``+``), leaves (``-``) and weighs something else (``~``), which readers would differ from when
    (``readers``, ``affected``), what is ``held`` today in members that would leave, who of those who enter is
    ``unrouted`` or ``unpriced``, how big the change is (``size``), and which guards would refuse it (``objections``).
    """

    _of: UniverseObject | None = PrivateAttr(None)

    @classmethod
    def of(cls, universe: UniverseObject, record: PlanRecord) -> Self:
        """Bind a plan to the universe that it was made for, which is refreshed when it is applied."""
        where = universe._carrier or carrier()  # noqa: SLF001 (of its base)
        made = cls._bind(record, where)
        object.__setattr__(made, "__pydantic_private__", {"_carrier": where, "_of": universe})
        return made

    def apply(self, reason: str | None = None, *, force: bool = False) -> UniverseObject:
        """Write exactly this plan, in one revision.

        Parameters
        ----------
        reason
            Why, for the history.
        force
            Go past the guard against large removals.

        Returns
        -------
        AssetCategory
            The universe, refreshed.

        Raises
        ------
        StaleRevisionError
            The universe moved since the plan was made.
        AlteredPlanError
            The plan is not what it was when it was made.
        GuardError
            A guard refuses it; `ApprovalRequiredError` where somebody else must approve: the request is stored.
        """
        body = contract.PlanApplication(change=self.change, content_hash=self.content_hash, reason=reason, force=force)
        record = self._call(contract.APPLY, body, key=self.change.category_id)
        kind = _CATEGORY[-1]
        universe = self.__pydantic_private__.get("_of") if self.__pydantic_private__ else None
        if isinstance(universe, UniverseObject):
            return universe._refresh(record)  # noqa: SLF001 (of its base)
        return kind._bind(record, self._carrier or carrier())  # noqa: SLF001 (of its base)

    def to_json(self) -> str:
        """Write the plan as JSON, to be applied later; `from_json` notices what was changed in between."""
        told = self._record().model_dump(mode="json")
        return json.dumps({"format": FORMAT, "sha256": self.checksum, "plan": told}, ensure_ascii=False, indent=2)

    @classmethod
    def from_json(cls, given: str | Path) -> Self:
        """Read a plan that `to_json` wrote: its text, or the path of a file that holds it.

        Raises
        ------
        ValidationError
            It is no plan.
        AlteredPlanError
            It was changed since it was written.
        """
        written = _parsed(given)
        plan = cls._bind(PlanRecord.parse(written["plan"]), carrier())
        if plan.checksum != written["sha256"] or plan.change.content_hash != plan.content_hash:
            raise AlteredPlanError("The plan was changed since it was written.", hint="Make it again.")
        return plan

    def _record(self) -> PlanRecord:
        return PlanRecord.model_construct(**{name: getattr(self, name) for name in PlanRecord.model_fields})

    @property
    def checksum(self) -> str:
        """SHA-256 of all that the plan says."""
        return sha256(self._record().model_dump_json().encode()).hexdigest()

    def __eq__(self, other: object) -> bool:
        """Tell whether two plans say the same."""
        return isinstance(other, Plan) and self.checksum == other.checksum

    def __hash__(self) -> int:
        return hash(self.content_hash)

    def __repr__(self) -> str:
        return plan_views.text(self)

    __str__ = __repr__

    def _repr_html_(self) -> str:
        return plan_views.html(self)


def _parsed(given: str | Path) -> dict[str, Any]:
    is_text = isinstance(given, str) and (given.lstrip().startswith("{") or "\n" in given)
    text = str(given) if is_text else _file(Path(given))
    try:
        written = json.loads(text)
    except ValueError as error:
        raise ValidationError(f"This is no plan: {error}.", hint="Plan.to_json() writes plans.") from None
    if not isinstance(written, dict) or written.get("format") != FORMAT or not {"plan", "sha256"} <= written.keys():
        raise ValidationError("This is no plan.", hint="Plan.to_json() and category plan --json write plans.")
    return written


def _file(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ValidationError(f"{path} cannot be read: {error}.") from None


_CATEGORY: list[type[UniverseObject]] = [UniverseObject]
"""The class of universes, which registers itself: plans are below it."""


def universes_are(kind: type[UniverseObject]) -> None:
    """Say what class plans give universes as."""
    _CATEGORY.append(kind)


class ChangeRequest(Noun[ChangeRequestRecord], ChangeRequestRecord):
    """A change of a universe that one user asked for and another one must approve.

    ``msc.ChangeRequest.filter(status="pending")`` finds those that wait, of every universe that you see.
    """

    _query = guard_contract.QUERY_REQUESTS
    _get = guard_contract.REQUEST
    _shown: ClassVar[tuple[str, ...]] = (
        *("id", "category", "status", "author", "requested_at", "revision", "enters", "leaves"),
        *("announcements", "decision", "expression", "rule", "reason", "decided_by", "comment", "applied_revision"),
    )

    def plan(self) -> Plan:
        """Say what the change would do.

        Raises
        ------
        StaleRevisionError
            The universe moved since it was asked for.
        """
        record = self._call(guard_contract.REQUEST_PLAN, None, key=self.id)
        return Plan._bind(record, self._carrier or carrier())  # noqa: SLF001 (of its base)

    def approve(self, comment: str | None = None) -> Self:
        """Approve the change: exactly what was asked for is written, with author and approver in the history.

        Raises
        ------
        PermissionDeniedError
            You are no approver, or it is your own.
        StaleRevisionError
            The universe moved since it was asked for.
        """
        return self._decided(guard_contract.APPROVE, comment)

    def reject(self, comment: str | None = None) -> Self:
        """Decline the change."""
        return self._decided(guard_contract.REJECT, comment)

    def withdraw(self, comment: str | None = None) -> Self:
        """Take back your own request."""
        return self._decided(guard_contract.WITHDRAW, comment)

    def refresh(self) -> Self:
        """Read the present state of the request."""
        return self._refresh(self._call(guard_contract.REQUEST, None, key=self.id))

    def _decided(self, operation: Any, comment: str | None) -> Self:
        return self._refresh(self._call(operation, guard_contract.Verdict(comment=comment), key=self.id))
