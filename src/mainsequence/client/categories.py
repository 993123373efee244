"""``msc.AssetCategory``: a named universe of assets, whose members hold over time."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

from mainsequence.client.assets import Asset, asset_id_of, asset_ids_of
from mainsequence.client.connection import carrier
from mainsequence.client.plans import Plan, universes_are
from mainsequence.client.sharing import Shareable
from mainsequence.client.universe_composition import Composed, UniverseExpression
from mainsequence.client.universe_lists import Listed
from mainsequence.client.universe_past import Remembered
from mainsequence.client.universe_plans import Planned
from mainsequence.client.universe_weights import Weights, aligned, keyed
from mainsequence.contract import categories as contract
from mainsequence.contract.operation import Operation
from mainsequence.contract.sharing import CATEGORIES
from mainsequence.domain.assets import AssetRecord
from mainsequence.domain.categories import (
    CategoryCreation,
    CategoryRecord,
    Reference,
    named,
)
from mainsequence.domain.times import TimeLike, to_datetime
from mainsequence.errors import NotFoundError, UnknownFieldError, UnknownRevisionError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["AssetCategory", "Plan", "UniverseExpression", "find_universe"]


class AssetCategory(Planned, Remembered, Composed, Listed, Shareable):
    """A named universe that other workflows refer to by ``unique_identifier``.

    Every change of membership is one transaction and one revision; a change that changes nothing makes none. Verbs
    without dates hold for all time (in a ``dated`` universe: from now on); verbs with dates edit validity
    ``[effective_from, effective_to)``. Every verb refreshes the object and returns it.
    """

    _sharing = CATEGORIES

    @classmethod
    def get_or_create(
        cls,
        *,
        unique_identifier: str | None = None,
        display_name: str | None = None,
        description: str | None = None,
        dated: bool = False,
        assets: Sequence[AssetRecord] | None = None,
        asset_ids: Iterable[int] | None = None,
    ) -> Self:
        """Read the universe with this identifier, unchanged, or create it; safe when many processes call it at once.

        Parameters
        ----------
        unique_identifier
            The stable name; derived from ``display_name`` where left out.
        display_name
            The name for people; by default the identifier.
        description
            What the universe is for.
        dated
            Whether verbs without dates take effect at the moment of the write instead of for all time.
        assets, asset_ids
            First members, where the universe is created.
        """
        body = _creation(unique_identifier, display_name, description, dated, assets, asset_ids)
        where = carrier()
        found = cls._bind(where.call(contract.GET_OR_CREATE, body), where)
        found._notice(body.unique_identifier)  # noqa: SLF001 (of its class)
        return found

    @classmethod
    def create(
        cls,
        *,
        unique_identifier: str | None = None,
        display_name: str | None = None,
        description: str | None = None,
        dated: bool = False,
        assets: Sequence[AssetRecord] | None = None,
        asset_ids: Iterable[int] | None = None,
    ) -> Self:
        """Create a universe; like `get_or_create`, but refused where the identifier is taken.

        Raises
        ------
        AlreadyExistsError
            The identifier is taken.
        """
        body = _creation(unique_identifier, display_name, description, dated, assets, asset_ids)
        where = carrier()
        return cls._bind(where.call(contract.CREATE, body), where)

    @classmethod
    def containing(cls, asset: AssetRecord, as_of: TimeLike | None = None) -> list[Self]:
        """List the universes that an asset is a member of, now or at a time."""
        where = carrier()
        found = where.call(contract.CONTAINING, _as_of(as_of), key=asset_id_of(asset, where))
        return [cls._bind(record, where) for record in found]

    def patch(self, **fields: Any) -> Self:
        """Change ``display_name`` or ``description``, and replace the members with ``assets=[ids]``, in one step.

        Raises
        ------
        UnknownFieldError
            Another field; the ``unique_identifier`` changes by `rename` alone, which keeps the old one working.
        """
        if "unique_identifier" in fields:
            raise UnknownFieldError(
                "unique_identifier cannot be patched: others refer to it.",
                hint="rename(…) gives another one, and lets the old one lead to the universe.",
                unknown=["unique_identifier"],
            )
        members = fields.get("assets")
        if members is not None:
            fields["assets"] = [each.id if isinstance(each, AssetRecord) else each for each in members]
        return self._refresh(self._call(contract.PATCH, contract.CategoryPatch(**fields), key=self.id))

    def delete(self) -> None:
        """Delete the universe with its history.

        Raises
        ------
        InUseError
            A portfolio or a node reads it; the message names them.
        """
        self._call(contract.DELETE, None, key=self.id)

    def refresh(self) -> Self:
        """Read the head again."""
        return self._refresh(self._call(contract.GET, None, key=self.id))

    def append_assets(
        self,
        assets: Sequence[AssetRecord] | None = None,
        *,
        asset_ids: Iterable[int] | None = None,
        weights: Weights | None = None,
        effective_from: TimeLike | None = None,
        effective_to: TimeLike | None = None,
        if_revision: int | None = None,
        reason: str | None = None,
    ) -> Self:
        """Make assets members; those that are stay.

        Parameters
        ----------
        assets, asset_ids
            Who, by objects or by ids.
        weights
            Weights for the window: by unique identifier or asset id (a mapping or a Series), or a list in the order
            named; left out, present weights stay.
        effective_from, effective_to
            The window ``[from, to)``; left out, for all time (in a dated universe: from now on).
        if_revision
            Refuse unless the head is at this revision.
        reason
            Why, for the history.

        Raises
        ------
        UnknownAssetsError
            An id that does not exist; nothing is changed.
        StaleRevisionError
            The head is not at ``if_revision``.
        InvalidIntervalError
            The window holds no time.
        """
        ids = asset_ids_of(assets, asset_ids, self._carrier)
        return self._edit(contract.APPEND_ASSETS, ids, weights, effective_from, effective_to, if_revision, reason)

    def remove_assets(
        self,
        assets: Sequence[AssetRecord] | None = None,
        *,
        asset_ids: Iterable[int] | None = None,
        effective_from: TimeLike | None = None,
        effective_to: TimeLike | None = None,
        if_revision: int | None = None,
        reason: str | None = None,
        force: bool = False,
    ) -> Self:
        """Take assets out; those that are no members are left alone. Parameters as for `append_assets`, and:

        Parameters
        ----------
        force
            Go past the guard against large removals.

        Raises
        ------
        RemovalGuardError
            More members would leave at once than the universe allows: by default half, of more than 20.
        """
        ids = asset_ids_of(assets, asset_ids, self._carrier)
        return self._edit(contract.REMOVE_ASSETS, ids, None, effective_from, effective_to, if_revision, reason, force)

    def update_assets(
        self,
        assets: Sequence[AssetRecord] | None = None,
        *,
        asset_ids: Iterable[int] | None = None,
        weights: Weights | None = None,
        effective_from: TimeLike | None = None,
        effective_to: TimeLike | None = None,
        if_revision: int | None = None,
        reason: str | None = None,
        force: bool = False,
    ) -> Self:
        """Make the universe exactly these assets, in one step that no reader sees half done.

        Parameters and errors as for `append_assets` and `remove_assets`.
        """
        ids = asset_ids_of(assets, asset_ids, self._carrier)
        window = (effective_from, effective_to)
        return self._edit(contract.UPDATE_ASSETS, ids, weights, *window, if_revision, reason, force)

    def _edit(
        self,
        operation: Operation[contract.MembershipEdit, CategoryRecord],
        ids: list[int],
        weights: Weights | None,
        effective_from: TimeLike | None,
        effective_to: TimeLike | None,
        if_revision: int | None,
        reason: str | None,
        force: bool = False,
    ) -> Self:
        body = contract.MembershipEdit(
            asset_ids=ids,
            weights=aligned(keyed(weights, self._carrier), ids),
            effective_from=_optional(effective_from, "effective_from"),
            effective_to=_optional(effective_to, "effective_to"),
            if_revision=if_revision,
            reason=reason,
            force=force,
        )
        return self._refresh(self._call(operation, body, key=self.id))

    @property
    def assets(self) -> list[int]:
        """Ids of the members now; read when first asked for and after every verb, or always if made from others."""
        found: list[int] | None = self.__dict__.get("_assets")
        if found is None or self.kind == "expression":
            found = self.__dict__["_assets"] = self.asset_ids()
        return list(found)

    def asset_ids(
        self, as_of: TimeLike | None = None, *, revision: int | None = None, known_at: TimeLike | None = None
    ) -> list[int]:
        """Read the ids of the members, sorted. Parameters as for `get_assets`."""
        return self._call(contract.ASSET_IDS, _as_of(as_of, revision, known_at), key=self.id)

    def get_assets(
        self, as_of: TimeLike | None = None, *, revision: int | None = None, known_at: TimeLike | None = None
    ) -> list[Asset]:
        """Read the members.

        Parameters
        ----------
        as_of
            When they are members; by default now.
        revision, known_at
            As recorded at this revision, or as known at this time; by default the head.

        Raises
        ------
        UnknownRevisionError
            The revision was never recorded, or the universe did not exist at ``known_at``.
        """
        self._notice()
        state, where = _as_of(as_of, revision, known_at), self._carrier or carrier()
        first = self._call(contract.ASSETS, contract.MembersOf(**dict(state), limit=where.at_once), key=self.id)
        if where.at_once is None or len(first) < where.at_once:
            return self._bind_all(Asset, first)
        # Many come page by page, of one reading of who they are: no reader sees a universe half replaced.
        ids = self._call(contract.ASSET_IDS, state, key=self.id)
        return Asset._with_ids(where, ids, first)  # noqa: SLF001 (a client object reads others)

    def weights(
        self, as_of: TimeLike | None = None, *, revision: int | None = None, known_at: TimeLike | None = None
    ) -> dict[str, float | None]:
        """Read the weights of the members by unique identifier; ``None`` where one has none."""
        state = _as_of(as_of, revision, known_at)
        return self._call(contract.WEIGHTS, contract.MembersOf(**dict(state)), key=self.id)

    def members(
        self,
        start: TimeLike | None = None,
        end: TimeLike | None = None,
        *,
        revision: int | None = None,
        known_at: TimeLike | None = None,
    ) -> "pd.DataFrame":
        """Read the validity intervals that overlap ``[start, end)``.

        Returns
        -------
        pandas.DataFrame
            Columns ``asset_id, unique_identifier, valid_from, valid_to, weight``; times are UTC, an open bound is
            ``NaT``.
        """
        from mainsequence.client import universe_frames as frames

        return frames.members(self._intervals(start, end, revision, known_at))

    def mask(
        self, sessions: Iterable[Any], *, revision: int | None = None, known_at: TimeLike | None = None
    ) -> "pd.DataFrame":
        """Say who was a member at each of many times, in one read.

        Parameters
        ----------
        sessions
            Sorted times: aware ones, or dates (their midnight UTC).

        Returns
        -------
        pandas.DataFrame
            Boolean, one row for each session as given, one column for each asset that ever held, by unique identifier.
        """
        from mainsequence.client import universe_frames as frames

        rows = frames.session_index(sessions)
        return frames.mask(self._intervals(None, None, revision, known_at), rows)

    def _intervals(
        self, start: TimeLike | None, end: TimeLike | None, revision: int | None, known_at: TimeLike | None
    ) -> Any:
        body = contract.Span(
            start=_optional(start, "start"),
            end=_optional(end, "end"),
            revision=revision,
            known_at=_optional(known_at, "known_at"),
        )
        return self._call(contract.MEMBERS, body, key=self.id)

    def to_frame(
        self, as_of: TimeLike | None = None, *, revision: int | None = None, known_at: TimeLike | None = None
    ) -> "pd.DataFrame":
        """Read the members as a frame, indexed by unique identifier. Parameters as for `get_assets`."""
        from mainsequence.client import universe_frames as frames

        self._notice()
        weights = self.weights(as_of, revision=revision, known_at=known_at)  # of every member, in one reading
        found = Asset._named(self._carrier, unique_identifier__in=list(weights))  # noqa: SLF001 (as above)
        return frames.assets(found, weights)

    def references(self) -> list[Reference]:
        """List the portfolios and nodes that read the universe."""
        return self._call(contract.REFERENCES, None, key=self.id)


def find_pinned(reference: str) -> AssetCategory:
    """Read a universe at the state that a reference means; where it pins none, its head is pinned.

    Raises
    ------
    NotFoundError, UnknownRevisionError
        As `find_universe`.
    """
    try:
        return AssetCategory._resolved(reference, hold=True)  # noqa: SLF001 (of the same kind)
    except UnknownRevisionError:
        raise
    except NotFoundError:
        return find_universe(reference)


universes_are(AssetCategory)


UniverseExpression.saves_as(AssetCategory)


def find_universe(unique_identifier: str) -> AssetCategory:
    """Read a universe by its identifier, pinned or not: ``sp500_constituents``, ``sp500_constituents@12``.

    Raises
    ------
    NotFoundError
        There is none; the message names near ones.
    UnknownRevisionError
        It was never in the state that is pinned.
    """
    found = AssetCategory.get_or_none(unique_identifier=unique_identifier)
    if found is not None:
        return found
    from difflib import get_close_matches

    name = unique_identifier.partition("@")[0]
    near = get_close_matches(name, [each.unique_identifier for each in AssetCategory.iter_filter()])
    raise NotFoundError(
        f"There is no asset category {name!r}.",
        hint=f"Did you mean {', '.join(near)}?" if near else "AssetCategory.filter() lists those that exist.",
    )


def _creation(
    unique_identifier: str | None,
    display_name: str | None,
    description: str | None,
    dated: bool,
    assets: Sequence[AssetRecord] | None,
    asset_ids: Iterable[int] | None,
) -> CategoryCreation:
    members = [] if assets is None and asset_ids is None else asset_ids_of(assets, asset_ids, carrier())
    fields: dict[str, Any] = {**named(unique_identifier, display_name), "description": description, "dated": dated}
    return CategoryCreation(**fields, assets=members)


def _optional(value: TimeLike | None, name: str) -> datetime | None:
    return None if value is None else to_datetime(value, name)


def _as_of(
    as_of: TimeLike | None = None, revision: int | None = None, known_at: TimeLike | None = None
) -> contract.AsOf:
    return contract.AsOf(as_of=_optional(as_of, "as_of"), revision=revision, known_at=_optional(known_at, "known_at"))
