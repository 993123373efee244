"""What a run shows while it works: a progress display on a terminal or in a notebook, nothing elsewhere."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from rich.console import Console

_shown: ContextVar[bool] = ContextVar("mainsequence_progress", default=False)


class Display(Protocol):
    """Is told how a run goes."""

    def begin(self, name: str) -> None:
        """Note that a node's update begins."""
        ...

    def end(self, line: str) -> None:
        """Note that it has ended, and how."""
        ...


class Quiet:
    """Shows nothing."""

    def begin(self, name: str) -> None:
        """Show nothing."""

    def end(self, line: str) -> None:
        """Show nothing."""


class _Bar:
    def __init__(self, console: "Console", total: int) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        self.progress = Progress(*columns, TimeElapsedColumn(), console=console, transient=True)
        self._task = self.progress.add_task("", total=total)

    def begin(self, name: str) -> None:
        self.progress.update(self._task, description=_plain(name))

    def end(self, line: str) -> None:
        self.progress.console.print(line, markup=False, highlight=False)
        self.progress.advance(self._task)


@contextmanager
def display(names: Sequence[str], show: bool | None) -> Iterator[Display]:
    """Open the display of a run.

    Parameters
    ----------
    names
        The nodes that will be updated.
    show
        ``True`` and ``False`` decide; ``None`` shows it where standard error is a terminal, or in a notebook. A run
        within another's update shows nothing.
    """
    console = None if show is False or _shown.get() else _console()
    if console is None or not (show or console.is_terminal or console.is_jupyter):
        yield Quiet()
        return
    bar, token = _Bar(console, len(names)), _shown.set(True)
    try:
        with bar.progress:
            yield bar
    finally:
        _shown.reset(token)


def _console() -> "Console":
    from rich.console import Console

    return Console(stderr=True)


def _plain(name: str) -> str:
    return name.replace("[", r"\[")
