"""Universes made from others, and from rules."""

from collections.abc import Iterable
from html import escape
from typing import TYPE_CHECKING, Any, ClassVar, Self

from mainsequence.client.assets import Asset, asset_id_of
from mainsequence.client.connection import carrier
from mainsequence.client.plans import Plan
from mainsequence.client.universe_base import UniverseObject
from mainsequence.contract import composition as contract
from mainsequence.contract.carrier import Carrier
from mainsequence.domain.assets import AssetRecord
from mainsequence.domain.categories import CategoryRecord, named
from mainsequence.domain.expressions import Expression, Operand, Operator, parse_expression
from mainsequence.domain.times import TimeLike, to_datetime
from mainsequence.domain.universe_rules import UniverseRule, WhyMember
from mainsequence.errors import DerivedUniverseError, ValidationError

if TYPE_CHECKING:
    from datetime import datetime

    import pandas as pd


def _optional(value: TimeLike | None, name: str) -> "datetime | None":
    return None if value is None else to_datetime(value, name)


class Combinable:
    """What can be combined with ``&`` (both), ``|`` (either), ``-`` (without) and ``^`` (exactly one)."""

    def _expression(self) -> Expression:
        raise NotImplementedError

    def _where(self) -> Carrier:
        raise NotImplementedError

    def _combined(self, operator: Operator, other: Any, *, swapped: bool = False) -> "UniverseExpression":
        if isinstance(other, str):
            other = UniverseExpression(other, self._where())
        if not isinstance(other, Combinable):
            return NotImplemented  # type: ignore[no-any-return]
        left, right = (other, self) if swapped else (self, other)
        _check_same(left, right)
        expression = left._expression().combined(operator, right._expression())  # noqa: SLF001
        return UniverseExpression(str(expression), left._where())  # noqa: SLF001

    def __and__(self, other: Any) -> "UniverseExpression":
        return self._combined(Operator.BOTH, other)

    def __or__(self, other: Any) -> "UniverseExpression":
        return self._combined(Operator.EITHER, other)

    def __sub__(self, other: Any) -> "UniverseExpression":
        return self._combined(Operator.WITHOUT, other)

    def __xor__(self, other: Any) -> "UniverseExpression":
        return self._combined(Operator.ONE, other)

    def __rand__(self, other: Any) -> "UniverseExpression":
        return self._combined(Operator.BOTH, other, swapped=True)

    def __ror__(self, other: Any) -> "UniverseExpression":
        return self._combined(Operator.EITHER, other, swapped=True)

    def __rsub__(self, other: Any) -> "UniverseExpression":
        return self._combined(Operator.WITHOUT, other, swapped=True)

    def __rxor__(self, other: Any) -> "UniverseExpression":
        return self._combined(Operator.ONE, other, swapped=True)


def _check_same(left: Combinable, right: Combinable) -> None:
    a, b = left._where().describe(), right._where().describe()  # noqa: SLF001
    if a != b:
        raise ValidationError(
            f"The universes are of different platforms: {a}, and {b}.", hint="Read both in one session."
        )


