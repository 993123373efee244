"""``DataNode``: what fills a series."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar, Self, get_type_hints

from mainsequence.domain.series import WriteOutcome
from mainsequence.domain.times import TimeLike, to_datetime
from mainsequence.errors import ConfigurationError, ValidationError
from mainsequence.tdag.configuration import DataNodeConfiguration
from mainsequence.tdag.identity import bound_arguments, canonical, canonical_arguments, class_name, hash_of
from mainsequence.tdag.metadata import DataNodeMetaData, RecordDefinition
from mainsequence.tdag.outcomes import RunResult
from mainsequence.tdag.reading import ReadableNode
from mainsequence.tdag.runnable import RunnableNode
from mainsequence.tdag.statistics import UpdateStatistics

if TYPE_CHECKING:
    import pyarrow as pa

    from mainsequence.client.assets import Asset
    from mainsequence.client.frames import Frame
    from mainsequence.client.series import Series
    from mainsequence.contract.arrow import WideMatrix


class DataNode(RunnableNode):
    """Fills a series: declare what it depends on and how it is updated, then `run` it.

    A subclass defines `update`, and where needed `dependencies`, `get_asset_list`, `get_table_metadata`,
    `get_column_metadata` and `universes`. It is configured in one of two ways:

    * by fields: annotate ``config: MyConfiguration`` (a `DataNodeConfiguration`) in the class; the constructor then takes
      the fields as keywords, ``MyNode(n=5)``, or a ready ``config=``;
    * by its own ``__init__`` with plain arguments, which calls ``super().__init__()``.

    Fields or arguments define the identity together with the full name of the class: equal nodes fill the same series.
    What is marked `DisplayOnly` does not count.

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
    _arguments: dict[str, Any]
    _now: datetime | None
    _statistics: UpdateStatistics | None

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """Keep the arguments of the constructor: they define the identity."""
        node = super().__new__(cls)
        own = cls.__init__ is not DataNode.__init__
        node._arguments = bound_arguments(cls.__init__, args, kwargs) if own else {}
        node.hash_namespace = kwargs.get("hash_namespace")
        node._now = node._statistics = None
        return node

    def __init__(
        self, config: DataNodeConfiguration | None = None, *, hash_namespace: str | None = None, **fields: Any
    ) -> None:
        raise NotImplementedError

    # -- what subclasses define

    def dependencies(self) -> Mapping[str, ReadableNode]:
        """Give the nodes that must be up to date before this one, by the names that `update` knows them by."""
        return {}

    def update(self) -> "Frame | None":
        """Compute what is new since `update_statistics`, as of `now`.

        Returns
        -------
        pandas.DataFrame | pyarrow.Table | polars.DataFrame | None
            Indexed by ``time_index`` (aware) and, where rows belong to assets, ``unique_identifier``; in Arrow and Polars
            these are columns. Rows stored already are replaced where their values differ. ``None``: nothing new.

        It never asks a clock: the time of the run is ``self.now``.
        """
        raise NotImplementedError

    def get_asset_list(self) -> "list[Asset] | None":
        """Give the assets that this node updates; ``None`` where that is not known beforehand."""
        return None

    def get_table_metadata(self) -> DataNodeMetaData:
        """Describe the series."""
        return DataNodeMetaData()

    def get_column_metadata(self) -> list[RecordDefinition]:
        """Declare the columns; where none are declared the first result decides."""
        return []

    def universes(self) -> list[str]:
        """Name the asset categories that the node reads: they then cannot be deleted without notice."""
        return []

    # -- identity

    @property
    def storage_hash(self) -> str:
        """Hash of the class and all that changes what is stored."""
        raise NotImplementedError

    @property
    def update_hash(self) -> str:
        """As `storage_hash`, with the fields marked `UpdateOnly`."""
        raise NotImplementedError

    @property
    def identifier(self) -> str:
        """The ``unique_identifier`` of the series: the metadata's, else class and hash."""
        raise NotImplementedError

    # -- state

    @property
    def series(self) -> "Series | None":
        """The series, ``None`` before anything was stored."""
        raise NotImplementedError

    @property
    def update_statistics(self) -> UpdateStatistics:
        """How far the series reaches: in `update` as the run found it, elsewhere as it is."""
        raise NotImplementedError

    @property
    def now(self) -> datetime:
        """The time of the run, UTC. Exists only in `update` and what it calls."""
        raise NotImplementedError

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
        """Update the dependencies in their order, each once, then this node, and store what is new."""
        raise NotImplementedError
