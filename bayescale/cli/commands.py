"""bayescale on the command line.

Answers go to standard output, all else to standard error. Exit status: 0 sound, 1 the fit is not
to be trusted, 2 the input or the call is wrong, 130 interrupted.
"""

from __future__ import annotations

from ..progress import waiting
from . import decisions, lists, options, several, tables, terminal
from . import output as reply
from .app import app, command, importer, main

__all__ = ["app", "main"]


# ------------------------------------------------------------------ the fit


@command(panel="Fit a law")
def fit(
    table: options.Table,
    law: options.Law = None,
    x: options.X = None,
    y: options.Y = None,
    n: options.N = None,
    stderr: options.Stderr = None,
    chance: options.Chance = None,
    limit: options.Limit = None,
    curve: options.Curve = None,
    group: options.Group = None,
    run: options.Run = None,
    best: options.Best = None,
    where: options.Where = None,
    long: options.Long = None,
    duplicates: options.Duplicates = "error",
    noise: options.Noise = None,
    pool: options.Pool = None,
    fix: options.Fix = None,
    tie: options.Tie = None,
    prior: options.Prior = None,
    seed: options.Seed = 0,
    chains: options.Chains = 4,
    draws: options.Draws = 1000,
    warmup: options.Warmup = 1000,
    sampler: options.Sampler = "nuts",
    precision: options.Precision = "float64",
    output: options.Output = None,
    json: options.Json = False,
    plot: options.Plot = None,
) -> int:
    """Fit a law to a table of runs.

    A named data set brings its usual law and columns along: `bayescale fit chinchilla`.
    """
    with waiting() as progress:
        terminal.start_jax()
        from ..inference import fit as inference
        from . import arguments

        reply.check(output, plot, table)
        chosen = arguments.build_law(table, law, fix or (), tie or (), prior or ())
        how = arguments.build_sampler(sampler, chains, draws, warmup)
        columns = dict(curve=curve, group=group, run=run, best=arguments.names(best))
        columns |= dict(where=where, long=long, duplicates=duplicates)
        roles = arguments.Roles(x, y, n, stderr, chance, limit, **columns)
        settings = dict(noise=arguments.noise(noise), pool=arguments.names(pool))
        settings |= dict(sampler=how, seed=seed, precision=precision)
        data = arguments.build_data(table, roles, chosen)
        terminal.tell(*arguments.echo(data))
        posterior = inference.fit(chosen, data, **settings, progress=progress)
    return reply.fit(posterior, json, plot, output)


@command(panel="Fit a law")
def show(path: options.FitFile, json: options.Json = False, plot: options.Plot = None) -> int:
    """Show a saved fit: every quantity, and its health."""
    with waiting():
        posterior = reply.load([path], plot).only
    return reply.fit(posterior, json, plot)


# ------------------------------------------------------------------ questions


@command(panel="Ask saved fits")
def predict(
    path: options.FitFile,
    at: options.At,
    n: options.Questions = None,
    stderr: options.NewStderr = None,
    response: options.Response = None,
    group: options.AskedGroup = None,
    seed: options.Seed = 0,
    allow_failed: options.AllowFailed = False,
    json: options.Json = False,
    plot: options.Plot = None,
) -> int:
    """Say what the law gives at new scales, and what a new run there would."""
    with waiting():
        terminal.start_jax()
        from ..questions.predict import predict as law_at
        from . import arguments, plans, saved

        plans.written(at, "--at")
        plans.check_measured(n, stderr)
        which = reply.load([path], plot, group=group)
        plans.check_picture(plot, which.only.law.inputs, response)
        how = dict(n=n, stderr=stderr, response=response)
        how |= dict(seed=seed, allow_failed=allow_failed)
        scales = arguments.scales(at, "--at", which.only)
        found = saved.ask(which, lambda one: {"predictions": law_at(one, scales, **how)})
    return reply.answers(which, found, json, plot)


@command(panel="Ask saved fits")
def allocate(
    path: options.FitFile,
    flops: options.Flops = None,
    budget: options.Budget = None,
    flops_per_gpu: options.FlopsPerGpu = None,
    mfu: options.Mfu = None,
    loss: options.Loss = None,
    match: options.Match = None,
    extra: options.Extra = 0.1,
    versus: options.Versus = None,
    inference_tokens: options.InferenceTokens = 0.0,
    cost: options.Cost = None,
    at: options.Others = None,
    seed: options.Seed = 0,
    allow_failed: options.AllowFailed = False,
    json: options.Json = False,
    plot: options.Plot = None,
) -> int:
    """Split a compute budget between parameters and tokens, or trade them at one loss."""
    with waiting():
        terminal.start_jax()
        from . import arguments, plans, saved

        plan = plans.Plan(
            flops=plans.flops(flops, budget, flops_per_gpu, mfu),
            loss=loss,
            match=arguments.numbers([match], "--match") if match else None,
            versus=[arguments.numbers([each], "--versus") for each in versus or ()],
            extra=extra,
            inference_tokens=inference_tokens,
            cost=cost,
            at=arguments.numbers([at], "--at") if at else None,
            seed=seed,
            allow_failed=allow_failed,
        )
        plan.check_picture(plot)
        which = reply.load([path], plot)
        found = saved.ask(which, plan)
    return reply.answers(which, found, json, plot)


