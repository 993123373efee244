"""Rebalance strategies that come with the package."""

from typing import Literal

import numpy as np
import numpy.typing as npt

from mainsequence.compute.schedules import rebalance_times
from mainsequence.virtualfundbuilder.rebalancing import Moments, RebalanceStrategyBase


class ImmediateSignal(RebalanceStrategyBase):
    """Trade to the targets at once, at every rebalance time.

    Parameters
    ----------
    rebalance_frequency
        ``every_stamp``; ``on_signal``: where a new posting or a new universe comes into force; ``weekly``, ``monthly``,
        ``quarterly``: at the first session of a new ISO week, month or quarter. The first stamp always trades.
    calendar_key, tolerance
        As `RebalanceStrategyBase`.
    """

    rebalance_frequency: Literal["every_stamp", "on_signal", "weekly", "monthly", "quarterly"] = "every_stamp"

    def rebalance_times(self, moments: Moments) -> npt.NDArray[np.bool_]:
        """Tell for each stamp whether the portfolio trades, bool[T]."""
        return rebalance_times(
            moments.grid,
            self.rebalance_frequency,
            previous_session=moments.previous_session,
            signal_changed=moments.signal_changed,
        )
