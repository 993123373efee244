"""How well a universe is kept: its weights, what lies ahead, whether it still moves, and whether sources agree."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mainsequence.client.connection import carrier
from mainsequence.client.universe_base import UniverseObject
from mainsequence.domain.reconciliation import Freshness, FreshnessQuery, Reconciliation
from mainsequence.domain.times import TimeLike, to_datetime

if TYPE_CHECKING:
    import pandas as pd

    from mainsequence.client.assets import Asset
    from mainsequence.client.lists.reconciled import ReconciliationReport


class Kept(UniverseObject):
    """How well a universe is kept: weights, changes ahead, freshness, agreement with other sources."""

    def check_weights(
        self,
        start: TimeLike | None = None,
        end: TimeLike | None = None,
        *,
        sum_to: float = 1.0,
        tolerance: float = 1e-6,
        revision: int | None = None,
        known_at: TimeLike | None = None,
    ) -> "pd.DataFrame":
        """Say what the weights sum to between any two changes inside ``[start, end)``.

        Returns
        -------
        pandas.DataFrame
            Columns ``start, end`` (UTC; ``NaT`` is open)``, members, unweighted`` (members without weight)``, total,
            off_by, ok``: whether everybody has a weight and they sum to ``sum_to`` within ``tolerance``.
        """
        from mainsequence.client.lists.frames import weight_frame
        from mainsequence.contract.categories import Span
        from mainsequence.contract.loading import WEIGHT_SUMS

        times = {"start": start, "end": end, "known_at": known_at}
        given: dict[str, Any] = {name: to_datetime(at, name) for name, at in times.items() if at is not None}
        table = self._call(WEIGHT_SUMS, Span(**given, revision=revision), key=self.id)
        return weight_frame(table, sum_to, tolerance)

    def upcoming(self, as_of: TimeLike | None = None, until: TimeLike | None = None) -> "pd.DataFrame":
        """List the changes that lie ahead of a time and were known by then, soonest first.

        A change is known from its announcement, where the load that brought it gave one; else from when it was
        recorded. The time of recording is never made to say anything else.

        Parameters
        ----------
        as_of
            By default now.
        until
            Changes from here on are left out.

        Returns
        -------
        pandas.DataFrame
            Columns ``effective_at, unique_identifier, change`` (``enters``, ``leaves``, ``reweighted``)``, weight,
            announced_at`` (``NaT`` where nobody says)``, recorded_at``; times are UTC.
        """
        from mainsequence.contract.loading import UPCOMING
        from mainsequence.domain.loading import UpcomingQuery

        times = {"as_of": as_of, "until": until}
        body = UpcomingQuery(**{name: to_datetime(at, name) for name, at in times.items() if at is not None})
        table: Any = self._call(UPCOMING, body, key=self.id)
        frame: pd.DataFrame = table.to_pandas()
        return frame.assign(weight=frame["weight"].astype("float64"))

    def expected(self, at: TimeLike, announced_by: TimeLike | None = None) -> "list[Asset]":
        """Read who is known, by one time, to be a member at a later one: the members then, and what was announced.

        Parameters
        ----------
        at
            The later time.
        announced_by
            The earlier one; by default now.
        """
        from mainsequence.client.assets import Asset
        from mainsequence.contract.loading import EXPECTED
        from mainsequence.domain.loading import ExpectedQuery

        known = None if announced_by is None else to_datetime(announced_by, "announced_by")
        found = self._call(EXPECTED, ExpectedQuery(at=to_datetime(at, "at"), announced_by=known), key=self.id)
        return self._bind_all(Asset, found)

    def freshness(self, at: TimeLike | None = None, *, quantile: float = 0.99, factor: float = 2.0) -> Freshness:
        """Say whether the universe has not moved for longer than its own history suggests.

        A universe moves where somebody enters, leaves or changes weight; one without any date moves when a revision is
        recorded. Moves of one day (UTC) count as one. It is stale where the time since its last move exceeds ``factor``
        times the ``quantile`` of the gaps between its moves so far. With fewer than three moves nothing is said:
        ``allowed_days`` is ``None``.

        Parameters
        ----------
        at
            By default now; moves that lie ahead of it do not count.
        """
        from mainsequence.contract.reconciliation import FRESHNESS

        asked = None if at is None else to_datetime(at, "at")
        return self._call(FRESHNESS, FreshnessQuery(at=asked, quantile=quantile, factor=factor), key=self.id)

    @classmethod
    def reconcile(
        cls, universes: Sequence[str | UniverseObject], start: TimeLike | None = None, end: TimeLike | None = None
    ) -> "ReconciliationReport":
        """Compare sources of one universe over ``[start, end)``: every disagreement, and how far they agree by time.

        Parameters
        ----------
        universes
            Two or more, by object or unique identifier, also pinned (``sp500@12``); else at their heads.
        start, end
            By default from the first date that any of them has to now.
        """
        from mainsequence.client.lists.reconciled import ReconciliationReport
        from mainsequence.contract.reconciliation import RECONCILE

        names = [each if isinstance(each, str) else each.pin or each.unique_identifier for each in universes]
        times = {"start": start, "end": end}
        given: dict[str, Any] = {name: to_datetime(at, name) for name, at in times.items() if at is not None}
        return ReconciliationReport(carrier().call(RECONCILE, Reconciliation(universes=names, **given)))
