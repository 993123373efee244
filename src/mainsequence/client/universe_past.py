"""The past of a universe: its history, what differs, why, back to, is it true, and the feed of changes."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial, update_wrapper
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, Self, TypeAlias, TypeVar

from pydantic import ConfigDict

from mainsequence.client.connection import carrier
from mainsequence.client.universe_base import UniverseObject, category_ids, until
from mainsequence.contract import categories as contract
from mainsequence.contract import explanations
from mainsequence.domain.assets import AssetRecord
from mainsequence.domain.categories import CategoryDiff, Revision
from mainsequence.domain.changes import Change
from mainsequence.domain.explanations import Explanation
from mainsequence.domain.plans import RecordedChange
from mainsequence.domain.times import TimeLike, to_datetime
from mainsequence.domain.verification import VerificationReport
from mainsequence.errors import UnknownRevisionError, ValidationError

if TYPE_CHECKING:
    from mainsequence.client.changes import Changes

P = ParamSpec("P")
R = TypeVar("R")


class At(contract.AsOf):
    """One state of a universe: valid at ``as_of``, by default now, as of ``revision`` or as known at ``known_at``."""


State: TypeAlias = int | TimeLike | At | UniverseObject
"""What `AssetCategory.diff` compares."""


class OfOneOrAll(Generic[P, R]):
    """A method that a class has for all its objects, and each object for itself."""

    def __init__(self, function: Callable[Concatenate[Any, Any, P], R]) -> None:
        self._function = function
        update_wrapper(self, function)  # type: ignore[arg-type]

    def __get__(self, one: Any, kind: Any) -> Callable[P, R]:
        return partial(self._function, kind, one)


class Remembered(UniverseObject):
    """The past of a universe: its history, what differs, why, back to, is it true, and the feed of changes."""

    model_config = ConfigDict(ignored_types=(OfOneOrAll,))

    def history(self) -> list[Revision]:
        """Read every revision, oldest first: who, when, why, how many, and by whom it was approved."""
        return self._call(contract.HISTORY, None, key=self.id)

    def recorded_change(self, revision: int) -> RecordedChange:
        """Read what one revision did: whose time as a member it added (``enters``), took (``leaves``), ``reweighted``.

        Parameters
        ----------
        revision
            Its number; 1 is the first change.

        Raises
        ------
        UnknownRevisionError
            It was never recorded, or behind the state that a pin holds.
        DerivedUniverseError
            The universe is made from others and records no members of its own.
        """
        found = self._call(explanations.RECORDED, explanations.RecordedQuery(revision=revision), key=self.id)
        if self.pinned is not None and not until(self.pinned, [found.revision]):
            raise UnknownRevisionError(
                f"Revision {revision} was recorded behind {self.pinned.reference}.", hint="Ask the universe itself."
            )
        return found

    def diff(self, a: State, b: State | None = None, *, as_of: TimeLike | None = None) -> CategoryDiff:
        """Compare two states: who entered, left and was reweighted from ``a`` to ``b``.

        Parameters
        ----------
        a, b
            Whole numbers are revisions, times are dates asked of the head, ``msc.At(as_of=, revision=, known_at=)`` is
            any state, and another universe (pinned or not) is itself. ``a.diff(b)`` compares two universes.
        as_of
            When members are compared, where a state does not say; by default now, for a pinned one the time of its pin.

        Raises
        ------
        UnknownRevisionError
            A revision that was never recorded.
        """
        if b is None and not isinstance(a, UniverseObject):
            raise ValidationError("diff() compares two states.", hint="Write diff(11, 12), or a.diff(b) for universes.")
        sides = (self, a) if b is None else (a, b)
        first, second = (self._side(each, as_of) for each in sides)
        return self._call(contract.DIFF, contract.DiffQuery(a=first, b=second), key=self.id)

    @classmethod
    def diff_between(
        cls, a: str | UniverseObject, b: str | UniverseObject, as_of: TimeLike | None = None
    ) -> CategoryDiff:
        """Compare two universes, named like ``sp500_constituents@2023-06-28`` or given as objects; as `diff`."""
        first, second = (cls._resolved(each) if isinstance(each, str) else each for each in (a, b))
        return Remembered.diff(first, second, as_of=as_of)  # type: ignore[arg-type]

    def _side(self, state: Any, as_of: TimeLike | None) -> contract.DiffSide:
        fields: dict[str, Any] = {"as_of": None if as_of is None else to_datetime(as_of, "as_of")}
        pinned = state.pinned if isinstance(state, UniverseObject) else self.pinned
        if isinstance(state, UniverseObject):
            fields["category"] = state.id
        elif isinstance(state, contract.AsOf):
            fields |= {name: value for name, value in state if value is not None}
        elif hasattr(state, "__index__") and not isinstance(state, bool):
            fields["revision"] = state.__index__()
        else:
            fields["as_of"] = to_datetime(state, "a state")
        if pinned is not None:
            fields = _within(pinned, fields)
        return contract.DiffSide(**fields)

    def explain(
        self,
        asset: AssetRecord | int | str,
        as_of: TimeLike | None = None,
        *,
        revision: int | None = None,
        known_at: TimeLike | None = None,
    ) -> Explanation:
        """Say why an asset is a member, or is not: since when and until when, and by which revision (who, when, why).

        For one that is out: whether it ever was in, which revision took it out, when it comes in. Every revision that
        touched its membership at that time is listed.

        Parameters
        ----------
        asset
            An asset, retired ones too: an object, an id, or a unique identifier.
        as_of, revision, known_at
            Which state, as for `get_assets`.

        Raises
        ------
        NotFoundError
            There is no such asset.
        """
        from mainsequence.client.assets import Asset, asset_id_of

        if isinstance(asset, str):
            asset = Asset.get(unique_identifier=asset, include_retired=True)
        where = self._carrier or carrier()
        key = asset if isinstance(asset, int) else asset_id_of(asset, where)
        body = explanations.ExplainQuery(
            asset_id=key, as_of=_optional(as_of, "as_of"), revision=revision, known_at=_optional(known_at, "known_at")
        )
        return self._call(explanations.EXPLAIN, body, key=self.id)

    def revert(
        self,
        to: int | TimeLike,
        *,
        reason: str | None = None,
        if_revision: int | None = None,
        leave_retired_out: bool = False,
        force: bool = False,
    ) -> Self:
        """Make the membership exactly what it was, with its dates and weights. That is a new revision; nothing is lost.

        Parameters
        ----------
        to
            A revision, or a time: what was known then.
        reason, if_revision, force
            As for `append_assets`.
        leave_retired_out
            Go back even where members of then are retired now: those stay as they are.

        Raises
        ------
        ConflictError
            Members of then are retired now; the message names them.
        UnknownRevisionError
            The revision was never recorded.
        """
        number = getattr(to, "__index__", None)
        state: dict[str, Any] = {"known_at": to_datetime(to, "to")} if number is None else {"revision": number()}  # type: ignore[arg-type]
        body = explanations.Reversion(
            **state, reason=reason, if_revision=if_revision, leave_retired_out=leave_retired_out, force=force
        )
        return self._refresh(self._call(explanations.REVERT, body, key=self.id))

    @property
    def fingerprint(self) -> str:
        """The hash of the newest revision, which depends on all before; kept elsewhere it proves later what was."""
        past = self.history()
        return past[-1].content_hash if past else "0" * 64

    def verify(self, expected_hash: str | None = None) -> VerificationReport:
        """Check that the history is what was recorded: nothing edited, slipped in, taken out or cut off.

        Whoever may write the whole database could rewrite all of it. A `fingerprint` that was kept elsewhere finds that
        out: receivers of webhooks have every one.

        Parameters
        ----------
        expected_hash
            A fingerprint that this universe had at some time.

        Returns
        -------
        VerificationReport
            ``bool(report)`` tells whether nothing was found.
        """
        body = explanations.Verification(expected_hash=expected_hash)
        return self._call(explanations.VERIFY, body, key=self.id)

    @OfOneOrAll
    def changes(
        cls: Any,  # noqa: N805 (of all)
        self: Any,
        since: int = 0,
        categories: Iterable[Any] | None = None,
        kinds: Iterable[str] | None = None,
        limit: int | None = None,
    ) -> "Changes":
        """Read what happened to universes, in the order in which it was committed: each revision exactly once.

        ``msc.AssetCategory.changes()`` reads of all, ``category.changes()`` of one.

        Parameters
        ----------
        since
            Read behind this position: ``changes(since=last.cursor)`` goes on where the last reading ended.
        categories
            Which universes: objects, ids (of deleted ones too) or identifiers; by default all.
        kinds
            What: ``created``, ``changed``, ``described``, ``deleted``; by default all.
        limit
            How many at most; by default all there are.

        Returns
        -------
        Changes
            A list of changes, with a ``cursor`` to go on from.
        """
        from mainsequence.client import changes as feed

        return feed.read(_where(self), since, _chosen(self, categories), kinds, limit)

    @OfOneOrAll
    def follow(
        cls: Any,  # noqa: N805 (of all)
        self: Any,
        since: int | None = None,
        categories: Iterable[Any] | None = None,
        kinds: Iterable[str] | None = None,
        poll_seconds: float = 1.0,
    ) -> Iterator[Change]:
        """Give what happens to universes as it happens, for ever; each ``change.position`` is where to go on from.

        Parameters
        ----------
        since
            Begin behind this position; by default with what comes next.
        categories, kinds
            As for `changes`.
        poll_seconds
            How long to wait before asking again.
        """
        from mainsequence.client import changes as feed

        return feed.follow(_where(self), since, _chosen(self, categories), kinds, poll_seconds)


def _where(one: Any) -> Any:
    return carrier() if one is None else one._carrier or carrier()  # noqa: SLF001 (of the same kind)


def _chosen(one: Any, categories: Iterable[Any] | None) -> list[int] | None:
    if one is None:
        return category_ids(categories)
    if categories is not None:
        raise ValidationError(
            "This reads the changes of one universe.", hint="msc.AssetCategory.changes(categories=…)."
        )
    return [one.id]


def _within(pinned: Any, fields: dict[str, Any]) -> dict[str, Any]:
    """Let a side of a comparison be no later than a pin."""
    revision, known_at = fields.get("revision"), fields.get("known_at")
    if revision is None and known_at is None:
        as_of = fields.get("as_of") or pinned.as_of
        return fields | {"revision": pinned.revision, "known_at": pinned.known_at, "as_of": as_of}
    later = pinned.revision is not None and revision is not None and revision > pinned.revision
    if later or known_at is not None:
        raise UnknownRevisionError(
            f"{pinned.reference} knows nothing of revision {revision}, known_at {known_at}.",
            hint="Ask the universe itself, without the pin.",
        )
    return fields


def _optional(value: TimeLike | None, name: str) -> Any:
    return None if value is None else to_datetime(value, name)
