"""When and how numeric loops are compiled: on disk where a cache can be kept, and not at all for small jobs.

Every compiled loop has a twin in plain NumPy that does the same operations in the same order. Which one runs is a
question of speed only: the bits are the same, and tests hold us to that.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

SMALL_JOB = 400_000
"""Cells up to which plain NumPy is quicker than importing numba and loading a kernel."""

_OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy"}


def worth_compiling(cells: int, module: str, jit: bool | None = None) -> bool:
    """Choose the compiled path: when asked for, when its module is loaded already, or when the job is large."""
    if jit is not None:
        return jit
    return cells > SMALL_JOB or module in sys.modules


def compiled(signature: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Compile a loop for one signature when its module is imported, cached on disk where that is possible.

    Parameters
    ----------
    signature
        One word per argument: a letter for the type (``f`` float64, ``i`` int64, ``k`` int32, ``b`` bool), the number
        of dimensions (``0`` for a scalar), and ``w`` where the loop writes. Arrays are C-contiguous.
    """

    def compile_it(loop: Callable[P, R]) -> Callable[P, R]:
        import numba

        arguments = tuple(_argument(word) for word in signature.split())
        try:
            made: Callable[P, R] = numba.njit(arguments, cache=True, **_OPTIONS)(loop)
        except (OSError, RuntimeError):  # nowhere to write: a read-only or full disk
            made = numba.njit(arguments, **_OPTIONS)(loop)
        return made

    return compile_it


def inlined(part: Callable[P, R]) -> Callable[P, R]:
    """Compile a part of a loop, for use by compiled loops of the same module."""
    import numba

    made: Callable[P, R] = numba.njit(**_OPTIONS)(part)
    return made


def _argument(word: str) -> Any:
    from numba import types

    scalar = {"f": types.float64, "i": types.int64, "k": types.int32, "b": types.boolean}[word[0]]
    dimensions = int(word[1])
    return types.Array(scalar, dimensions, "C", readonly=not word.endswith("w")) if dimensions else scalar
