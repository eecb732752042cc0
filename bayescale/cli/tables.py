"""tables: the commands that ask a table, and those that say what there is.

`forecast` and `tasks` fit several laws and answer at once; laws, data sets, the installation and
the demo are told as they are.
"""

from __future__ import annotations

from ..progress import waiting
from . import options, terminal
from . import output as reply

__all__ = [
    "backtest",
    "data",
    "demo",
    "forecast",
    "info",
    "laws",
    "lm_eval",
    "multiplier",
    "score",
    "tasks",
    "wandb",
]

PICTURE = "bayescale-demo.png"
ROLES = {"params": "-x", "value": "-y", "n": "-n", "chance": "--chance"}
"""Columns of a table of results -> options of `tasks`."""


def forecast(
    table: options.Table,
    at: options.At,
    x: options.X = None,
    y: options.Y = None,
    n: options.N = None,
    stderr: options.Stderr = None,
    chance: options.Chance = None,
    curve: options.Curve = None,
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
    draws: options.Draws = 500,
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

        reply.check(output, plot)
        chosen = arguments.names(laws)
        columns = dict(curve=curve, best=arguments.names(best), where=where, long=long)
        roles = arguments.Roles(x, y, n, stderr, chance, duplicates=duplicates, **columns)
        data = plans.told(table, roles, chosen)
        sampler = arguments.build_sampler("nuts", chains, draws, warmup, retries=0)
        how = dict(laws=chosen, kind=kind, noise=arguments.noise(noise), sampler=sampler)
        how |= dict(outliers=outliers, seed=seed, precision=precision, progress=progress)
        found = workflow.forecast(data, plans.points(at, data), **how)
    return reply.forecast(found, json, plot, output)


def multiplier(
    table: options.Table,
    x: options.X = None,
    y: options.Y = None,
    group: options.Recipe = None,
    baseline: options.Baseline = None,
    at: options.FactorAt = None,
    common: options.Common = None,
    stderr: options.Stderr = None,
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
) -> int:
    """Say by which factor one recipe needs less compute than another for equal loss."""
    with waiting() as progress:
        terminal.start_jax()
        from . import arguments, plans

        columns = dict(group=group, best=arguments.names(best), where=where, long=long)
        roles = arguments.Roles(x, y, None, stderr, None, duplicates=duplicates, **columns)
        data = plans.told(table, roles, None)
        how = dict(baseline=baseline, at=plans.points(at, data) if at else None)
        how |= dict(sampler=arguments.build_sampler("nuts", chains, draws, warmup, retries=0))
        how |= dict(common=arguments.names(common), seed=seed, precision=precision)
        found = recipes.multiplier(data, progress=progress, **how)
    return reply.multiplier(found, json)


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
        from ..workflows.register import score as scored

        of, label = (given[0] if given else None for given in (y, curve))
        columns = dict(x=x, y=of, curve=label, where=where, source=table)
        found = scored(path, read_table(table), **columns)
    return reply.told(found, json)


def backtest(
    table: options.Table,
    x: options.X = None,
    y: options.Y = None,
    n: options.N = None,
    stderr: options.Stderr = None,
    chance: options.Chance = None,
    curve: options.Curve = None,
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
        columns = dict(curve=curve, best=arguments.names(best), where=where, long=long)
        roles = arguments.Roles(x, y, n, stderr, chance, duplicates=duplicates, **columns)
        data = plans.told(table, roles, chosen)
        how = dict(laws=chosen, kind=kind, noise=arguments.noise(noise), seed=seed)
        how |= dict(outliers=outliers, precision=precision, progress=progress)
        found = workflow.backtest_forecast(data, plans.cuts(cuts), **how)
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
    drift: options.Drift = None,
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
        from ..posterior.drift import DRIFT
        from ..workflows import tasks as workflow
        from . import arguments, plans

        reply.check(None, plot)
        place = reply.folder(output) if output else None
        plan = plans.Tasks(
            laws=arguments.names(laws) or workflow.LAWS,
            prior=arguments.priors(prior or ()),
            level=arguments.level(level),
            horizon=horizon,
            drift=DRIFT if drift is None else drift,
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


def lm_eval(
    paths: options.Results,
    output: options.TableFile = None,
    models: options.Models = None,
) -> int:
    """Make a table of results of lm-evaluation-harness: model, task, metric, value, n, chance."""
    with waiting():
        reply.check(output, None)
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
    paths: options.Exports,
    output: options.TableFile = None,
    models: options.RunModels = None,
) -> int:
    """Make a table of exports of Weights & Biases: charts, run histories, the table of runs."""
    with waiting():
        reply.check(output, None)
        from ..reading.wandb import read_wandb

        found = read_wandb(paths, models=models)
    axis, *metrics = [name for name in found if name != "run"]
    shown = next((each for each in metrics if not each.startswith("_")), "loss")
    example = f"bayescale fit {{}} --law power -x '{axis}' -y '{shown}' --curve run"
    return reply.table(found, output, example)


def laws(
    name: options.LawName = None, at: options.Values = None, fix: options.Constants = None
) -> None:
    """List the laws: formula, inputs, parameters, source; or what one says at a scale."""
    with waiting():
        from . import catalogue

        if at or fix:
            shown = catalogue.values(name, at or (), fix or ())
        else:
            shown = catalogue.law(name) if name else catalogue.laws()
    terminal.show(shown)


def data(name: options.DataName = None, csv: options.Csv = False) -> None:
    """List the named data sets, describe one, or print its rows."""
    from .. import datasets
    from . import catalogue

    if csv:
        terminal.put(datasets.load(name or "").to_csv(index=False))
    else:
        terminal.show(catalogue.data_set(name) if name else catalogue.data_sets())


def info() -> None:
    """Say versions, devices and where things are kept."""
    with waiting():
        kept = terminal.start_jax()
        from ..datasets.tables import cache_folder
        from . import catalogue

        shown = catalogue.info(cache_folder(), kept)
    terminal.show(shown)


def demo(seed: options.Seed = 0) -> None:
    """Forecast a loss, and two-digit addition of GPT-3, from small runs, beside what came."""
    with waiting() as progress:
        terminal.start_jax()
        from . import demo as story
        from . import pictures

        reply.check(None, PICTURE)
        told = story.run(seed, progress)
    terminal.show(story.report(told))
    pictures.draw(PICTURE, story.draw, told)
