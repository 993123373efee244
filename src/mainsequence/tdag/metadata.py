"""What a node declares about the series that it fills."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from mainsequence.domain.frequency import Frequency
from mainsequence.domain.identifiers import Description, Name, UniqueIdentifier
from mainsequence.domain.series import TIME_INDEX, UNIQUE_IDENTIFIER, ColumnSpec, DType
from mainsequence.domain.values import Value

_ALIASES = {
    "float": DType.FLOAT64,
    "double": DType.FLOAT64,
    "int": DType.INT64,
    "integer": DType.INT64,
    "boolean": DType.BOOL,
    "str": DType.STRING,
    "object": DType.STRING,
    "datetime": DType.TIMESTAMP,
    **{f"datetime64[{unit}, UTC]": DType.TIMESTAMP for unit in ("s", "ms", "us", "ns")},
}


def _dtype(given: Any) -> Any:
    return _ALIASES.get(given, given) if isinstance(given, str) else given


class RecordDefinition(Value):
    """One column of a node's series.

    Parameters
    ----------
    column_name
        Its name. The index columns may be described too; they are declared by the series itself.
    dtype
        ``float64``, ``int64``, ``bool``, ``string``, ``timestamp`` or ``date`` (numpy's and Python's names are read).
    label, description
        For people.
    nullable
        Whether values may be missing.
    """

    column_name: str
    dtype: Annotated[DType, BeforeValidator(_dtype)] = DType.FLOAT64
    label: Name | None = None
    description: Description = ""
    nullable: bool = True

    @property
    def is_index(self) -> bool:
        """Whether it describes an index column."""
        return self.column_name in (TIME_INDEX, UNIQUE_IDENTIFIER)

    def spec(self) -> ColumnSpec:
        """Give the declaration of the column for the series."""
        return ColumnSpec(
            name=self.column_name,
            dtype=self.dtype,
            nullable=self.nullable,
            label=self.label,
            description=self.description,
        )


class DataNodeMetaData(Value):
    """The series that a node fills, for people and programs.

    Parameters
    ----------
    identifier
        The ``unique_identifier`` of the series; by default the node's class and hash.
    description
        What it holds.
    frequency
        Such as ``1d`` or ``5m``; ``None`` when irregular.
    by_asset
        Whether rows belong to assets. ``None``: as the first result shows. Where it is given and the columns are
        declared too, the series exists from the first run on, even before its first row.
    """

    identifier: UniqueIdentifier | None = None
    description: Description = ""
    frequency: Frequency | None = None
    by_asset: bool | None = Field(None)
