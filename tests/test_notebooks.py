"""Notebooks are code: committed without outputs, and executed here with few draws.

All but the long ones run always, those when studies are asked for or the site is built; what they
call of the package, and with which arguments, is checked without running them.
"""

import ast
import inspect
import json
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))
DRAWS = "100"  # as few as NUTS warms up with
SECONDS_A_CELL = 600  # most is compiling, slow where others use the cores too
LONG = ("01_chinchilla", "02_emergence", "03_u_shape")
TABLES = dict.fromkeys(("01_chinchilla", "06_which_run_next"), "svg_extracted_data.csv")
"""What a notebook would download, by its name."""


@pytest.fixture
def kernel(tmp_path, monkeypatch):
    """A kernel `python3` of the running interpreter, whatever else is registered."""
    spec = {
        "argv": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        "display_name": "Python 3",
        "language": "python",
    }
    folder = tmp_path / "kernels" / "python3"
    folder.mkdir(parents=True)
    (folder / "kernel.json").write_text(json.dumps(spec))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    return "python3"


def test_there_are_notebooks():
    assert NOTEBOOKS


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_committed_without_outputs(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert not cell.outputs
            assert cell.execution_count is None


def code_of(path):
    """The cells' code, without magic commands."""
    cells = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    lines = "\n".join(cell.source for cell in cells).splitlines()
    return ast.parse("\n".join(line for line in lines if not line.startswith("%")))


def named(node, known):
    """What a name with dots stands for; None where it is no name of a module's."""
    if isinstance(node, ast.Attribute):
        home = named(node.value, known)
        return getattr(home, node.attr) if inspect.ismodule(home) else None
    return known.get(node.id) if isinstance(node, ast.Name) else None


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_what_it_calls_is_there_and_takes_its_arguments(path):
    code, known, bound = code_of(path), {}, 0
    for node in ast.walk(code):
        if isinstance(node, ast.Import | ast.ImportFrom):
            exec(compile(ast.Module([node], []), path.name, "exec"), known)
    for node in ast.walk(code):
        if isinstance(node, ast.Attribute):
            named(node, known)
        if not isinstance(node, ast.Call):
            continue
        called, words = named(node.func, known), [word.arg for word in node.keywords]
        ours = getattr(called, "__module__", "").startswith("bayescale")
        if ours and None not in words and ast.Starred not in map(type, node.args):
            inspect.signature(called).bind(*node.args, **dict.fromkeys(words))
            bound += 1
    assert bound > 5


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, marks=[pytest.mark.study] if path.stem in LONG else [])
        for path in NOTEBOOKS
    ],
    ids=lambda path: path.stem,
)
def test_runs(path, kernel, request, monkeypatch, tmp_path):
    if needed := TABLES.get(path.stem):
        data_dir = request.getfixturevalue("data_dir")
        if not (data_dir / "raw" / needed).is_file():
            pytest.skip(f"{data_dir} has no raw/{needed}: the notebook would download it")
    monkeypatch.setenv("BAYESCALE_NOTEBOOK_DRAWS", DRAWS)
    monkeypatch.delenv("MPLBACKEND", raising=False)  # a notebook draws inline
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=SECONDS_A_CELL,
        kernel_name=kernel,
        resources={"metadata": {"path": str(tmp_path)}},
    )
    client.execute()
    outputs = [out for cell in notebook.cells for out in cell.get("outputs", [])]
    assert not [out.text for out in outputs if out.get("name") == "stderr"]
    drawn = sum("image/png" in out.get("data", {}) for out in outputs)
    asked = sum(cell.source.rstrip().endswith(");") for cell in notebook.cells)
    assert drawn == asked
