"""``APIDataNode``: a series that something else fills."""

from typing import TYPE_CHECKING, Self

from mainsequence.errors import NotFoundError
from mainsequence.tdag.stored import StoredNode

if TYPE_CHECKING:
    import pyarrow as pa

    from mainsequence.client.series import Series


class APIDataNode(StoredNode):
    """Reads a series by its identifier; it is never updated by a run.

    Parameters
    ----------
    identifier
        The ``unique_identifier`` of the series. It is looked up when first read.
    """

    def __init__(self, identifier: str) -> None:
        self._identifier = identifier

    @classmethod
    def build_from_identifier(cls, identifier: str) -> Self:
        """Give the node of a series that exists.

        Raises
        ------
        NotFoundError
            There is no such series; the message names near ones.
        """
        node = cls(identifier)
        node._found()
        return node

    @property
    def identifier(self) -> str:
        """The ``unique_identifier`` of the series."""
        return self._identifier

    @property
    def series(self) -> "Series | None":
        """The series, ``None`` where it does not exist."""
        from mainsequence.client.series import Series

        return Series.get_or_none(unique_identifier=self._identifier)

    def as_identity(self) -> dict[str, str]:
        """Count by the identifier of the series."""
        return {"series": self._identifier}

    def _readable(self) -> "Series":
        return self._found()

    def _found(self) -> "Series":
        series = self.series
        if series is None:
            raise _missing(self._identifier)
        return series

    def _nothing(self, columns: tuple[str, ...] | None) -> "pa.Table":
        raise _missing(self._identifier)

    def __repr__(self) -> str:
        return f"APIDataNode({self._identifier!r})"


def _missing(identifier: str) -> NotFoundError:
    from difflib import get_close_matches

    from mainsequence.client.series import Series

    near = get_close_matches(identifier, [each.unique_identifier for each in Series.iter_filter()])
    return NotFoundError(
        f"There is no series {identifier!r}.",
        hint=f"Did you mean {', '.join(near)}?" if near else "msc.Series.filter() lists those that exist.",
    )
