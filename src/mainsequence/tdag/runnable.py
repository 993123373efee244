"""What a tree of nodes needs to know of a node that can be updated."""

from abc import abstractmethod
from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar

from mainsequence.domain.series import WriteOutcome
from mainsequence.tdag.reading import ReadableNode


class RunnableNode(ReadableNode):
    """A node that fills its series."""

    updatable: ClassVar[bool] = True

    @property
    @abstractmethod
    def update_hash(self) -> str:
        """What tells two updates apart; nodes that share it are updated once in a run."""

    @abstractmethod
    def dependencies(self) -> Mapping[str, ReadableNode]:
        """Give the nodes that must be up to date before this one."""

    @abstractmethod
    def update_once(self, now: datetime, *, force: bool) -> WriteOutcome | None:
        """Update this node alone and store what is new; ``None`` where there was nothing."""
