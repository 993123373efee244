"""``msc.Portfolio`` and ``msc.PortfolioGroup``: stored portfolios, each an asset itself, and named groups of them."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

from mainsequence.client.assets import Asset
from mainsequence.client.base import Noun
from mainsequence.client.connection import carrier
from mainsequence.client.series import Series
from mainsequence.client.sharing import Shareable
from mainsequence.contract import portfolios as contract
from mainsequence.contract.operation import Operation
from mainsequence.contract.sharing import PORTFOLIOS
from mainsequence.domain.categories import named
from mainsequence.domain.portfolios import (
    GroupCreation,
    GroupRecord,
    LatestWeights,
    PortfolioCreation,
    PortfolioRecord,
)
from mainsequence.domain.times import TimeLike
from mainsequence.errors import NotFoundError, ValidationError

if TYPE_CHECKING:
    import pandas as pd


class Portfolio(Shareable, Noun[PortfolioRecord], PortfolioRecord):
    """A stored portfolio: what built it, where its numbers are, and the asset that stands for it.

    A portfolio is itself an asset: ``index_asset`` can be a member of a universe or of another portfolio. `values` and
    `weights` read its numbers; ``manifest`` holds all that is needed to rebuild them.
    """

    _query = contract.QUERY
    _get = contract.GET
    _sharing = PORTFOLIOS
    _shown: ClassVar[tuple[str, ...]] = (
        *("id", "unique_identifier", "display_name", "description", "calendar_name", "values_series", "weights_series"),
    )

    @classmethod
    def get_or_create(
        cls, *, unique_identifier: str | None = None, display_name: str | None = None, **fields: Any
    ) -> Self:
        """Read the portfolio with this identifier, unchanged, or register it with its index asset.

        Parameters
        ----------
        unique_identifier
            The stable name, also of the index asset; derived from ``display_name`` where left out.
        display_name
            The name for people; by default the identifier.
        **fields
            ``description``, ``calendar_name``, ``values_series``, ``weights_series``, ``signal_series``, ``about``,
            ``configuration``, ``manifest``, and ``universe``: the identifier of the asset category that it reads.

        Raises
        ------
        AlreadyExistsError
            Another asset, which is no portfolio, has the identifier.
        NotFoundError
            The universe does not exist.
        UnknownFieldError
            A field that portfolios do not have.
        """
        return cls._made(contract.GET_OR_CREATE, unique_identifier, display_name, fields)

    @classmethod
    def create(cls, *, unique_identifier: str | None = None, display_name: str | None = None, **fields: Any) -> Self:
        """Register a portfolio; like `get_or_create`, but refused where the identifier is taken.

        Raises
        ------
        AlreadyExistsError
            The identifier is taken.
        """
        return cls._made(contract.CREATE, unique_identifier, display_name, fields)

    @classmethod
    def publish(cls, *, unique_identifier: str | None = None, display_name: str | None = None, **fields: Any) -> Self:
        """Register a portfolio, or make the registered one exactly this. Parameters as for `get_or_create`."""
        return cls._made(contract.PUBLISH, unique_identifier, display_name, fields)

    @classmethod
    def _made(
        cls,
        operation: Operation[PortfolioCreation, PortfolioRecord],
        unique_identifier: str | None,
        display_name: str | None,
        fields: dict[str, Any],
    ) -> Self:
        body = PortfolioCreation.parse(named(unique_identifier, display_name) | fields)
        where = carrier()
        return cls._bind(where.call(operation, body), where)

    def patch(self, **fields: Any) -> Self:
        """Change fields; the index asset follows ``display_name`` and ``calendar_name``.

        Raises
        ------
        UnknownFieldError
            A field that cannot be changed; ``unique_identifier`` never can.
        """
        return self._refresh(self._call(contract.PATCH, contract.PortfolioPatch(**fields), key=self.id))

    def add_venue(self, venue_id: int) -> Self:
        """Name a venue that the portfolio is traded on; one that it has stays.

        Parameters
        ----------
        venue_id
            The id of the venue in the system that sends the orders. Nothing here trades, and no number follows from it:
            ``venue_ids`` tells that system where the portfolio's targets go.
        """
        return self._refresh(self._call(contract.ADD_VENUE, contract.VenueEdit(venue_id=venue_id), key=self.id))

    def remove_venue(self, venue_id: int) -> Self:
        """Take a venue from the portfolio; one that it does not have is left alone."""
        return self._refresh(self._call(contract.REMOVE_VENUE, contract.VenueEdit(venue_id=venue_id), key=self.id))

    def delete(self) -> None:
        """Delete the portfolio: its index asset retires, its universe loses a reader, its series stay.

        Raises
        ------
        InUseError
            A group or a universe holds it; the message names them.
        """
        self._call(contract.DELETE, None, key=self.id)

    def refresh(self) -> Self:
        """Read the present fields again."""
        return self._refresh(self._call(contract.GET, None, key=self.id))

    def get_index_asset(self) -> Asset:
        """Read the asset that stands for the portfolio."""
        return Asset.get(self.index_asset.id)

    def get_latest_weights(self) -> LatestWeights:
        """Read what the portfolio holds at its last stamp: ``weights`` by unique identifier and ``weights_date``."""
        return self._call(contract.LATEST_WEIGHTS, None, key=self.id)

    def values(self, start: TimeLike | None = None, end: TimeLike | None = None) -> "pd.DataFrame":
        """Read the portfolio's values over ``[start, end)``.

        Returns
        -------
        pandas.DataFrame
            Indexed by ``time_index``; ``close`` (NAV), ``return``, ``turnover``, ``fees``, ``cash``, ``session``,
            ``last_rebalance_date`` (METHODOLOGY section 5).

        Raises
        ------
        NotFoundError
            Nothing is stored for it.
        """
        return self._series("values_series").read(start=start, end=end)

    def weights(self, start: TimeLike | None = None, end: TimeLike | None = None) -> "pd.DataFrame":
        """Read the portfolio's weights over ``[start, end)``.

        Returns
        -------
        pandas.DataFrame
            Indexed by ``time_index`` and ``unique_identifier``; ``weight_before`` (drifted), ``weight_current``,
            ``price_before``, ``price_current``, ``volume_current``. An asset that is not held has no row.

        Raises
        ------
        NotFoundError
            Nothing is stored for it.
        """
        return self._series("weights_series").read(start=start, end=end)

    def _series(self, field: str) -> Series:
        name = getattr(self, field)
        if name is None:
            raise NotFoundError(
                f"The portfolio {self.unique_identifier!r} has no {field}: nothing is stored for it.",
                hint="Run the PortfolioStrategy that builds it, or name its series with patch().",
            )
        return Series.get(unique_identifier=name)


class PortfolioGroup(Noun[GroupRecord], GroupRecord):
    """A named group of portfolios."""

    _query = contract.QUERY_GROUPS
    _get = contract.GET_GROUP
    _shown: ClassVar[tuple[str, ...]] = (
        *("id", "unique_identifier", "display_name", "description", "source", "portfolios"),
    )

    @classmethod
    def get_or_create(
        cls,
        *,
        display_name: str | None = None,
        unique_identifier: str | None = None,
        portfolio_ids: Iterable[int] = (),
        description: str | None = None,
        source: str = "",
    ) -> Self:
        """Read the group with this identifier, unchanged, or create it.

        Parameters
        ----------
        display_name
            The name for people; by default the identifier.
        unique_identifier
            The stable name; derived from ``display_name`` where left out.
        portfolio_ids
            First portfolios, where the group is created.
        description
            What the group is for.
        source
            Who keeps it.

        Raises
        ------
        NotFoundError
            A portfolio that does not exist; nothing is created.
        """
        fields = {"description": description, "source": source, "portfolios": list(portfolio_ids)}
        body = GroupCreation.parse(named(unique_identifier, display_name) | fields)
        where = carrier()
        return cls._bind(where.call(contract.GET_OR_CREATE_GROUP, body), where)

    @classmethod
    def create(
        cls,
        *,
        display_name: str | None = None,
        unique_identifier: str | None = None,
        portfolio_ids: Iterable[int] = (),
        description: str | None = None,
        source: str = "",
    ) -> Self:
        """Create a group; like `get_or_create`, but refused where the identifier is taken.

        Raises
        ------
        AlreadyExistsError
            The identifier is taken.
        """
        fields = {"description": description, "source": source, "portfolios": list(portfolio_ids)}
        body = GroupCreation.parse(named(unique_identifier, display_name) | fields)
        where = carrier()
        return cls._bind(where.call(contract.CREATE_GROUP, body), where)

    def append_portfolios(
        self, portfolio_ids: Iterable[int] | None = None, *, portfolios: Sequence[PortfolioRecord] | None = None
    ) -> Self:
        """Put portfolios into the group, by ids or by objects; those that are in it stay.

        Raises
        ------
        NotFoundError
            One that does not exist; nothing is changed.
        """
        return self._edit(contract.APPEND_PORTFOLIOS, portfolio_ids, portfolios)

    def remove_portfolios(
        self, portfolio_ids: Iterable[int] | None = None, *, portfolios: Sequence[PortfolioRecord] | None = None
    ) -> Self:
        """Take portfolios out of the group, by ids or by objects; those that are not in it are left alone."""
        return self._edit(contract.REMOVE_PORTFOLIOS, portfolio_ids, portfolios)

    def _edit(
        self,
        operation: Operation[contract.GroupEdit, GroupRecord],
        ids: Iterable[int] | None,
        portfolios: Sequence[PortfolioRecord] | None,
    ) -> Self:
        if (ids is None) == (portfolios is None):
            raise ValidationError("Give either portfolio_ids or portfolios.", hint="append_portfolios([1, 2])")
        chosen = [each.id for each in portfolios] if portfolios is not None else list(ids or ())
        return self._refresh(self._call(operation, contract.GroupEdit(portfolios=chosen), key=self.id))

    def get_portfolios(self) -> list[Portfolio]:
        """Read the portfolios of the group."""
        return Portfolio.filter(id__in=self.portfolios)

    def patch(self, **fields: Any) -> Self:
        """Change ``display_name``, ``description`` or ``source``, or replace the ``portfolios``, in one step.

        Raises
        ------
        UnknownFieldError
            A field that cannot be changed.
        """
        return self._refresh(self._call(contract.PATCH_GROUP, contract.GroupPatch(**fields), key=self.id))

    def delete(self) -> None:
        """Delete the group; its portfolios stay."""
        self._call(contract.DELETE_GROUP, None, key=self.id)

    def refresh(self) -> Self:
        """Read the present state again."""
        return self._refresh(self._call(contract.GET_GROUP, None, key=self.id))
