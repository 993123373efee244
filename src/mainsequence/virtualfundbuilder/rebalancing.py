"""When a portfolio trades: the base of every rebalance strategy (METHODOLOGY section 4)."""

from abc import abstractmethod
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pydantic import Field

from mainsequence.compute.sessions import Grid
from mainsequence.domain.identifiers import Label
from mainsequence.domain.values import Value


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """The stamps of a portfolio among which a strategy chooses.

    Parameters
    ----------
    grid
        The stamps, int64 microseconds UTC, with the date of the session of each (`Grid`).
    previous_session
        Date of the session of the stamp before the first one, microseconds UTC, when a run is resumed; ``None`` when
        the portfolio starts.
    signal_changed
        bool[T]: does a new posting, or a new universe, come into force at this stamp?
    """

    grid: Grid
    previous_session: int | None
    signal_changed: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.grid)


class RebalanceStrategyBase(Value):
    """Decides at which stamps a portfolio trades to its targets. Subclass it for a rule of your own.

    Fields are declared as in any pydantic model; they are part of the portfolio's identity. A strategy must answer from
    stamps up to each one only: a resumed run sees only what is new.

    Parameters
    ----------
    calendar_key
        The calendar whose session closes are the portfolio's stamps, such as ``XNYS``; by default the one that all its
        assets share, and where they share none the run is refused.
    tolerance
        No-trade band: at a rebalance time an asset whose trade would be smaller than this in weight stays as it is.
    """

    calendar_key: Label | None = None
    tolerance: float = Field(0.0, ge=0.0, lt=1.0)

    @abstractmethod
    def rebalance_times(self, moments: Moments) -> npt.NDArray[np.bool_]:
        """Tell for each stamp whether the portfolio trades, bool[T]."""
        raise NotImplementedError

    def get_explanation(self) -> str:
        """Say in a sentence what the strategy does; by default the first line of its docstring."""
        return (type(self).__doc__ or type(self).__name__).strip().splitlines()[0]
