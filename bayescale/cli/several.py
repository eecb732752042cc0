"""several: the commands that hold one thing against another.

Several laws of one table, several conditions of a fit, a registered forecast against later runs.
"""

from __future__ import annotations

from typing import Any

from ..progress import waiting
from . import options, terminal
from . import output as reply

__all__ = ["compare_laws", "conditions", "explain", "relate", "score"]


def compare_laws(
    paths: options.LawFits,
    prior: options.Belief = None,
    refits: options.Refits = 5,
    seed: options.Seed = 0,
    json: options.Json = False,
    plot: options.Plot = None,
) -> int:
    """Say which law foretells the runs best, and how probable each is."""
    with waiting():
        terminal.start_jax()
        from ..comparison.compare import compare_laws as compared
        from . import arguments, saved

        if len(paths) < 2:
            raise ValueError(f"{paths[0]}: is one fit; give fits of one table under several laws")
        belief = arguments.numbers(prior, "--prior") if prior else None
        how = dict(prior=belief, refits=refits, seed=seed)
        which = reply.load(paths, plot)
        whole = saved.Saved(which.fits)
        found = saved.ask(whole, lambda one: {"laws": compared(saved.parts(one), **how)})
    if json:
        terminal.tell(*_notes(found))
    return reply.answers(whole, found, json, plot)


def explain(paths: options.LawFits, seed: options.Seed = 0, json: options.Json = False) -> int:
    """Say which explanation of a rise the data favour, or that they cannot tell."""
    with waiting():
        which = reply.load(paths)
        from ..comparison.explain import explain as explained
        from . import saved

        whole = saved.Saved(which.fits)
        how = dict(seed=seed)
        found = saved.ask(whole, lambda one: {"explanation": explained(saved.parts(one), **how)})
    return reply.answers(whole, found, json)


def relate(
    path: options.FitFile,
    seed: options.Seed = 0,
    allow_failed: options.AllowFailed = False,
    json: options.Json = False,
) -> int:
    """Say how much of a task the loss explains, and how often the lower loss is worse at it."""
    with waiting():
        which = reply.load([path])
        from ..posterior.health import FailedFit
        from ..questions.relate import relate as related
        from . import saved

        whole, found = saved.Saved(which.fits), {}
        try:  # all curves at once: groups are those of the whole table
            answer: Any = related(whole.only, seed=seed, allow_failed=allow_failed)
        except FailedFit as refusal:
            found = {name: refusal for name, _ in whole}
        else:
            by_curve = answer if isinstance(answer, dict) else {None: answer}
            found = {name: {"relation": each} for name, each in by_curve.items()}
    return reply.answers(whole, found, json)


def conditions(
    paths: options.FitFiles,
    level: options.Level = None,
    reference: options.Reference = None,
    cut: options.Cut = None,
    lo: options.Lowest = None,
    hi: options.Highest = None,
    by: options.Along = None,
    at: options.Follow = None,
    direction: options.Direction = None,
    weights: options.Weights = None,
    seed: options.Seed = 0,
    allow_failed: options.AllowFailed = False,
    json: options.Json = False,
) -> int:
    """Say what becomes of a task under other conditions, the groups of a fit with --group."""
    with waiting():
        terminal.start_jax()
        from ..questions.conditions import conditions as under
        from . import arguments, saved

        rules = arguments.rules([at], "--at") if at else None
        how = dict(level=arguments.level(level), cut=cut, lo=lo, hi=hi, reference=reference)
        how |= dict(by=by, at=rules, direction=direction, seed=seed, allow_failed=allow_failed)
        which = reply.load(paths, None, weights)
        whole = saved.Saved(which.fits, which.weights)
        found = saved.ask(whole, lambda one: {"conditions": under(one, **how)})
    return reply.answers(whole, found, json)


def _notes(found: dict[str | None, Any]) -> list[str]:
    """Return the notes of what has no place for them in its document."""
    answers = [each for of in found.values() if isinstance(of, dict) for each in of.values()]
    return list(dict.fromkeys(f"note: {note}" for each in answers for note in each.notes))


def score(
    path: options.RegisteredFile,
    table: options.Table,
    x: options.X = None,
    y: options.Y = None,
    curve: options.Curve = None,
    where: options.Where = None,
    json: options.Json = False,
) -> int:
    """Say how a registered forecast came out, from a table of the runs made since."""
    with waiting():
        terminal.start_jax()
        from ..reading.read_table import read_table
        from ..workflows.register import registered
        from ..workflows.register import score as scored

        registered(path)
        of, label = (given[0] if given else None for given in (y, curve))
        columns = dict(x=x, y=of, curve=label, where=where, source=table)
        found = scored(path, read_table(table), **columns)
    return reply.told(found, json)
