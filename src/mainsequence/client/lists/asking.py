"""How lists reach the platform."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Asking:
    """Whatever carries out operations: a carrier's ``call``, or that of a universe, which minds its pin."""

    call: Callable[..., Any]