@command(panel="Ask saved fits")
def next(
    paths: options.FitFiles,
    candidates: decisions.Candidates,
    target: decisions.Targets,
    cost: decisions.RunCost = None,
    budget: decisions.RunBudget = None,
    most: decisions.Most = None,
    n: options.Questions = None,
    stderr: options.NewStderr = None,
    weights: options.Weights = None,
    group: options.AskedGroup = None,
    seed: options.Seed = 0,
    allow_failed: options.AllowFailed = False,
    json: options.Json = False,
) -> int:
    """Say which runs to make next: those that tell most, per cost, of what one wants to know."""
    with waiting():
        terminal.start_jax()
        from ..planning.candidates import check_written
        from ..planning.next_runs import next_runs
        from ..reading.read_table import read_table
        from . import plans, saved

        check_written(target, budget, most)
        plans.check_measured(n, stderr)
        which = reply.load(paths, None, weights, group)
        how = dict(cost=cost, budget=budget, most=most, n=n, stderr=stderr, seed=seed)
        how |= dict(target=target, source=candidates, allow_failed=allow_failed)
        frame = read_table(candidates)
        found = saved.ask(which, lambda one: {"next": next_runs(one, frame, **how)})
    return reply.answers(which, found, json)


@command(panel="Ask saved fits")
def threshold(
    paths: options.FitFiles,
    level: options.Level = None,
    by: options.Along = None,
    at: options.Follow = None,
    horizon: options.Horizon = None,
    direction: options.Direction = None,
    weights: options.Weights = None,
    group: options.AskedGroup = None,
    allow_failed: options.AllowFailed = False,
    json: options.Json = False,
    plot: options.Plot = None,
) -> int:
    """Say from which scale on a curve stays past a level, above it or below, and how likely never.

    For losses below it, for accuracies above it; for accuracies that fall where they are lost.
    """
    with waiting():
        terminal.start_jax()
        from ..questions.threshold import threshold as first_past
        from . import arguments, saved

        rules = arguments.rules([at], "--at") if at else None
        how = dict(by=by, at=rules, horizon=horizon, direction=direction)
        how |= dict(allow_failed=allow_failed)
        past = arguments.level(level)
        which = reply.load(paths, plot, weights, group)
        found = saved.ask(which, lambda one: {"threshold": first_past(one, past, **how)})
    return reply.answers(which, found, json, plot)


@command(panel="Ask saved fits")
def kind(
    paths: options.FitFiles,
    cut: options.Cut = None,
    lo: options.Lowest = None,
    hi: options.Highest = None,
    by: options.Along = None,
    at: options.Follow = None,
    weights: options.Weights = None,
    group: options.AskedGroup = None,
    seed: options.Seed = 0,
    allow_failed: options.AllowFailed = False,
    json: options.Json = False,
    plot: options.Plot = None,
) -> int:
    """Say which kind of curve it is: steady, emergent, U-shaped, ..., and how sure that is."""
    with waiting():
        terminal.start_jax()
        from ..questions.kind import kind as kind_of
        from . import arguments, saved

        rules = arguments.rules([at], "--at") if at else None
        how = dict(cut=cut, lo=lo, hi=hi, by=by, at=rules, seed=seed, allow_failed=allow_failed)
        which = reply.load(paths, plot, weights, group)
        found = saved.ask(which, lambda one: {"kind": kind_of(one, **how)})
    return reply.answers(which, found, json, plot)


@command(panel="Ask saved fits")
def sensitivity(
    path: options.FitFile,
    at: options.Points = None,
    group: options.AskedGroup = None,
    allow_failed: options.AllowFailed = False,
    json: options.Json = False,
) -> int:
    """Say how far parameters and forecasts hang on the prior, and how far on the data."""
    with waiting():
        terminal.start_jax()
        from ..questions.sensitivity import sensitivity as hanging
        from . import arguments, plans, saved

        plans.written(at, "--at")
        which = reply.load([path], group=group)
        points = arguments.scales(at, "--at", which.only) if at else None
        how = dict(at=points, allow_failed=allow_failed)
        found = saved.ask(which, lambda one: {"sensitivity": hanging(one, **how)})
    return reply.answers(which, found, json)


@command(panel="Ask saved fits")
def calibrate(
    path: options.FitFile,
    replicates: options.Replicates = 50,
    at: options.Points = None,
    seed: options.Seed = 0,
    allow_failed: options.AllowFailed = False,
    json: options.Json = False,
) -> int:
    """Replicate the table under the fit, refit it, and say how often intervals hold the truth."""
    with waiting() as progress:
        terminal.start_jax()
        from ..workflows.calibrate import calibrate as refitted
        from ..workflows.calibrate import check_replicates
        from . import arguments, plans, saved

        plans.written(at, "--at")
        check_replicates(replicates)
        which = reply.load([path])
        points = arguments.scales(at, "--at", which.only) if at else None
        how = dict(replicates=replicates, seed=seed, allow_failed=allow_failed, progress=progress)
        whole = saved.Saved(which.fits)  # of all groups together, where some are pooled
        found = saved.ask(whole, lambda one: {"calibration": refitted(one, points, **how)})
    return reply.answers(which, found, json)


# ------------------------------------------------------------------ several fits, tables, lists

for panel, each in {
    "Ask saved fits": (several.compare_laws, several.explain, several.relate, several.conditions),
    "Ask a table": (
        tables.forecast,
        tables.backtest,
        tables.multiplier,
        tables.register,
        several.score,
        tables.tasks,
        tables.isoflop,
        tables.metric_or_model,
    ),
    "See what there is": (lists.laws, lists.data, lists.info, lists.demo),
}.items():
    for further in each:
        command(further, panel=panel)

for further in (lists.lm_eval, lists.wandb):
    command(further, within=importer)
