"""The house stands: a package imports only packages of a lower floor; no file is in a circle."""

import ast
import re
from graphlib import TopologicalSorter
from pathlib import Path

import bayescale

ROOT = Path(bayescale.__file__).parent
FLOORS = (
    "messages",
    "data datasets parametric progress",
    "laws noises model reading",
    "misfit",
    "posterior",
    "inference questions",
    "comparison",
    "recipes",
    "planning workflows",
    "plot",
    "cli",
    "__main__",
)
FLOOR = {name: floor for floor, names in enumerate(FLOORS) for name in names.split()}
FILES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in ROOT.rglob("*.py")
}


def imports(path):
    """Files of the package that a file imports anywhere: in functions, under TYPE_CHECKING too."""
    package = ("bayescale", *path.relative_to(ROOT).parts[:-1])
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (
                a.name.partition(".")[2] for a in node.names if a.name.startswith("bayescale")
            )
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            parts = (*base, *(node.module or "").split("."))
            if parts[0] == "bayescale":
                stem = ".".join(part for part in parts[1:] if part)
                names = (f"{stem}.{a.name}".lstrip(".") for a in node.names)
                yield from (name if name in FILES else stem for name in names)


GRAPH = {
    name: {other for other in imports(path) if other} - {name}
    for name, path in FILES.items()
    if not name.endswith("__init__")
}


def test_no_import_goes_up():
    for name, others in GRAPH.items():
        here = name.split(".")[0]
        for there in {other.split(".")[0] for other in others} - {here, "__version__"}:
            assert FLOOR[there] < FLOOR[here], f"{name} imports {there}, not on a lower floor"


def test_no_circles():
    TopologicalSorter(GRAPH).prepare()  # raises CycleError, which names the circle


NAMED_TUPLE = {"_asdict", "_fields", "_replace"}


def test_a_name_with_an_underscore_stays_in_its_file():
    for name, path in FILES.items():
        nodes = [*ast.walk(ast.parse(path.read_text()))]
        attributes = [node for node in nodes if isinstance(node, ast.Attribute)]
        own = {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef)}
        own |= {node.attr for node in attributes if isinstance(node.ctx, ast.Store)}
        used = {a.name for node in nodes if isinstance(node, ast.ImportFrom) for a in node.names}
        used |= {node.attr for node in attributes}
        strangers = {each for each in used - own - NAMED_TUPLE if re.match("_[^_]", each)}
        assert not strangers, f"{name} takes {strangers}: drop the underscore, or move them here"


def test_rooms_are_of_a_size_to_be_known():
    files = [path for path in FILES.values() if path.name != "__init__.py"]
    for room in {path.parent for path in files}:
        assert len([path for path in files if path.parent == room]) <= 15, room
    long = {str(path.relative_to(ROOT)): path.read_text().count("\n") for path in files}
    assert not {name: lines for name, lines in long.items() if lines > 320}
