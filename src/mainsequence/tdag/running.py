"""Running a tree of nodes: each once, in order; what fails stops what needs it, and nothing else."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from time import perf_counter

from mainsequence.tdag.outcomes import NodeOutcome, RunResult, Status
from mainsequence.tdag.progress import Display, display
from mainsequence.tdag.runnable import RunnableNode
from mainsequence.tdag.tree import Tree


@dataclass
class Run:
    """One run of a tree.

    Parameters
    ----------
    tree
        What to update, in order.
    now
        The time of the run, UTC.
    force
        Whether nodes begin anew.
    """

    tree: Tree
    now: datetime
    force: bool
    outcomes: dict[str, NodeOutcome] = field(default_factory=dict)
    errors: list[Exception] = field(default_factory=list)

    def carry_out(self, show_progress: bool | None) -> RunResult:
        """Update every node whose dependencies succeeded; errors are kept in `errors`."""
        nodes = self.tree.nodes
        with display([node.identifier for node in nodes.values()], show_progress) as shown:
            for key, node in nodes.items():
                self.outcomes[key] = self._one(key, node, shown)
        return RunResult(self.now, tuple(self.outcomes.values()))

    def error(self) -> Exception | None:
        """Give the first error, with notes that name its node, what was stopped and what was kept."""
        if not self.errors:
            return None
        for note in self._notes():
            self.errors[0].add_note(note)
        return self.errors[0]

    def _one(self, key: str, node: RunnableNode, shown: Display) -> NodeOutcome:
        name, kind = node.identifier, type(node).__name__
        missing = [each for each in self.tree.needs[key] if self._broken(each)]
        if missing:
            reason = f"needs {', '.join(repr(self.tree.nodes[each].identifier) for each in missing)}"
            outcome = NodeOutcome(name, kind, Status.STOPPED, reason=reason)
        else:
            shown.begin(name)
            outcome = self._updated(node, name, kind, perf_counter())
        shown.end(_line(outcome))
        return outcome

    def _updated(self, node: RunnableNode, name: str, kind: str, started: float) -> NodeOutcome:
        try:
            write = node.update_once(self.now, force=self.force)
        except Exception as error:  # noqa: BLE001 - whatever a user's update() raises; raised again when the run ends
            self.errors.append(error)
            reason = f"{type(error).__name__}: {error}"
            return NodeOutcome(name, kind, Status.FAILED, seconds=perf_counter() - started, reason=reason)
        status = Status.WRITTEN if write is not None and write.changed else Status.UNCHANGED
        return NodeOutcome(name, kind, status, write, perf_counter() - started)

    def _broken(self, key: str) -> bool:
        return self.outcomes[key].status in (Status.FAILED, Status.STOPPED)

    def _notes(self) -> Iterator[str]:
        found = {status: [each for each in self.outcomes.values() if each.status is status] for status in Status}
        failed, *others = found[Status.FAILED]
        yield f"Raised while updating {failed.node} {failed.identifier!r}."
        yield from (f"Failed too: {each.node} {each.identifier!r}, {each.reason}" for each in others)
        yield from (
            f"Not updated: {each.node} {each.identifier!r}, it {each.reason}." for each in found[Status.STOPPED]
        )
        kept = [repr(each.identifier) for each in (*found[Status.WRITTEN], *found[Status.UNCHANGED])]
        if kept:
            yield f"Up to date: {', '.join(kept)}."


def _line(outcome: NodeOutcome) -> str:
    if outcome.status is Status.WRITTEN and outcome.write is not None:
        write = outcome.write
        counts = f"+{write.inserted} ~{write.updated} -{write.deleted} rows"
    else:
        counts = outcome.status.value
    return f"  {outcome.identifier}  {counts}  {outcome.seconds:.2f} s"
