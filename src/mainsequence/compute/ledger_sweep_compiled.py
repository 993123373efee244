"""The loop of `ledger_sweep`, compiled."""

from mainsequence.compute.kernels import compiled
from mainsequence.compute.ledger_sweep import sweep as plain

sweep = compiled("i1 i1 i1 b1 b1w")(plain)
"""As `ledger_sweep.sweep`, with the same answer."""
