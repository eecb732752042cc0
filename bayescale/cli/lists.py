"""lists: the commands that say what there is, and those that make tables of other programs' files.

Laws, data sets, the installation and the demo are told as they are.
"""

from __future__ import annotations

import re
import shlex
from typing import Annotated

from ..messages import quoted
from ..progress import waiting
from . import options, terminal
from . import output as reply
from .panels import argument, data_sets, in_answer, in_question, in_table, law_names

__all__ = ["data", "demo", "info", "laws", "lm_eval", "wandb"]

PICTURE = "bayescale-demo.png"
ROLES = {"params": "-x", "value": "-y", "n": "-n", "chance": "--chance"}
"""Columns of a table of results -> options of `tasks`."""

LawName = Annotated[options.Text, argument("One law, described in full.", "LAW", law_names)]
Values = Annotated[
    options.Texts,
    in_question(
        "What it says there, with the constants that were published; may be repeated.",
        metavar="N=7e10,D=1.4e12",
    ),
]
Constants = Annotated[
    options.Texts,
    in_question("Constants in place of published ones, in their own units.", metavar="E=1.8,A=3"),
]
DataName = Annotated[options.Text, argument("One data set, described in full.", "NAME", data_sets)]
Csv = Annotated[bool, in_answer("Print its rows as CSV.", "--csv")]

Results = Annotated[
    list[str], argument("results_*.json, or folders in which such are.", "FILE|DIR...")
]
Exports = Annotated[list[str], argument("A chart or histories (CSV, JSON lines, ...).", "FILE...")]
TableFile = Annotated[
    options.Text,
    in_answer("Write the table there, else to standard output.", "-o", "--output", metavar="CSV"),
]
Models = Annotated[
    options.Text,
    in_table("What is known of models: columns model, params, tokens, ...", metavar="FILE"),
]
RunModels = Annotated[
    options.Text,
    in_table("What is known of runs: columns run, params, tokens, ...", metavar="FILE"),
]


def lm_eval(
    paths: Results,
    output: TableFile = None,
    models: Models = None,
) -> int:
    """Make a table of results of lm-evaluation-harness: model, task, metric, value, n, chance."""
    with waiting():
        reply.check(output, None, models, *paths)
        from ..reading.lm_eval import SHARES, read_lm_eval

        found = read_lm_eval(paths, models=models)
    metrics = [each for each in SHARES if (found["metric"] == each).any()]
    metric = (metrics or [found["metric"].iloc[0]])[0]
    known = found[found["metric"] == metric].notna().mean()
    roles = "".join(
        f" {flag} {name}" for name, flag in ROLES.items() if known.get(name, flag == "-x")
    )
    gaps = [name for name, share in known.items() if name in ROLES and 0 < share < 1]
    where = " and ".join([f"metric == '{metric}'", *(f"isfinite({name})" for name in gaps)])
    example = f'bayescale tasks {{}} --curve task{roles} --where "{where}"'
    return reply.table(found, output, example)


def wandb(
    paths: Exports,
    output: TableFile = None,
    models: RunModels = None,
) -> int:
    """Make a table of exports of Weights & Biases: charts, run histories, the table of runs."""
    with waiting():
        reply.check(output, None, models, *paths)
        from ..reading.wandb import read_wandb

        found = read_wandb(paths, models=models)
    numbered = [name for name in found if name != "run" and found[name].dtype.kind in "if"]
    axis = _like(numbered, r"^_?step$|global_step$|token|param|flop", "Step")
    metrics = [name for name in numbered if name != axis and not name.startswith("_")]
    shown = _like(metrics, r"loss", "loss")
    tests = []
    if axis in found and found[axis].dtype.kind in "if" and not (found[axis] > 0).all():
        tests.append(f"{quoted(axis)} > 0")
    if shown in found and found[shown].isna().any():
        tests.append(f"isfinite({quoted(shown)})")
    where = f" --where {shlex.quote(' and '.join(tests))}" if tests else ""
    columns = f"-x {shlex.quote(axis)} -y {shlex.quote(shown)} --curve run"
    return reply.table(found, output, f"bayescale fit {{}} --law power {columns}{where}")


def _like(names: list[str], pattern: str, default: str) -> str:
    """Return the first name that is like a pattern, else the first."""
    like = (name for name in names if re.search(pattern, name, re.IGNORECASE))
    return next(like, names[0] if names else default)


def laws(name: LawName = None, at: Values = None, fix: Constants = None) -> None:
    """List the laws: formula, inputs, parameters, source; or what one says at a scale."""
    with waiting():
        from .printed import catalogue

        if at or fix:
            shown = catalogue.values(name, at or (), fix or ())
        else:
            shown = catalogue.law(name) if name else catalogue.laws()
    terminal.show(shown)


def data(name: DataName = None, csv: Csv = False) -> None:
    """List the named data sets, describe one, or print its rows."""
    from .. import datasets
    from .printed import catalogue

    if csv:
        terminal.put(datasets.load(name or "").to_csv(index=False))
    else:
        terminal.show(catalogue.data_set(name) if name else catalogue.data_sets())


def info() -> None:
    """Say versions, devices and where things are kept."""
    with waiting():
        kept = terminal.start_jax()
        from ..datasets.tables import cache_folder
        from .printed import catalogue

        shown = catalogue.info(cache_folder(), kept)
    terminal.show(shown)


def demo(seed: options.Seed = 0) -> None:
    """Forecast a loss, and two-digit addition of GPT-3, from small runs, beside what came."""
    with waiting() as progress:
        terminal.start_jax()
        from . import demo as story
        from .printed import pictures

        reply.check(None, PICTURE)
        told = story.run(seed, progress)
    terminal.show(story.report(told))
    pictures.draw(PICTURE, story.draw, told)
