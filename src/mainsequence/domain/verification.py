"""What comes of checking that the history of a universe is what was recorded."""

from html import escape

from pydantic import Field

from mainsequence.domain.values import Value


class Finding(Value):
    """Something that cannot be so unless the history was edited behind the platform's back."""

    what: str = Field(
        description="A word for programs: hash, head, gap, feed, rows, order, overlap, count, definition, kind, …"
    )
    revision: int | None = Field(None, description="Where, as far as it can be told")
    message: str


class VerificationReport(Value):
    """What was checked of one universe, and what was found. ``bool(report)`` is ``report.ok``."""

    unique_identifier: str
    category_id: int
    revisions: int = Field(description="How many revisions were checked")
    rows: int = Field(description="How many intervals were checked")
    fingerprint: str = Field(description="The hash of the newest revision, as computed from what is stored")
    findings: list[Finding]

    @property
    def ok(self) -> bool:
        """Whether nothing was found."""
        return not self.findings

    def __bool__(self) -> bool:
        return self.ok

    def __str__(self) -> str:
        checked = f"{self.unique_identifier}: {self.revisions:,} revisions, {self.rows:,} intervals"
        if self.ok:
            return f"{checked}, as recorded; fingerprint {self.fingerprint}"
        return "\n  ".join([f"{checked}, {len(self.findings)} findings", *(each.message for each in self.findings)])

    def __repr__(self) -> str:
        return f"VerificationReport({self})"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{escape(each.what)}</td><td>{each.revision or ''}</td><td>{escape(each.message)}</td></tr>"
            for each in self.findings
        )
        head, *_ = str(self).split("\n")
        return f"<table><caption>{escape(head)}</caption>{rows}</table>"
