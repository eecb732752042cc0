"""tables: the commands that ask a table: they fit several laws and answer at once."""

from __future__ import annotations

from inspect import Parameter, Signature, signature
from typing import Any

from ..progress import waiting
from . import decisions, options, terminal
from . import output as reply

__all__ = [
    "backtest",
    "forecast",
    "isoflop",
    "metric_or_model",
    "multiplier",
    "register",
    "tasks",
]


def forecast(
    table: options.Runs,
    at: options.At,
    x: options.X = None,
    y: options.Y = None,
    n: options.N = None,
    stderr: options.Stderr = None,
    chance: options.Chance = None,
    limit: options.Limit = None,
    curve: options.Curve = None,
    run: options.Run = None,
    best: options.Best = None,
    where: options.Where = None,
    long: options.Long = None,
    duplicates: options.Duplicates = "error",
    laws: options.Laws = None,
    kind: options.ResponseKind = None,
    outliers: options.Outliers = False,
    noise: options.Noise = None,
    seed: options.Seed = 0,
    chains: options.Chains = 4,
    draws: options.Draws = 1000,
    warmup: options.Warmup = 500,
    precision: options.Precision = "float64",
    output: options.Registered = None,
    json: options.Json = False,
    plot: options.Plot = None,
) -> int:
    """Forecast larger runs from a table: no law to choose, the misfit of laws in the width."""
    with waiting() as progress:
        terminal.start_jax()
        from ..workflows import forecast as workflow
        from . import arguments, plans

        reply.check_registered(output, plot, table)
        chosen = arguments.names(laws)
        columns = dict(curve=curve, run=run, best=arguments.names(best), where=where, long=long)
        roles = arguments.Roles(x, y, n, stderr, chance, limit, duplicates=duplicates, **columns)
        plans.written(at, "--at")
        plans.check_kind(kind)
        sampler = arguments.build_sampler("nuts", chains, draws, warmup, enough=True)
        how = dict(laws=chosen, kind=kind, noise=arguments.noise(noise), sampler=sampler)
        data = plans.told_of_runs(table, roles, chosen)
        plans.check_picture(plot, data.inputs)
        how |= dict(outliers=outliers, seed=seed, precision=precision, progress=progress)
        found = workflow.forecast(data, plans.points(at, data), **how)
    return reply.forecast(found, json, plot, output)


def register(**given: Any) -> int:
    """Forecast larger runs and write it down before they are made, for `score`."""
    return forecast(**given)


# It takes what `forecast` takes, and must be told a file: so the command line reads it.
_taken = dict(signature(forecast, eval_str=True).parameters)
_file = _taken.pop("output").replace(kind=Parameter.KEYWORD_ONLY, default=Parameter.empty)
register.__signature__ = Signature([*_taken.values(), _file])  # pyright: ignore


def multiplier(
    table: options.Table,
    x: options.X = None,
    y: options.Y = None,
    group: decisions.Recipe = None,
    pair: decisions.Pair = None,
    baseline: decisions.Baseline = None,
    at: decisions.FactorAt = None,
    common: decisions.Common = None,
    candidates: decisions.Possible = None,
    target: decisions.FactorTargets = None,
    cost: decisions.RunCost = None,
    budget: decisions.RunBudget = None,
    most: decisions.Most = None,
    level: decisions.FactorLevel = None,
    kind: options.ResponseKind = None,
    n: options.N = None,
    stderr: options.Stderr = None,
    chance: options.Chance = None,
    best: options.Best = None,
    where: options.Where = None,
    long: options.Long = None,
    duplicates: options.Duplicates = "error",
    seed: options.Seed = 0,
    chains: options.Chains = 4,
    draws: options.Draws = 1000,
    warmup: options.Warmup = 500,
    precision: options.Precision = "float64",
    json: options.Json = False,
    plot: options.Plot = None,
) -> int:
    """Say by which factor one recipe needs less compute than another for equal loss or accuracy."""
    with waiting() as progress:
        terminal.start_jax()
        reply.check(None, plot)
        from ..recipes import multiplier as recipes
        from ..recipes.rows import check_alone
        from . import arguments, plans

        columns = dict(group=group, run=pair, best=arguments.names(best), where=where, long=long)
        roles = arguments.Roles(x, y, n, stderr, chance, duplicates=duplicates, **columns)
        plans.written(at, "--at")
        plans.check_kind(kind)
        how = dict(level=plans.listed(level, "--level", ".5,.7"), kind=kind, baseline=baseline)
        how |= dict(sampler=arguments.build_sampler("nuts", chains, draws, warmup, retries=0))
        how |= dict(common=arguments.names(common), seed=seed, precision=precision)
        asked = dict(cost=cost, budget=budget, most=most, target=target, seed=seed)
        plans.check_possible(candidates, asked)
        check_alone(x or (), table)
        data = plans.told(table, roles, None)
        how |= dict(at=plans.points(at, data) if at else None)
        possible = plans.possible(candidates, data, how, asked)
        found = recipes.multiplier(data, progress=progress, **how)
        plan = None if possible is None else possible(found)
    return reply.multiplier(found, plan, json, plot)


