"""bayescale on the command line.

Answers go to standard output, all else to standard error. Exit status: 0 sound, 1 the fit is not
to be trusted, 2 the input or the call is wrong, 130 interrupted.

Floor 9. Nothing heavy is imported before a command needs it: `--help` takes a blink.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from . import options, terminal
from .shell import app, command, main

if TYPE_CHECKING:
    from .posterior import Posterior

__all__ = ["app", "main"]

PICTURE = "bayescale-demo.png"


# ------------------------------------------------------------------ the fit


@command
def fit(
    table: options.Table,
    law: options.Law = None,
    x: options.X = None,
    y: options.Y = None,
    n: options.N = None,
    stderr: options.Stderr = None,
    chance: options.Chance = None,
    curve: options.Curve = None,
    where: options.Where = None,
    duplicates: options.Duplicates = "error",
    noise: options.Noise = None,
    fix: options.Fix = None,
    tie: options.Tie = None,
    seed: options.Seed = 0,
    chains: options.Chains = 4,
    draws: options.Draws = 1000,
    warmup: options.Warmup = 1000,
    sampler: options.Sampler = "nuts",
    precision: options.Precision = "float64",
    output: options.Output = None,
    as_json: options.Json = False,
    plot: options.Plot = None,
) -> int:
    """Fit a law to a table of runs.

    A named data set brings its usual law and columns along: `bayescale fit chinchilla`.
    """
    with terminal.waiting() as progress:
        terminal.start_jax()
        from . import arguments, infer

        _check(output, plot)
        chosen = arguments.build_law(table, law, fix or (), tie or ())
        how = arguments.build_sampler(sampler, chains, draws, warmup)
        roles = arguments.Roles(x or (), y, n, stderr, chance, curve or (), where, duplicates)
        data = arguments.build_data(table, roles, chosen)
        terminal.tell(*arguments.echo(data))
        settings = dict(noise=noise, sampler=how, seed=seed, precision=precision)
        posterior = infer.fit(chosen, data, **settings, progress=progress)
        if output:
            posterior.save(output)
            terminal.tell(f"saved: {output}")
    return _answer(posterior, as_json, plot)


@command
def show(path: options.FitFile, as_json: options.Json = False, plot: options.Plot = None) -> int:
    """Show a saved fit: every quantity, and its health."""
    with terminal.waiting():
        posterior = _load(path, plot)
    return _answer(posterior, as_json, plot)


def _check(output: str | None, plot: str | None) -> None:
    """Refuse files that cannot be written before time is spent on them."""
    from . import pictures, storage

    if output:
        storage.writable(output)
    if plot:
        pictures.check(plot)


def _load(path: str, plot: str | None = None) -> Posterior:
    terminal.start_jax()
    _check(None, plot)
    from .storage import load

    return load(path)


def _answer(posterior: Posterior, as_json: bool, plot: str | None) -> int:
    from . import document, pictures, report

    if as_json:
        terminal.put(document.document(posterior))
    else:
        terminal.show(report.fit(posterior))
    if plot:
        pictures.fit(plot, posterior)
        terminal.tell(f"picture: {plot}")
    return _status(posterior, as_json)


def _status(posterior: Posterior, as_json: bool) -> int:
    if as_json:
        terminal.tell(*(f"note: {note}" for note in posterior.run.notes))
    if posterior.health.sound:
        return terminal.SOUND
    if not as_json:  # the tables are marked; a document is read by a program
        return terminal.UNTRUSTED
    return terminal.complain(str(posterior.health), terminal.UNTRUSTED)


# ------------------------------------------------------------------ questions


@command
def predict(
    path: options.FitFile,
    at: options.At,
    n: options.Questions = None,
    seed: options.Seed = 0,
    allow_failed: options.AllowFailed = False,
    as_json: options.Json = False,
) -> int:
    """Say what the law gives at new scales, and what a new run there would."""
    with terminal.waiting():
        posterior = _load(path)
        from . import arguments, document, questions, report
        from .prediction import predict as law_at

        how = dict(n=n, seed=seed, allow_failed=allow_failed)
        scales = arguments.scales(at, "--at", posterior)
        found = questions.ask(posterior, lambda one: law_at(one, scales, **how))
    return _reply(posterior, found, document.predictions, report.predictions, as_json)


@command
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
    at: options.Others = None,
    seed: options.Seed = 0,
    allow_failed: options.AllowFailed = False,
    as_json: options.Json = False,
) -> int:
    """Split a compute budget between parameters and tokens, or trade them at one loss."""
    with terminal.waiting():
        posterior = _load(path)
        from . import arguments, document, questions, report

        plan = questions.Plan(
            flops=arguments.flops(flops, budget, flops_per_gpu, mfu),
            loss=loss,
            match=arguments.numbers([match], "--match") if match else None,
            versus=[arguments.numbers([each], "--versus") for each in versus or ()],
            extra=extra,
            inference_tokens=inference_tokens,
            at=arguments.numbers([at], "--at") if at else None,
            seed=seed,
            allow_failed=allow_failed,
        )
        found = questions.ask(posterior, plan)
    return _reply(posterior, found, document.plan, report.plan, as_json)


@command
def threshold(
    path: options.FitFile,
    level: options.Level = None,
    by: options.Along = None,
    at: options.Follow = None,
    horizon: options.Horizon = None,
    allow_failed: options.AllowFailed = False,
    as_json: options.Json = False,
    plot: options.Plot = None,
) -> int:
    """Say from which scale on a level is passed, and how likely never."""
    with terminal.waiting():
        posterior = _load(path, plot)
        from . import arguments, document, pictures, questions, report
        from .thresholds import threshold as first_past

        rules = arguments.rules([at], "--at") if at else None
        how = dict(by=by, at=rules, horizon=horizon, allow_failed=allow_failed)
        found = questions.ask(posterior, lambda one: first_past(one, level, **how))
        if plot:
            pictures.thresholds(plot, found)
    return _reply(posterior, found, document.threshold, report.threshold, as_json)


def _reply(
    posterior: Posterior,
    found: dict[str | None, Any],
    render: Callable[[Any], dict[str, Any]],
    draw: Callable[[Any], Any],
    as_json: bool,
) -> int:
    """Print the answers of all curves; what was refused is said in their place."""
    from . import document, questions, report

    refused = questions.refusals(found)
    if as_json:
        terminal.put(document.document(posterior, found, render))
    elif len(refused) < len(found):
        terminal.show(*report.answers(posterior, found, draw))
    if len(refused) == len(found):
        return terminal.complain(refused[0], terminal.UNTRUSTED)
    return _status(posterior, as_json)


# ------------------------------------------------------------------ what there is


@command
def laws(name: options.LawName = None) -> None:
    """List the laws: formula, inputs, parameters, source."""
    with terminal.waiting():
        from . import catalogue
    terminal.show(catalogue.law(name) if name else catalogue.laws())


@command
def data(name: options.DataName = None, csv: options.Csv = False) -> None:
    """List the named data sets, describe one, or print its rows."""
    from . import catalogue, datasets

    if csv:
        terminal.put(datasets.load(name or "").to_csv(index=False))
    else:
        terminal.show(catalogue.data_set(name) if name else catalogue.data_sets())


@command
def info() -> None:
    """Say versions, devices and where things are kept."""
    with terminal.waiting():
        kept = terminal.start_jax()
        from . import catalogue

        shown = catalogue.info(terminal.cache_folder(), kept)
    terminal.show(shown)


@command
def demo(seed: options.Seed = 0) -> None:
    """Forecast two-digit addition of large GPT-3 models from the small ones."""
    with terminal.waiting() as progress:
        terminal.start_jax()
        from . import demo as story

        _check(None, PICTURE)
        told = story.run(seed, progress)
        story.draw(told, PICTURE)
    terminal.show(story.report(told, PICTURE))
