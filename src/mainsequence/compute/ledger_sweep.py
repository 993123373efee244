"""The loop behind `ledger_checks.overlapping`; `ledger_sweep_compiled` is the same one, compiled."""

import numpy as np

from mainsequence.compute.intervals import Bools, Ints


def sweep(asset: Ints, start: Ints, end: Ints, opens: Bools, meets: Bools) -> None:
    """Play rows of a ledger and mark those that meet another one when they are opened.

    Parameters
    ----------
    asset, start, end
        The rows, int64[n], asset by asset; each row comes twice: where it is opened and where it is closed.
    opens
        Which of the two, bool[n].
    meets
        Written: True where a row that is opened overlaps one that is open, bool[n].
    """
    n = len(asset)
    starts = np.empty(n, dtype=np.int64)
    ends = np.empty(n, dtype=np.int64)
    count = 0
    for i in range(n):
        if i == 0 or asset[i] != asset[i - 1]:
            count = 0
        low, high = 0, count
        while low < high:
            middle = (low + high) // 2
            if starts[middle] < start[i]:
                low = middle + 1
            else:
                high = middle
        if opens[i]:
            if (low < count and starts[low] < end[i]) or (low > 0 and ends[low - 1] > start[i]):
                meets[i] = True
            for k in range(count, low, -1):
                starts[k] = starts[k - 1]
                ends[k] = ends[k - 1]
            starts[low] = start[i]
            ends[low] = end[i]
            count += 1
        elif low < count and starts[low] == start[i]:
            count -= 1
            for k in range(low, count):
                starts[k] = starts[k + 1]
                ends[k] = ends[k + 1]