class UniverseExpression(Combinable):
    """Universes combined, not stored: read when asked, from what they hold then.

    Made by operators on universes (``sp500 & nasdaq100 - restricted``), or from text. `save` makes it a universe.

    Parameters
    ----------
    expression
        Text such as ``(sp500_constituents & nasdaq100) - restricted_list``.
    where
        The platform; by default that of the session.

    Raises
    ------
    InvalidExpressionError
        The text is no expression; the message points at the place.
    """

    _universe: "ClassVar[type[Composed]]"

    @classmethod
    def saves_as(cls, universe: "type[Composed]") -> None:
        """Say of which class stored universes are."""
        cls._universe = universe

    def __init__(self, expression: str, where: Carrier | None = None) -> None:
        self._parsed = parse_expression(expression)
        self._carrier = where

    @property
    def text(self) -> str:
        """The expression as text."""
        return str(self._parsed)

    def _expression(self) -> Expression:
        return self._parsed

    def _where(self) -> Carrier:
        return self._carrier or carrier()

    def asset_ids(self, as_of: TimeLike | None = None, *, known_at: TimeLike | None = None) -> list[int]:
        """Read the ids of the members, sorted. Parameters as for `get_assets`."""
        return self._where().call(contract.EVALUATE_IDS, self._asked(as_of, known_at))

    def get_assets(self, as_of: TimeLike | None = None, *, known_at: TimeLike | None = None) -> list[Asset]:
        """Read the members.

        Parameters
        ----------
        as_of
            When they are members; by default now.
        known_at
            As known at this time; by default now.

        Raises
        ------
        NotFoundError
            A universe that does not exist; near names are given.
        """
        where = self._where()
        found = where.call(contract.EVALUATE, self._asked(as_of, known_at))
        return [Asset._bind(record, where) for record in found]  # noqa: SLF001 (a client object binds another)

    def _asked(self, as_of: TimeLike | None, known_at: TimeLike | None) -> contract.Evaluation:
        times = {"as_of": _optional(as_of, "as_of"), "known_at": _optional(known_at, "known_at")}
        return contract.Evaluation(expression=self.text, **times)

    def members(
        self, start: TimeLike | None = None, end: TimeLike | None = None, *, known_at: TimeLike | None = None
    ) -> "pd.DataFrame":
        """Read the validity intervals that overlap ``[start, end)``, as `AssetCategory.members` does; no weights."""
        from mainsequence.client import universe_frames as frames

        return frames.members(self._intervals(start, end, known_at))

    def mask(self, sessions: Iterable[Any], *, known_at: TimeLike | None = None) -> "pd.DataFrame":
        """Say who was a member at each of many times, in one read, as `AssetCategory.mask` does."""
        from mainsequence.client import universe_frames as frames

        rows = frames.session_index(sessions)
        return frames.mask(self._intervals(None, None, known_at), rows)

    def _intervals(self, start: TimeLike | None, end: TimeLike | None, known_at: TimeLike | None) -> Any:
        times = {
            "start": _optional(start, "start"),
            "end": _optional(end, "end"),
            "known_at": _optional(known_at, "known_at"),
        }
        return self._where().call(contract.EVALUATE_MEMBERS, contract.SpanEvaluation(expression=self.text, **times))

    def save(
        self,
        unique_identifier: str | None = None,
        *,
        display_name: str | None = None,
        description: str | None = None,
        reason: str | None = None,
    ) -> Any:
        """Store it as an `AssetCategory` that stays live. Parameters as for `AssetCategory.from_expression`."""
        described = {"display_name": display_name, "description": description, "reason": reason}
        return self._universe.from_expression(unique_identifier, self, **described)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, UniverseExpression) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __reduce__(self) -> tuple[Any, ...]:
        """Leave the session behind, as universes do."""
        return UniverseExpression, (self.text,)

    def __deepcopy__(self, _memo: dict[int, Any] | None = None) -> "UniverseExpression":
        return UniverseExpression(self.text, self._carrier)

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"UniverseExpression({self.text!r})"

    def _repr_html_(self) -> str:
        return f"<code>{escape(self.text)}</code>"