def backtest(
    table: options.Runs,
    x: options.X = None,
    y: options.Y = None,
    n: options.N = None,
    stderr: options.Stderr = None,
    chance: options.Chance = None,
    limit: options.Limit = None,
    curve: options.Curve = None,
    run: options.Run = None,
    best: options.Best = None,
    where: options.Where = None,
    long: options.Long = None,
    duplicates: options.Duplicates = "error",
    cuts: options.Cuts = None,
    laws: options.Laws = None,
    kind: options.ResponseKind = None,
    outliers: options.Outliers = False,
    noise: options.Noise = None,
    seed: options.Seed = 0,
    precision: options.Precision = "float64",
    json: options.Json = False,
) -> int:
    """Say how forecasts from a table's smaller scales fare on its larger ones."""
    with waiting() as progress:
        terminal.start_jax()
        from ..workflows import futures as workflow
        from . import arguments, plans

        chosen = arguments.names(laws)
        columns = dict(curve=curve, run=run, best=arguments.names(best), where=where, long=long)
        roles = arguments.Roles(x, y, n, stderr, chance, limit, duplicates=duplicates, **columns)
        plans.check_kind(kind)
        how = dict(laws=chosen, kind=kind, noise=arguments.noise(noise), seed=seed)
        how |= dict(outliers=outliers, precision=precision, progress=progress)
        shares = workflow.checked_cuts(plans.listed(cuts, "--cuts", ".5,.1"))
        data = plans.told_of_runs(table, roles, chosen)
        found = workflow.backtest_forecast(data, shares, **how)
    return reply.told(found, json)


def tasks(
    table: options.Table,
    curve: options.Task = None,
    x: options.X = None,
    y: options.Y = None,
    n: options.N = None,
    stderr: options.Stderr = None,
    chance: options.Chance = None,
    limit: options.Limit = None,
    group: options.Group = None,
    where: options.Where = None,
    long: options.Long = None,
    duplicates: options.Duplicates = "error",
    laws: options.Laws = None,
    level: options.Level = None,
    horizon: options.Horizon = None,
    misfit: options.Misfit = None,
    backtest: options.Backtest = None,
    noise: options.Noise = None,
    pool: options.Pool = None,
    prior: options.Prior = None,
    seed: options.Seed = 0,
    chains: options.Chains = 4,
    draws: options.Draws = 1000,
    warmup: options.Warmup = 500,
    precision: options.Precision = "float64",
    output: options.Folder = None,
    json: options.TasksJson = False,
    plot: options.Plot = None,
) -> int:
    """Say of each task which kind it is, what explains it, and when it unlocks."""
    with waiting() as progress:
        terminal.start_jax()
        from ..posterior.bends import MISFIT
        from ..workflows.default_laws import ACCURACIES
        from . import arguments, plans

        reply.check(None, plot)
        place = reply.folder(output, table) if output else None
        plan = plans.Tasks(
            laws=arguments.names(laws) or ACCURACIES,
            prior=arguments.priors(prior or ()),
            level=arguments.level(level),
            horizon=horizon,
            misfit=MISFIT if misfit is None else misfit,
            backtest=backtest,
            noise=arguments.noise(noise),
            pool=arguments.names(pool),
            sampler=arguments.build_sampler("nuts", chains, draws, warmup, target_accept=0.9),
            seed=seed,
            precision=precision,
        )
        columns = dict(curve=curve, group=group, where=where, long=long, duplicates=duplicates)
        roles = arguments.Roles(x, y, n, stderr, chance, limit, **columns)
        data = arguments.build_data(table, roles, plan.formulas[0])
        terminal.tell(*arguments.echo(data))
        with reply.resumable(place):
            found = plan(data, progress, place and place / "fits")
    return reply.tasks(found, data, plan, output, json, plot)


