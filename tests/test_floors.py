"""The house stands: an import points only to a lower floor (DESIGN.md)."""

import ast
from pathlib import Path

import pytest

import bayescale

ROOT = Path(bayescale.__file__).parent
# What is not listed asks questions of a posterior, or shows the answers: it stands above `infer`
# or beside it, and nothing listed may import it.
FLOORS = {
    0: "cells data expression frame parametric priors published remarks table",
    1: "datasets laws noises pooling",
    2: "model",
    3: "batch mixture posterior",
    4: "prediction sample start",
    5: "blocks centring check samplers",
    6: "infer",
}
FLOOR = {name: floor for floor, names in FLOORS.items() for name in names.split()}
CIRCLE_FREE = (0, 1, 3, 5)
"""Floors whose files may use each other."""
FILES = sorted(path for path in ROOT.rglob("*.py") if path != ROOT / "__init__.py")


def home(path):
    """The top-level part of the package that a file belongs to."""
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imports(path):
    """Parts of the package that a file imports when it is loaded, TYPE_CHECKING aside."""
    package = ("bayescale", *path.relative_to(ROOT).parts[:-1])
    pending = list(ast.parse(path.read_text()).body)
    while pending:
        node = pending.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            pending += node.orelse
        elif isinstance(node, ast.Import):
            names = [alias.name.split(".") for alias in node.names]
            yield from (parts[1] for parts in names if parts[0] == "bayescale" and parts[1:])
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            parts = (*base, *(node.module.split(".") if node.module else ()))
            if parts[:1] == ("bayescale",):
                yield from parts[1:2] or [alias.name for alias in node.names]
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            pending += ast.iter_child_nodes(node)


LISTED = [path for path in FILES if home(path) in FLOOR]


@pytest.mark.parametrize("path", LISTED, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_downwards(path):
    here = home(path)
    for name in set(imports(path)) - {here, "__version__"}:
        assert name in FLOOR, f"{here} imports {name}, which stands above it"
        level = FLOOR[name] == FLOOR[here] and FLOOR[name] in CIRCLE_FREE
        assert FLOOR[name] < FLOOR[here] or level, f"{here} imports {name}, not below it"


def test_nothing_is_above_the_command_line():
    assert not [path.name for path in FILES if "cli" in imports(path)]


def test_no_circles():
    graph = {}
    for path in FILES:
        graph.setdefault(home(path), set()).update(set(imports(path)) - {home(path)})
    while graph:
        free = [name for name, uses in graph.items() if not uses & graph.keys()]
        assert free, f"a circle of imports among {', '.join(graph)}"
        for name in free:
            del graph[name]
