"""``DataNode``: what fills a series."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar, Self

from mainsequence.domain.readers import ReaderAbout
from mainsequence.domain.series import WriteOutcome
from mainsequence.domain.times import TimeLike, to_datetime
from mainsequence.errors import ConflictError
from mainsequence.tdag.configuration import DataNodeConfiguration, configured
from mainsequence.tdag.identity import NodeIdentity, bound_arguments, class_name, read_again
from mainsequence.tdag.metadata import DataNodeMetaData, RecordDefinition
from mainsequence.tdag.outcomes import RunResult
from mainsequence.tdag.reading import ReadableNode
from mainsequence.tdag.runnable import RunnableNode
from mainsequence.tdag.statistics import UpdateStatistics
from mainsequence.tdag.stored import StoredNode
from mainsequence.tdag.tree import checked_dependencies, tree_of

if TYPE_CHECKING:
    import pyarrow as pa

    from mainsequence.client.assets import Asset
    from mainsequence.client.frames import Frame
    from mainsequence.client.series import Series
    from mainsequence.tdag.storing import Target


class DataNode(StoredNode, RunnableNode):
    """Fills a series: declare what it depends on and how it is updated, then `run` it.

    A subclass defines `update`, and where needed `dependencies`, `get_asset_list`, `get_table_metadata`,
    `get_column_metadata` and `universes`. It is configured in one of two ways:

    * by fields: annotate ``config: MyConfiguration`` (a `DataNodeConfiguration`) in the class; the constructor then
      takes the fields as keywords, ``MyNode(n=5)``, or a ready ``config=``;
    * by its own ``__init__`` with plain arguments, which calls ``super().__init__()``.

    Fields or arguments define the identity, together with the full name of the class: equal nodes fill the same series.
    What is marked `DisplayOnly` does not count. The identity is read off when it is first needed and stays.

    Parameters
    ----------
    config
        The configuration, ready made.
    hash_namespace
        Keeps the series of this node apart from those of equal nodes outside the namespace, for trials and tests.
    **fields
        Fields of the configuration.

    Raises
    ------
    UnknownFieldError
        A field that the configuration does not have.
    """

    configuration_class: ClassVar[type[DataNodeConfiguration] | None] = None
    config: DataNodeConfiguration
    hash_namespace: str | None
    last_run: RunResult | None
    """What the last `run` did, also when it raised."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """Keep the arguments of the constructor: they define the identity."""
        node = super().__new__(cls)
        own = cls.__init__ is not DataNode.__init__
        node._made_with = (args, kwargs)
        node._arguments = bound_arguments(cls.__init__, args, kwargs) if own else None
        node.hash_namespace = (node._arguments or kwargs).get("hash_namespace")
        node._identities = {}
        node._now, node._found, node.last_run = None, None, None
        return node

    def __init__(
        self, config: DataNodeConfiguration | None = None, *, hash_namespace: str | None = None, **fields: Any
    ) -> None:
        self.config = configured(type(self), config, fields)
        self.hash_namespace = hash_namespace or self.hash_namespace

    _made_with: tuple[tuple[Any, ...], dict[str, Any]]
    _arguments: dict[str, Any] | None
    _identities: dict[bool, NodeIdentity]
    _now: datetime | None
    _found: UpdateStatistics | None

    def __reduce__(self) -> tuple[Any, ...]:
        return read_again, (type(self), *self._made_with)

    def __repr__(self) -> str:
        given = self.arguments if hasattr(self, "config") else self._made_with[1]
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in given.items())})"

    # -- what subclasses define

    def dependencies(self) -> Mapping[str, ReadableNode]:
        """Give the nodes that must be up to date before this one, by the names that `update` knows them by."""
        return {}

    @abstractmethod
    def update(self) -> "Frame | None":
        """Compute what is new since `update_statistics`, as of `now`; it never asks a clock.

        Returns
        -------
        pandas.DataFrame | pyarrow.Table | polars.DataFrame | None
            Indexed by ``time_index`` (aware) and, where rows belong to assets, ``unique_identifier``; in Arrow and
            Polars these are columns. Rows stored already are replaced where their values differ. ``None``: nothing new.
        """

    def get_asset_list(self) -> "list[Asset] | None":
        """Give the assets that this node updates; ``None`` where that is not known beforehand."""
        return None

    def get_table_metadata(self) -> DataNodeMetaData:
        """Describe the series; by default it is named after the class and the hash."""
        return DataNodeMetaData()

    def get_column_metadata(self) -> list[RecordDefinition]:
        """Declare the columns; where none are declared the first result decides."""
        return []

    def universes(self) -> list[str]:
        """Name the asset categories that the node reads; while it does, they cannot be deleted."""
        return []

    def as_reader(self) -> ReaderAbout:
        """Tell the universes what the node is, so that plans know what a change means to it."""
        return ReaderAbout()

    def check_result(self, table: "pa.Table") -> None:
        """Refuse a result that must not be stored, by raising; called with every result that has rows.

        Parameters
        ----------
        table
            What `update` gave, with ``time_index`` and ``unique_identifier`` as columns. Types, names and the index are
            checked elsewhere.
        """

    # -- identity

    @property
    def arguments(self) -> dict[str, Any]:
        """What the node was made with: the fields of its configuration, or the arguments of its own constructor."""
        return dict(self.config) if self._arguments is None else dict(self._arguments)

    def _identity(self, *, for_update: bool) -> NodeIdentity:
        found = self._identities.get(for_update)
        if found is None:
            named = {"config": self.config} if self._arguments is None else self._arguments
            found = NodeIdentity.of(type(self), named, self.hash_namespace, for_update=for_update)
            self._identities[for_update] = found
        return found

    @property
    def storage_hash(self) -> str:
        """Hash of the class and all that changes what is stored."""
        return self._identity(for_update=False).hash

    @property
    def update_hash(self) -> str:
        """As `storage_hash`, with the fields marked `UpdateOnly`."""
        return self._identity(for_update=True).hash

    @property
    def identifier(self) -> str:
        """The ``unique_identifier`` of the series: that of the metadata, else class and hash."""
        named = self.get_table_metadata().identifier
        if named is None:
            return f"{type(self).__name__}_{self.storage_hash[:16]}"
        return named if self.hash_namespace is None else f"{named}__{self.hash_namespace}"

    def as_identity(self) -> dict[str, str]:
        """Count by the storage hash."""
        return {"node": class_name(type(self)), "storage_hash": self.storage_hash}

    # -- state

    @property
    def series(self) -> "Series | None":
        """The series; ``None`` before anything was stored.

        Raises
        ------
        AlreadyExistsError
            A series of this identifier is filled by something else.
        """
        from mainsequence.tdag.storing import owned_series

        return owned_series(self.identifier, self.storage_hash)

    @property
    def now(self) -> datetime:
        """The time of the run, UTC: known to `update` and what it calls, nowhere else.

        Raises
        ------
        ConflictError
            The node is not running.
        """
        if self._now is None:
            raise ConflictError(f"{self!r} has no time: it is not running.", hint="run(now=…) sets it.")
        return self._now

    @property
    def update_statistics(self) -> UpdateStatistics:
        """How far the series reaches: in `update` as the run found it, elsewhere as it is."""
        return self._found or self._statistics(force=False)

    def _statistics(self, *, force: bool) -> UpdateStatistics:
        assets = self.get_asset_list()
        series = self.series
        stored = None if series is None or force else series.statistics()
        return UpdateStatistics.of(stored, None if assets is None else tuple(assets))

    # -- running

    def run(
        self,
        debug_mode: bool = True,
        update_tree: bool = True,
        force_update: bool = False,
        *,
        now: TimeLike | None = None,
        show_progress: bool | None = None,
    ) -> RunResult:
        """Update the dependencies in their order, each once, then this node, and store what is new.

        Where a node fails, those that need it are stopped, the others are updated; then its error is raised, with notes
        that name them all. What was stored before stays.

        Parameters
        ----------
        debug_mode
            Kept for programs that give it: a run always works in this process, and errors come out as they are.
        update_tree
            Whether dependencies are updated; otherwise they are read as they are stored.
        force_update
            Begin anew, in every node that is updated: `update_statistics` is empty, the node's own rows cannot be seen,
            and its rows become exactly the result. Rows that it gives no more are deleted, and stay readable in earlier
            versions; a node that gives nothing at all keeps what it has.
        now
            The time of the run; by default the clock's, read once.
        show_progress
            Whether progress is shown; by default on a terminal and in notebooks.

        Raises
        ------
        CyclicDependencyError
            Nodes need each other in a circle.
        AlreadyExistsError
            The identifier belongs to a series that something else fills.
        NaiveTimestampError, DuplicateRowsError, SchemaMismatchError, ValidationError
            What `update` gave does not fit; nothing of it was stored.
        """
        from mainsequence.tdag.running import Run

        at = datetime.now(UTC) if now is None else to_datetime(now, "now")
        run = Run(tree_of(self, whole=update_tree), at, force_update)
        self.last_run = run.carry_out(show_progress)
        error = run.error()
        if error is not None:
            raise error
        return self.last_run

    def update_once(self, now: datetime, *, force: bool) -> WriteOutcome | None:
        """Update this node alone and store what is new; ``None`` where there was nothing."""
        from mainsequence.tdag.universes import register_reader

        register_reader(self.universes(), self.identifier, self.as_reader())
        with self._running(now, force):
            return self._target().store(self.update(), force=force)

    @contextmanager
    def _running(self, now: datetime, force: bool) -> Iterator[None]:
        self._now = now
        try:
            self._found = self._statistics(force=force)
            self._anew = force
            yield
        finally:
            self._now, self._found, self._anew = None, None, False

    _anew = False

    def _target(self) -> "Target":
        from mainsequence.tdag.storing import Target, packages_of

        stored, updated = self._identity(for_update=False), self._identity(for_update=True)
        partial = stored.hash != updated.hash
        needed = {name: node.identifier for name, node in checked_dependencies(self).items()}
        assets = self.update_statistics.asset_list
        packages = packages_of(type(self).__module__)
        registration = {**stored.form, "storage_hash": stored.hash, "dependencies": needed, "packages": packages}
        return Target(
            identifier=self.identifier,
            about=self.get_table_metadata(),
            records=tuple(self.get_column_metadata()),
            registration=registration,
            update={updated.hash: updated.form["arguments"]} if partial else {},
            assets=tuple(each.unique_identifier for each in assets) if partial and assets is not None else None,
            check=self.check_result,
        )

    # -- reading

    def _readable(self) -> "Series | None":
        return None if self._anew else self.series

    def _nothing(self, columns: tuple[str, ...] | None) -> "pa.Table":
        from mainsequence.tdag.tables import nothing

        return nothing(self.get_column_metadata(), self.get_table_metadata(), columns)

    def delete(self) -> None:
        """Delete the series with all its versions, and let go of the universes it read; the node may run again."""
        from mainsequence.tdag.universes import drop_reader

        series = self.series
        if series is not None:
            series.delete()
        drop_reader(self.universes(), self.identifier)