class Composed(Combinable, UniverseObject):
    """Universes made from others, and from rules."""

    def _expression(self) -> Expression:
        pin = None if self.pin is None else self.pin.rpartition("@")[2]
        return Expression((Operand(self.unique_identifier, pin),))

    def _where(self) -> Carrier:
        return self._carrier or carrier()

    @classmethod
    def from_expression(
        cls,
        unique_identifier: str | None,
        expression: "str | UniverseExpression | Composed",
        *,
        display_name: str | None = None,
        description: str | None = None,
        reason: str | None = None,
    ) -> Self:
        """Create a universe that is made from others and stays live: its members are theirs, combined, at any time.

        Every read works on it as on any universe, at any ``as_of`` and known at any time; its members have no weights.
        One that exists with the same expression is returned.

        Parameters
        ----------
        unique_identifier
            The stable name; derived from ``display_name`` where left out.
        expression
            Text such as ``"(sp500_constituents & nasdaq100) - restricted_list"``: ``&`` both, ``|`` either, ``-``
            without, ``^`` exactly one, parentheses; names with blanks or operators in quotes; pins as in
            ``sp500_constituents@2024-06-28``. Or what operators on universes gave.
        display_name, description
            For people.
        reason
            Why, for the history.

        Raises
        ------
        InvalidExpressionError
            The text is no expression; the message points at the place.
        NotFoundError
            A universe that does not exist; near names are given.
        AlreadyExistsError
            The identifier is taken by another universe.
        """
        where = carrier() if isinstance(expression, str) else expression._where()  # noqa: SLF001
        fields: dict[str, Any] = {**named(unique_identifier, display_name), "description": description}
        body = contract.Derivation(**fields, expression=written(expression), reason=reason)
        return cls._bind(where.call(contract.DERIVE, body), where)

    @classmethod
    def from_rule(
        cls,
        unique_identifier: str | None,
        rule: UniverseRule,
        *,
        display_name: str | None = None,
        description: str | None = None,
        reason: str | None = None,
    ) -> Self:
        """Create a universe that a rule fills; `refresh_rule` decides its dates.

        What is decided becomes ordinary revisions of a dated universe, with the rule and what it looked at as their
        reason. One that exists with the same rule is returned.

        Raises
        ------
        AlreadyExistsError
            The identifier is taken by another universe.
        NotFoundError
            A universe, a series or a table that the rule names does not exist.
        """
        where = carrier()
        fields: dict[str, Any] = {**named(unique_identifier, display_name), "description": description}
        body = contract.RuleCreation(**fields, rule=rule, reason=reason)
        return cls._bind(where.call(contract.DEFINE_RULE, body), where)

    def redefine(
        self,
        expression: "str | UniverseExpression | Composed",
        *,
        if_revision: int | None = None,
        reason: str | None = None,
        force: bool = False,
    ) -> Self:
        """Give a universe that is made from others another expression; what was known before stays readable.

        ``plan(expression=…)`` says beforehand who would enter and leave, and what reads it.

        Parameters
        ----------
        expression
            As for `from_expression`.
        if_revision
            Refuse unless the definition is at this revision.
        reason
            Why, for the history.
        force
            Let more members leave than the guards of the universe allow.

        Raises
        ------
        RemovalGuardError
            More members would leave at once than the universe allows: by default half, of more than 20.
        ApprovalRequiredError
            Somebody else must approve; the request is stored.
        CyclicUniverseError
            It would be made from itself.
        DerivedUniverseError
            It is not made from others.
        """
        said: dict[str, Any] = {"if_revision": if_revision, "reason": reason, "force": force}
        body = contract.Redefinition(expression=written(expression), **said)
        return self._refresh(self._call(contract.REDEFINE, body, key=self.id))

    def change_rule(self, rule: UniverseRule, *, if_revision: int | None = None, reason: str | None = None) -> Self:
        """Give a universe that a rule fills another rule; dates that are decided stay decided.

        Raises
        ------
        ApprovalRequiredError
            Somebody else must approve; the request is stored.
        DerivedUniverseError
            No rule fills it.
        """
        body = contract.RuleChange(rule=rule, if_revision=if_revision, reason=reason)
        return self._refresh(self._call(contract.CHANGE_RULE, body, key=self.id))

    def definition(self, *, known_at: TimeLike | None = None) -> contract.Definition:
        """Read what the universe is made by, as known at a time.

        Raises
        ------
        NotFoundError
            Nothing makes it: it holds the members that somebody names.
        """
        body = contract.KnownAt(known_at=_optional(known_at, "known_at"))
        return self._call(contract.DEFINITION, body, key=self.id)

    @property
    def expression(self) -> str | None:
        """The expression that the universe is made from now; ``None`` for one that is not."""
        return self.definition().expression if self.kind == "expression" else None

    @property
    def rule(self) -> UniverseRule | None:
        """The rule that fills the universe now; ``None`` for one that none fills."""
        return self.definition().rule if self.kind == "rule" else None

    def stamp(self) -> contract.Stamp:
        """Read when anything that the universe is read from last changed; known at that time, it never changes."""
        return self._call(contract.STAMP, None, key=self.id)

    def refresh_rule(
        self, until: TimeLike | None = None, *, reason: str | None = None, force: bool = False
    ) -> contract.RefreshOutcome:
        """Decide the effective dates of the rule that are not decided yet, up to a time (by default now).

        Deciding in steps gives the same as deciding at once. Nothing new makes no revision. A date whose series have
        not come to the session that ends its data stays undecided: ``waiting`` of the answer names them.

        Raises
        ------
        ValidationError
            The time is still to come.
        GuardError
            A guard refuses it; `ApprovalRequiredError` where somebody else must approve who enters and leaves: what was
            decided is stored as a request, with what it was decided from.
        """
        return self._decide(None, until, reason, force)

    def plan_refresh(self, until: TimeLike | None = None, *, start: TimeLike | None = None) -> Plan:
        """Say what `refresh_rule`, or with ``start`` what `materialise` would do; nothing is decided.

        ``plan.apply(reason=…)`` then writes exactly that, where it still comes to the same.

        Raises
        ------
        ValidationError
            The time is still to come.
        DerivedUniverseError
            No rule fills the universe.
        """
        body = contract.Refresh(start=_optional(start, "start"), until=_optional(until, "until"))
        return Plan.of(self, self._call(contract.PLAN_REFRESH, body, key=self.id))

    def materialise(
        self,
        start: TimeLike | None = None,
        end: TimeLike | None = None,
        *,
        reason: str | None = None,
        force: bool = False,
    ) -> contract.RefreshOutcome:
        """Decide the effective dates of the rule in ``[start, end]``, those that are decided anew.

        Dates behind ``end`` that were decided are decided anew too, as each follows from the one before.

        Parameters
        ----------
        start
            By default the start of the rule.
        end
            By default now.
        force
            Let more members leave than the guards of the universe allow.
        """
        begin = start if start is not None else self._start()
        return self._decide(begin, end, reason, force)

    def _start(self) -> "datetime":
        rule = self.definition().rule
        if rule is None:
            raise DerivedUniverseError(
                f"{self.unique_identifier} is not filled by a rule.",
                hint="AssetCategory.from_rule(…) makes one that is.",
            )
        return rule.start

    def _decide(
        self, start: TimeLike | None, until: TimeLike | None, reason: str | None, force: bool
    ) -> contract.RefreshOutcome:
        times = {"start": _optional(start, "start"), "until": _optional(until, "until")}
        outcome = self._call(contract.REFRESH, contract.Refresh(**times, reason=reason, force=force), key=self.id)
        self._refresh(outcome.category)
        return outcome

    def why(self, asset: AssetRecord, as_of: TimeLike | None = None, *, known_at: TimeLike | None = None) -> WhyMember:
        """Say why an asset is in, or is not, at a time: what the expression or the rule asked, and what it found."""
        asset_id = asset_id_of(asset, self._where())
        times = {"as_of": _optional(as_of, "as_of"), "known_at": _optional(known_at, "known_at")}
        body = contract.WhyQuery(asset_id=asset_id, revision=None, **times)
        return self._call(contract.WHY, body, key=self.id)


def written(expression: "str | Combinable | CategoryRecord") -> str:
    """Write an expression as text.

    Raises
    ------
    ValidationError
        It is none.
    """
    if isinstance(expression, str):
        return expression
    if isinstance(expression, Combinable):
        return str(expression._expression())  # noqa: SLF001
    raise ValidationError(
        f"An expression is text, or universes combined, got {expression!r}.", hint="Write 'a & b', or a & b."
    )
