"""What reads a universe, and what it tells of itself, so that a plan can say what a change means to it."""

from typing import Literal

from pydantic import Field

from mainsequence.domain.times import Instant
from mainsequence.domain.values import Value

ReaderRole = Literal["portfolio", "prices", "signal", "node", "universe"]


class ReaderAbout(Value):
    """What a reader tells of itself when it is built; what it does not know is left out."""

    role: ReaderRole = "node"
    names: tuple[str, ...] = Field((), description="How it names the universe: name, or name@12 where it is pinned")
    translation_table: str | None = Field(None, description="The table that routes its prices")
    start_date: Instant | None = Field(None, description="Nothing before matters to it")
    end_date: Instant | None = Field(None, description="Nothing from here on matters to it")
    signal: str | None = Field(None, description="The class of its signal")
    signal_series: str | None = Field(None, description="Where the signal's postings are stored")
    signal_is_stored: bool = Field(False, description="Whether it follows stored postings, not the universe itself")
    rebalances: str | None = Field(None, description="How often it trades, where its strategy says so")
    prices_series: str | None = None
    values_series: str | None = None
    weights_series: str | None = None

    def joined(self, later: "ReaderAbout") -> "ReaderAbout":
        """Give what is known after the reader spoke again: it may name the universe in several ways."""
        names = tuple(sorted({*self.names, *later.names}))
        return later.model_copy(update={"names": names})

    @property
    def pins(self) -> tuple[str, ...]:
        """The pinned names, where it names the universe in no other way: such a reader sees no change."""
        return self.names if self.names and all("@" in name for name in self.names) else ()
