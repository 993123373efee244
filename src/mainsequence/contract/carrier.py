"""How operations reach the platform: in this process, or over HTTP."""

from typing import Protocol

from mainsequence.contract.operation import In, Operation, Out


class Carrier(Protocol):
    """Whatever can carry an operation to a platform and its answer back."""

    @property
    def at_once(self) -> int | None:
        """How many objects one answer should hold; ``None``, any number, where answers cross no wire."""
        ...

    def call(self, operation: Operation[In, Out], body: In, /, **path: int | str) -> Out:
        """Carry out one operation; ``path`` fills the names in its path."""
        ...

    def describe(self) -> str:
        """Say where the platform is, for people."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...
