"""How the site is built: `make docs`."""

import json
import os
import shutil
from importlib import metadata
from pathlib import Path

HERE = Path(__file__).parent
os.environ.setdefault("JAX_PLATFORMS", "cpu")
# Each program of a notebook runs once here: compiling it costs more than running it slowly.
FLAGS = "--xla_backend_optimization_level=1"
os.environ.setdefault("XLA_FLAGS", FLAGS)
os.environ.setdefault("BAYESCALE_NOTEBOOK_DRAWS", "100")

project = "bayescale"
author = "The bayescale developers"
copyright = author
release = metadata.version("bayescale")

extensions = ["myst_nb", "sphinx.ext.autodoc", "numpydoc", "sphinx_copybutton"]
exclude_patterns = ["_build"]
default_role = "literal"  # docstrings write `names` so
maximum_signature_line_length = 80
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # docstrings say what arguments are; the annotations are in the source
numpydoc_show_class_members = False
myst_enable_extensions = ["dollarmath", "colon_fence"]
myst_heading_anchors = 3
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

html_theme = "pydata_sphinx_theme"
html_title = "bayescale"
html_theme_options = {"show_prev_next": False, "secondary_sidebar_items": ["page-toc"]}
PAGES = ("index", "choose", "forecasts", "own_law", "json", "contributing")
html_sidebars = {page: [] for page in PAGES}
html_show_sourcelink = False

# ------------------------------------------------------------------ notebooks

nb_execution_mode = "cache"
nb_execution_timeout = 900
nb_execution_show_tb = True  # a warning, and so an error
nb_execution_excludepatterns = []

NEEDS = dict.fromkeys(("01_chinchilla", "06_which_run_next"), "raw/svg_extracted_data.csv")
"""A table that a notebook would download, by the notebook's name."""
MISSING = (
    "*This page was built where its table of runs was not at hand, so its outputs are left out: "
    "run the notebook to see them.*"
)


def tutorials() -> None:
    """Copy the notebooks to where Sphinx finds them; those without their table are not executed."""
    target = HERE / "tutorials"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    data = os.environ.get("BAYESCALE_DATA", "")
    for path in sorted((HERE.parent / "notebooks").glob("*.ipynb")):
        notebook = json.loads(path.read_text())
        needed = NEEDS.get(path.stem)
        if needed and not (data and (Path(data) / needed).is_file()):
            nb_execution_excludepatterns.append(f"tutorials/{path.name}")
            cell = {"cell_type": "markdown", "id": "missing", "metadata": {}, "source": MISSING}
            notebook["cells"].insert(1, cell)
        (target / path.name).write_text(json.dumps(notebook))


tutorials()

# ------------------------------------------------------------------ laws and noises


def of_the_formula(app, what, name, obj, options, lines) -> None:
    """Show a law or a noise by the docstring of its formula, and say its parameters.

    A package's own docstring, a table of its files in Markdown, stays in the source.
    """
    from bayescale.parametric.parametric import Parametric

    if what == "module":
        lines.clear()
    if isinstance(obj, Parametric):
        lines[:] = [*obj.doc.splitlines(), "", f"Of {', '.join(obj.inputs)}."]
        if obj.parameters:
            lines[-1] += f" Parameters: {', '.join(obj.parameters)}."


def setup(app) -> None:
    """Register the above, before numpydoc reads the docstrings."""
    app.connect("autodoc-process-docstring", of_the_formula, priority=1)
