"""What is wrong with the rows of a list, all of it at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from mainsequence.client.lists.sheets import RowLabel


class Fault(StrEnum):
    """Kinds of findings; the last four are rows that could not be resolved."""

    BLANK_IDENTIFIER = "blank_identifier"
    BLANK_DATE = "blank_date"
    BAD_DATE = "bad_date"
    BAD_WEIGHT = "bad_weight"
    INVERTED = "inverted"
    ZERO_LENGTH = "zero_length"
    OVERLAP = "overlap"
    DUPLICATE = "duplicate"
    EMPTY = "empty"
    UNMATCHED = "unmatched"
    AMBIGUOUS = "ambiguous"
    DELISTED = "delisted"
    RENAMED = "renamed"


UNRESOLVED = (Fault.UNMATCHED, Fault.AMBIGUOUS, Fault.DELISTED, Fault.RENAMED)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with one row.

    Parameters
    ----------
    row
        Where the row stands in its source.
    kind
        What is wrong.
    identifier
        Whom the row is about.
    message
        The particulars.
    """

    row: RowLabel
    kind: Fault
    identifier: str | None
    message: str

    def __str__(self) -> str:
        who = f" {self.identifier}" if self.identifier else ""
        return f"row {self.row}{who}: {self.kind.value.replace('_', ' ')} ({self.message})"


def counted(findings: Sequence[Finding]) -> dict[str, int]:
    """Count findings by kind, in the order of `Fault`."""
    found = {kind: sum(each.kind is kind for each in findings) for kind in Fault}
    return {kind.value: count for kind, count in found.items() if count}