def metric_or_model(
    table: options.Table,
    x: options.X = None,
    y: options.Y = None,
    n: options.N = None,
    stderr: options.Stderr = None,
    chance: options.Chance = None,
    curve: options.Curve = None,
    where: options.Where = None,
    long: options.Long = None,
    duplicates: options.Duplicates = "error",
    prior: options.Belief = None,
    noise: options.Noise = None,
    seed: options.Seed = 0,
    chains: options.Chains = 4,
    draws: options.Draws = 1000,
    warmup: options.Warmup = 1000,
    json: options.Json = False,
) -> int:
    """Say whether a jump of accuracy is in the metric or in the model, by a smooth score beside it.

    The score is the response loss, less being better: -y accuracy=COL -y loss=COL.
    """
    with waiting():
        terminal.start_jax()
        from ..laws import get_law
        from ..workflows.metric_or_model import metric_or_model as judged
        from . import arguments

        belief = arguments.numbers(prior, "--prior") if prior else None
        sampler = arguments.build_sampler("nuts", chains, draws, warmup)
        columns = dict(curve=curve, where=where, long=long, duplicates=duplicates)
        roles = arguments.Roles(x, y, n, stderr, chance, **columns)
        how = dict(prior=belief, noise=arguments.noise(noise), sampler=sampler, seed=seed)
        data = arguments.build_data(table, roles, get_law("two_stage"))
        terminal.tell(*arguments.echo(data))
        found = judged(data, **how)
    return reply.of_curves(found, json)


def isoflop(
    table: options.Table,
    x: options.X = None,
    y: options.Y = None,
    curve: options.Curve = None,
    best: options.Best = None,
    where: options.Where = None,
    long: options.Long = None,
    duplicates: options.Duplicates = "error",
    budgets: options.Budgets = None,
    count: options.Count = "given",
    vocab: options.Vocab = None,
    law: options.SurfaceLaw = "chinchilla",
    seed: options.Seed = 0,
    chains: options.Chains = 4,
    draws: options.Draws = 500,
    warmup: options.Warmup = 500,
    json: options.Json = False,
) -> int:
    """Say how the best size grows with compute: the optimum of each budget, and their line.

    Runs of about one compute, 6 N D, make a budget; beside it what a law of N and D says.
    """
    with waiting() as progress:
        terminal.start_jax()
        from ..laws import get_law
        from ..planning import isoflop as planning
        from . import arguments, plans

        columns = dict(curve=curve, best=arguments.names(best), where=where, long=long)
        roles = arguments.Roles(x, y, duplicates=duplicates, **columns)
        sampler = arguments.build_sampler("nuts", chains, draws, warmup)
        how = dict(budgets=plans.listed(budgets, "--budgets", "6e18,1e19"), vocab=vocab)
        how |= dict(law=None if law == "none" else get_law(law), count=count, sampler=sampler)
        more = planning.further(count, vocab)
        data = arguments.build_data(table, roles, get_law("chinchilla"), more)
        terminal.tell(*arguments.echo(data))
        found = planning.isoflop(data, **how, seed=seed, progress=progress)
    return reply.of_curves(found, json)
