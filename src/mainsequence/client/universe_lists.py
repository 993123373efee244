"""Real lists: loading and exporting them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from mainsequence.client.connection import carrier
from mainsequence.client.universe_kept import Kept
from mainsequence.domain.resolution import ListingPolicy
from mainsequence.domain.times import TimeLike, to_datetime, to_micros

if TYPE_CHECKING:
    from pathlib import Path

    from mainsequence.client.lists.exporting import Exported
    from mainsequence.client.lists.load_report import LoadReport


class Listed(Kept):
    """Real lists: loading and exporting them."""

    def load(
        self,
        source: Any,
        *,
        identifier: str | tuple[str, str] | None = None,
        columns: Mapping[str, str] | None = None,
        as_of: TimeLike | None = None,
        effective_from: TimeLike | None = None,
        announced: TimeLike | None = None,
        policy: ListingPolicy | None = None,
        mode: Literal["replace", "append", "history"] = "replace",
        on_unresolved: Literal["refuse", "skip"] = "refuse",
        on_faults: Literal["refuse", "repair"] = "refuse",
        register_missing: bool = False,
        allow_empty: bool = False,
        weights_sum_to: float | None = None,
        tolerance: float = 1e-6,
        format: str | None = None,  # noqa: A002 (what users call it)
        sheet: str | None = None,
        date_format: str | None = None,
        ends: Literal["exclusive", "inclusive"] = "exclusive",
        if_revision: int | None = None,
        reason: str | None = None,
        force: bool = False,
        dry_run: bool = False,
    ) -> "LoadReport":
        """Load a list into the universe: one revision, all or nothing.

        What the list is follows from its columns: with a start or an end it is a table of intervals, half-open
        ``[start, end)``; with a date it is dated lists below each other, each of which holds until the next; with
        neither it is one list. Columns are found by their names, whatever their capitals and punctuation, and the
        report says which was taken for what: ``valid_from``, ``start``, ``start_date``, ``from``, ``opt_in`` … for the
        start, ``valid_to``, ``end``, ``end_date``, ``to``, ``opt_out`` … for the end, ``date``, ``as_of`` for the date
        of a list, ``weight`` and ``announced``, ``exit_announced``. Two that could be one are refused.

        Times are ISO 8601; a date is its midnight UTC. A blank end is open. A blank start is a finding, but for a
        column called ``valid_from``, as our exports have it, where it is open too; ``-infinity`` and ``infinity`` are
        understood everywhere.

        Parameters
        ----------
        source
            A CSV, JSON, Parquet or Excel file, one of qlib's instrument files (``.txt``), a text file with one
            identifier on each line, a folder of lists with their dates in their names, a pandas or polars DataFrame, a
            pyarrow Table, or a list: of mappings, or of nothing but identifiers.
        identifier
            What the list names its assets by: ``unique_identifier``, ``isin``, ``figi``, ``composite``,
            ``share_class``, ``ticker``, ``name``, ``any``, or ``("ticker", "exchange_code")``. By default what the name
            of its first column of identifiers says.
        columns
            Columns by role, where their names do not tell: ``{"identifier": "Sedol", "end": "Removed on"}``.
        as_of
            When the assets were called so, where no date of the list tells; by default ``effective_from``, or now. A
            ticker in a table of intervals is understood as of its start, in a dated list as of its date.
        effective_from
            When one list without dates takes effect; by default for all time, in a dated universe from now on.
        announced
            When the changes were announced; a fact that `upcoming` and `expected` use, never a time of recording.
        policy
            How to choose where an identifier fits several assets; without one nothing is chosen.
        mode
            ``replace``: the universe becomes what the list says, its past included (one list: from ``effective_from``
            on); ``append``: its members are added; ``history``: what lies before the list begins stays.
        on_unresolved
            Whether rows that are ambiguous, unmatched or delisted refuse the list, or are left out and reported.
        on_faults
            Whether overlaps, repetitions, empty or inverted intervals and unreadable rows refuse the list, or are
            repaired: overlapping rows of one asset become the time that any of them covers, the others are left out.
            Rows that contradict each other in weight refuse it in any case.
        register_missing
            Whether identifiers that nobody has become custom assets, described by what the list says of them.
        allow_empty
            Whether a list that names nobody empties the universe.
        weights_sum_to, tolerance
            What weights must sum to whenever there are members.
        format, sheet, date_format
            What kind of file it is, which sheet of a workbook, how its dates are written (for ``strptime``).
        ends
            Whether ends are the first day that does not hold, or the last that does (as in qlib's files, always).
        if_revision, reason, force
            As for `append_assets`.
        dry_run
            Whether to change nothing and report what would change.

        Raises
        ------
        ListRefusedError
            Rows are wrong or not resolved; all of them are in its ``context`` and its ``report``.
        InvalidWeightsError
            Weights do not sum up; the dates are named, and by how much.
        """
        from mainsequence.client.lists.asking import Asking
        from mainsequence.client.lists.loading import ListReading, load
        from mainsequence.domain.loading import LoadOptions

        how = ListReading(
            identifier=identifier,
            columns=None if columns is None else dict(columns),
            format=format,
            sheet=sheet,
            date_format=date_format,
            ends=ends,
            as_of=as_of,
            effective_from=effective_from,
            announced=announced,
            policy=policy or ListingPolicy(),
            mode=mode,
            on_unresolved=on_unresolved,
            on_faults=on_faults,
            register_missing=register_missing,
            allow_empty=allow_empty,
        )
        options = LoadOptions(
            weights_sum_to=weights_sum_to, tolerance=tolerance, if_revision=if_revision, reason=reason, force=force
        )
        report, record = load(Asking(self._call), self, source, how, options, dry_run=dry_run)
        if record is not None:
            self._refresh(record)
        return report

    def export(
        self,
        path: "str | Path",
        *,
        format: str | None = None,  # noqa: A002 (what users call it)
        layout: Literal["intervals", "snapshot", "snapshots"] = "intervals",
        as_of: TimeLike | None = None,
        identifier: str = "unique_identifier",
        revision: int | None = None,
        known_at: TimeLike | None = None,
        allow_loss: bool = False,
    ) -> "Exported":
        """Write the universe as a list that `load` reads back, to the microsecond and the last bit of a weight.

        Parameters
        ----------
        path
            The file, replaced when the new one is whole; or, for ``snapshots``, a new folder with a file for each list.
        format
            ``csv``, ``tsv``, ``json``, ``parquet``, ``excel``, ``qlib`` or ``text``; by default what the name's end
            says (``.txt`` is qlib's).
        layout
            ``intervals``: everything; ``snapshot``: the members at ``as_of``; ``snapshots``: everything too, as a list
            for each time at which something changes.
        as_of
            When members are members, for ``snapshot``; by default now.
        identifier
            What assets are called: ``unique_identifier``, ``isin``, ``figi``, ``ticker`` …
        revision, known_at
            As recorded at this revision, or as known at this time; by default the head.
        allow_loss
            Whether to write what the format can hold where that is not everything; what is lost is in the answer.

        Raises
        ------
        LossyExportError
            The format cannot hold everything: qlib's has whole days, bounded starts and no weights.
        ValidationError
            Assets cannot be told apart by the identifier.
        """
        from pathlib import Path

        from mainsequence.client.lists.asking import Asking
        from mainsequence.client.lists.columns import Layout
        from mainsequence.client.lists.exporting import export
        from mainsequence.client.lists.loading import now_micros
        from mainsequence.client.lists.resolving import read_kind
        from mainsequence.contract.categories import Span
        from mainsequence.domain.resolution import IdentifierKind

        state = Span(revision=revision, known_at=None if known_at is None else to_datetime(known_at, "known_at"))
        return export(
            Asking(self._call),
            self.id,
            Path(path).expanduser(),
            format=format,
            layout=Layout(layout),
            span=state,
            as_of=now_micros() if as_of is None else to_micros(as_of, "as_of"),
            identifier=IdentifierKind(read_kind(identifier)),
            allow_loss=allow_loss,
        )

    @classmethod
    def available_indices(cls) -> list[str]:
        """List the indices that `load_index` knows, from the package ``pytickersymbols`` (extra ``indices``).

        Raises
        ------
        ConfigurationError
            The package is not installed.
        """
        from mainsequence.client.lists.indices import available

        return available()

    @classmethod
    def load_index(
        cls,
        name: str,
        *,
        unique_identifier: str | None = None,
        effective_from: TimeLike | None = None,
        policy: ListingPolicy | None = None,
        on_unresolved: Literal["refuse", "skip"] = "refuse",
        on_faults: Literal["refuse", "repair"] = "repair",
        register_missing: bool = False,
        reason: str | None = None,
        force: bool = False,
        dry_run: bool = False,
    ) -> "LoadReport":
        """Load the members of an index by its name (``S&P 500``, ``DAX``, ``NIKKEI 225`` …), as a package brings them.

        That is the index as of the package's release, without its past: load a history where you need one. Members are
        found by their ISIN where the package has exactly one of them, else by their symbol, whichever identifier of an
        asset that is.

        Parameters
        ----------
        name
            One of `available_indices`; capitals and punctuation do not matter.
        unique_identifier
            The universe, created where it does not exist; by default from the name: ``s_p_500``.
        register_missing
            Whether members that nobody registered become custom assets, with ISIN and listings. Their
            ``unique_identifier`` is the ISIN, else the symbol.
        on_faults
            Members that the package names twice are by default one, and reported.
        effective_from, policy, on_unresolved, reason, force, dry_run
            As for `load`.
        """
        from mainsequence.client.lists.asking import Asking
        from mainsequence.client.lists.indices import universe_name
        from mainsequence.client.lists.loading import ListReading, load_index
        from mainsequence.domain.loading import LoadOptions

        how = ListReading(
            identifier="any",
            columns={"exchange_code": "exchange_code"},
            effective_from=effective_from,
            policy=policy or ListingPolicy(),
            on_unresolved=on_unresolved,
            on_faults=on_faults,
            register_missing=register_missing,
        )
        options = LoadOptions(reason=reason, force=force)
        into = unique_identifier or universe_name(name)
        return load_index(Asking(carrier().call), name, into, how, options, dry_run=dry_run)
