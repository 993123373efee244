"""The order in which a tree of nodes is updated: what is needed comes first, and each once."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from mainsequence.errors import CyclicDependencyError, ValidationError
from mainsequence.tdag.reading import ReadableNode
from mainsequence.tdag.runnable import RunnableNode

MAX_DEPTH = 200


@dataclass
class Tree:
    """Nodes in the order of their updates, and what each needs.

    Parameters
    ----------
    nodes
        By ``update_hash``, dependencies first.
    needs
        For each ``update_hash`` those of its dependencies that can be updated.
    """

    nodes: dict[str, RunnableNode] = field(default_factory=dict)
    needs: dict[str, tuple[str, ...]] = field(default_factory=dict)


def tree_of(root: RunnableNode, *, whole: bool = True) -> Tree:
    """Find the order of updates that ends with ``root``; only ``root`` itself unless ``whole``.

    Raises
    ------
    CyclicDependencyError
        Nodes that need each other in a circle (or a tree that does not end), by name.
    ValidationError
        ``dependencies()`` gave something that is no node.
    """
    tree = Tree()
    if whole:
        _visit(root, tree, {})
    else:
        tree.nodes[root.update_hash] = root
        tree.needs[root.update_hash] = ()
    return tree


def _visit(node: RunnableNode, tree: Tree, path: dict[str, str]) -> None:
    own = node.update_hash
    if own in tree.nodes:
        return
    if own in path or len(path) >= MAX_DEPTH:
        raise _cycle([*path.values(), node.identifier], own in path)
    below = {**path, own: node.identifier}
    needed = [each for each in checked_dependencies(node).values() if isinstance(each, RunnableNode)]
    for each in needed:
        _visit(each, tree, below)
    tree.nodes[own] = node
    tree.needs[own] = tuple(each.update_hash for each in needed)


def checked_dependencies(node: RunnableNode) -> Mapping[str, ReadableNode]:
    """Give the dependencies of a node, refusing what is none."""
    found = node.dependencies()
    if not isinstance(found, Mapping):
        raise ValidationError(
            f"dependencies() of {node.identifier!r} gave a {type(found).__name__}.",
            hint='It gives nodes by name: {"prices": prices}.',
        )
    for name, each in found.items():
        if not isinstance(each, ReadableNode):
            raise ValidationError(
                f"The dependency {name!r} of {node.identifier!r} is a {type(each).__name__}, no node.",
                hint="For a series that something else fills use APIDataNode(identifier).",
            )
    return found


def _cycle(names: list[str], closed: bool) -> CyclicDependencyError:
    if closed:
        circle = names[names.index(names[-1]) :]
        return CyclicDependencyError(
            f"Nodes need each other in a circle: {' → '.join(circle)}.",
            hint="Take one of these dependencies out.",
            nodes=circle,
        )
    return CyclicDependencyError(
        f"The dependencies of {names[0]!r} go on for more than {MAX_DEPTH} levels: {' → '.join(names[:4])} → ….",
        hint="A node that makes its dependency from its own arguments must come to an end.",
        nodes=names[:10],
    )
