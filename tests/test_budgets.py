"""Budgets of the code base: small modules, small functions, no cycles."""

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path
from statistics import median, quantiles

import grimp
import pytest

ROOT = Path(__file__).resolve().parents[1]
MODULES = sorted(path for folder in ("src", "tests", "benchmarks") for path in (ROOT / folder).rglob("*.py"))
SOURCES = [path for path in MODULES if path.is_relative_to(ROOT / "src")]
MODULE_LINES = 500


def _body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from the first statement to the last, the docstring left out."""
    body = function.body[1:] if ast.get_docstring(function, clean=False) else function.body
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0  # type: ignore[operator]


def _function_lengths() -> Iterator[tuple[int, str]]:
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield _body_lines(node), f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_is_longer_than_its_budget(path: Path):
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= MODULE_LINES, f"{lines} lines: look for the noun that wants its own room"


def test_functions_are_short():
    lengths = sorted(_function_lengths(), reverse=True)
    longest = "\n".join(f"{lines:4} {where}" for lines, where in lengths[:15])
    counted = [lines for lines, _ in lengths]
    assert median(counted) < 8, longest
    assert quantiles(counted, n=20)[-1] < 30, longest


def test_no_import_cycles_at_any_depth():
    graph = grimp.build_graph("mainsequence", cache_dir=None)
    TopologicalSorter({module: graph.find_modules_directly_imported_by(module) for module in graph.modules}).prepare()
