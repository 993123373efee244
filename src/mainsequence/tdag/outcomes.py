"""What a run did, node by node."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from html import escape

from mainsequence.domain.series import WriteOutcome
from mainsequence.errors import NotFoundError


class Status(StrEnum):
    """How it went for one node."""

    WRITTEN = "written"
    UNCHANGED = "unchanged"
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass(frozen=True)
class NodeOutcome:
    """What a run did to one node.

    Parameters
    ----------
    identifier
        The series of the node.
    node
        The name of its class.
    status
        ``written``; ``unchanged`` (nothing new); ``failed``; ``stopped`` (it needs one that failed).
    write
        Counts of rows and the version of the series; ``None`` where nothing was stored.
    seconds
        How long it took.
    reason
        For failed and stopped nodes: why.
    """

    identifier: str
    node: str
    status: Status
    write: WriteOutcome | None = None
    seconds: float = 0.0
    reason: str | None = None

    @property
    def rows_written(self) -> int:
        """Rows inserted and updated."""
        return 0 if self.write is None else self.write.inserted + self.write.updated

    def cells(self) -> tuple[str, ...]:
        """Give the row of a table for people."""
        write = self.write or WriteOutcome(version=0)
        version = "" if self.write is None else str(write.version)
        counts = (str(write.inserted), str(write.updated), str(write.deleted))
        return self.identifier, self.status.value, *counts, version, f"{self.seconds:.2f}", self.reason or ""


_HEADS = ("node", "status", "inserted", "updated", "deleted", "version", "seconds", "reason")


@dataclass(frozen=True)
class RunResult:
    """What a run did: one outcome for each node, in the order of their updates.

    Parameters
    ----------
    now
        The time of the run, UTC.
    outcomes
        One for each node; the node that was run is the last.
    """

    now: datetime
    outcomes: tuple[NodeOutcome, ...]

    @property
    def changed(self) -> bool:
        """Whether any row was written or deleted."""
        return any(each.write is not None and each.write.changed for each in self.outcomes)

    @property
    def rows_written(self) -> int:
        """Rows inserted and updated, all nodes together."""
        return sum(each.rows_written for each in self.outcomes)

    @property
    def succeeded(self) -> bool:
        """Whether no node failed or was stopped."""
        return all(each.status in (Status.WRITTEN, Status.UNCHANGED) for each in self.outcomes)

    def __iter__(self) -> Iterator[NodeOutcome]:
        return iter(self.outcomes)

    def __len__(self) -> int:
        return len(self.outcomes)

    def __getitem__(self, identifier: str) -> NodeOutcome:
        for outcome in self.outcomes:
            if outcome.identifier == identifier:
                return outcome
        names = ", ".join(each.identifier for each in self.outcomes)
        raise NotFoundError(f"The run did not touch {identifier!r}.", hint=f"It updated: {names}.")

    def __repr__(self) -> str:
        rows = [_HEADS, *(each.cells() for each in self.outcomes)]
        widths = [max(len(row[place]) for row in rows) for place in range(len(_HEADS))]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
        return "\n".join([f"Run at {self.now:%Y-%m-%d %H:%M:%S} UTC", *lines])

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{name}</th>" for name in _HEADS)
        body = "".join(
            "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in each.cells()) + "</tr>" for each in self.outcomes
        )
        return f"<table><caption>Run at {self.now:%Y-%m-%d %H:%M:%S} UTC</caption><tr>{head}</tr>{body}</table>"
