"""report: a posterior and the answers to questions as tables for a terminal.

Each function returns what rich can draw; `cli` prints it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from rich import box
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from ..datasets.published import about
from ..planning.allocate import Allocation
from ..planning.compare_runs import RunComparison
from ..planning.match import TradeOff
from ..posterior.health import FailedFit, Verdict
from ..posterior.intervals import INTERVAL
from ..posterior.mixture import members
from ..posterior.posterior import Posterior
from ..questions.predict import Prediction
from .as_json import groups, quantities, spread
from .layout import number, span, table
from .saved import Saved

__all__ = [
    "answers",
    "fit",
    "plan",
    "predictions",
    "verdict",
]

SHOWN_WHOLE = 8
"""Up to so many curves are shown with all their quantities."""
CURVE_ROWS = 8
"""About so many sizes of an iso-loss curve are shown."""
MASS = f"{INTERVAL:.0%}".replace("%", " %")
PLAIN = {"params": "N", "tokens": "D", "flops": "FLOP"}


# ------------------------------------------------------------------ the fit


def fit(posterior: Posterior) -> RenderableType:
    """Return the verdict and every quantity."""
    if len(posterior.curves) > SHOWN_WHOLE:
        body = [_many(posterior)]
    else:
        body = [_one(name, one) for name, one in posterior]
    run = posterior.sampling
    seconds = ", ".join(f"{stage} {value:.1f}" for stage, value in run.seconds.items())
    foot = f"{run.method}, {run.chains} x {run.draws} draws, seed {run.seed}, {run.precision} on "
    foot += f"{run.device}; seconds: {seconds}"
    notes = [Text(f"note: {note}", "yellow") for note in run.notes]
    return Group(_head(posterior), *body, verdict(posterior), *notes, Text(foot, "dim"))


def _head(posterior: Posterior) -> Text:
    data = posterior.data
    head = Text(f"{posterior.law}", "bold")
    curves = f" in {len(posterior.curves)} curves" if posterior.curves else ""
    head.append(f"  {len(data)} rows of {data.source}{curves}, ", "default not bold")
    further = zip(posterior.law.further, posterior.model.further, strict=True)
    noises = [posterior.model.noise.name, *(f"{one.name} ({of})" for (of, _), one in further)]
    return head.append(f"{', '.join(noises)} noise", "default not bold")


def _one(name: str | None, posterior: Posterior) -> RenderableType:
    """Return one curve's table of quantities, and how families differ."""
    (health,) = posterior.health.verdicts
    held = {k: "fixed" for k, _ in posterior.law.fixed}
    held |= {k: f"= {to}" for k, to in posterior.law.tied}
    rows = []
    for quantity, found in quantities(posterior).items():
        weak = quantity.rstrip("0123456789") in health.unidentified or (
            quantity in health.unidentified
        )
        if quantity in held:
            cells = [number(found["median"]), held[quantity], "", "", "", ""]
        else:
            cells = [
                number(found["median"]),
                span(found["lo"], found["hi"]),
                number(found["mean"]),
                number(found["sd"], 2),
                number(health.rhat.get(quantity)),
                f"{health.ess.get(quantity, math.nan):,.0f}".replace("nan", "-"),
            ]
        rows.append([f"{quantity}{' *' * weak}", *cells])
    columns = ("", "median", f"{MASS} interval", "mean", "sd", "R-hat", "ESS")
    shown = [table(columns, rows), *_families(posterior)]
    if name is None:
        return Group(*shown)
    return Group(Text(f"\n{name}", "bold"), *shown, verdict(posterior))


def _families(one: Posterior) -> list[RenderableType]:
    """Return, of each pooled parameter, a table of how far families lie from the average one."""
    parts: list[RenderableType] = []
    for of, found in groups(one).items():
        rows = [
            [name, number(v["median"], 3), span(v["lo"], v["hi"], 3), str(v["runs"])]
            for name, v in found.items()
        ]
        unit = next(iter(found.values()))["unit"]
        parts.append(Text(f"\n{of} of each family beside the average one, in {unit}", "bold"))
        parts.append(table(("", "median", f"{MASS} interval", "runs"), rows))
    return parts


def _many(posterior: Posterior) -> Table:
    """Return a table of many curves, one a row, medians only."""
    rows = []
    for name, one in posterior:
        medians = {quantity: number(v["median"], 3) for quantity, v in quantities(one).items()}
        state = "sound" if one.health.sound else "NOT TRUSTED"
        rows.append({"curve": name, "rows": len(one.data), "": state} | medians)
    return table(rows[0], [row.values() for row in rows])


def verdict(posterior: Posterior) -> RenderableType:
    """Return the health, loud where the fit is not to be trusted."""
    health = posterior.health
    if len(health.verdicts) > 1:
        if health.sound:
            return Text(str(health), "green")
        bad = ", ".join(posterior.curves[i] for i in health.failed[:20])
        lines = Text(f"{health}; not to be trusted: {bad}")
        return Panel(lines, title="NOT TO BE TRUSTED", style="red", box=box.HEAVY)
    (one,) = health.verdicts
    if one.sound:
        return _sound(one)
    steps = [f"{i + 1}. {advice}" for i, advice in enumerate(one.advice)]
    lines = Text("\n".join([*one.problems, *steps]))
    return Panel(lines, title="NOT TO BE TRUSTED", style="red", box=box.HEAVY)


def _sound(one: Verdict) -> RenderableType:
    text = Text("sound", "bold green")
    rhats = [value for value in one.rhat.values() if math.isfinite(value)]
    if rhats:
        ess = min(one.ess.values())
        text.append(f": R-hat at most {max(rhats):.3f}, ESS at least {ess:,.0f}", "green not bold")
    if one.unidentified:
        weak = ", ".join(one.unidentified)
        text.append(f"\n* the data say little about {weak}: mostly the prior", "yellow not bold")
    return text


# ------------------------------------------------------------------ answers


def answers(
    which: Posterior | Saved, found: Mapping[str | None, Any], draw: Any
) -> list[RenderableType]:
    """Return each curve's answer drawn by `draw`, what was refused, and the notes once."""
    parts: list[RenderableType] = []
    notes = {name: getattr(answer, "notes", ()) for name, answer in found.items()}
    told = [note for each in notes.values() for note in each]
    for name, one in which:
        if name is not None:
            parts.append(Text(f"\n{name}", "bold"))
        if isinstance(found[name], FailedFit):
            parts.append(Text(f"refused: {found[name]}", "red"))
            continue
        parts.append(draw(found[name]))
        parts += [verdict(each) for *_, each in members(one) if not each.health.sound]
        own = [note for note in notes[name] if told.count(note) == 1 and len(found) > 1]
        parts += [Text(f"note: {note}", "yellow") for note in own]
    shared = dict.fromkeys(note for note in told if told.count(note) > 1 or len(found) == 1)
    return [*parts, *(Text(f"note: {note}", "yellow") for note in shared)]


def _cell(draws: np.ndarray) -> list[str]:
    found = spread(draws)
    return [number(found["median"]), span(found["lo"], found["hi"])]


def predictions(found: Prediction) -> Table:
    """Return one row a scale: the law, a new run there, how far beyond the data."""
    rows = [
        [
            *(number(values[i]) for values in found.inputs.values()),
            *_cell(found.mean[:, i]),
            *_cell(found.new[:, i]),
            f"{found.decades[i]:.1f}" if found.decades[i] else "within",
        ]
        for i in range(found.decades.shape[-1])
    ]
    columns = (*found.inputs, "law", MASS, "new run", MASS, "decades\nbeyond")
    return table(columns, rows, left=0)


def plan(found: Mapping[str, Any]) -> RenderableType:
    """Return the answers about parameters and tokens, one below the other."""
    parts = []
    for name, answer in found.items():
        notes = [Text(f"note: {note}", "yellow") for note in answer.notes]
        parts += [_PLANS[name](answer), *notes, Text("")]
    return Group(*parts[:-1])


def _allocation(found: Allocation) -> RenderableType:
    """Return the best split of a budget, and how it grows."""
    named = {
        "parameters N": found.params,
        "tokens D": found.tokens,
        "tokens per parameter": found.tokens_per_param,
        "loss": found.loss,
        "a: N ~ C^a": found.a,
        "b: D ~ C^b": found.b,
        "10 x compute: N grows": found.growth_params,
        "10 x compute: D grows": found.growth_tokens,
    }
    rows = [[name, *_cell(draws[:, 0])] for name, draws in named.items()]
    budget = found.flops[0]
    head = f"{number(budget)} FLOP ({about(budget, 'flops')}), {found.cost}"
    size = float(np.median(found.params[:, 0]))
    foot = f"N is {about(size, 'params')}" if math.isfinite(size) else ""
    shown = table(("", "median", f"{MASS} interval"), rows)
    return Group(Text(head, "bold"), shown, Text(foot, "dim"))


def _tradeoff(found: TradeOff) -> RenderableType:
    """Return the ways to one loss: the cheapest, the smallest model, and the iso-loss curve."""
    loss, ratios = spread(found.loss), found.reference or {}
    head = f"ways to a loss of {number(loss['median'])}"
    head += f" ({span(loss['lo'], loss['hi'])})" if loss["lo"] != loss["hi"] else ""
    extra = number(100 * found.extra)
    rows = []
    for way, draws in (("least compute", found.cheapest), (f"smallest +{extra} %", found.smallest)):
        for key in ("params", "tokens", "flops"):
            cells = [f"{way}: {PLAIN[key]}", *_cell(draws[key])]
            rows.append(cells + (_cell(draws[key] / ratios[key]) if ratios else []))
            way = " " * len(way)
    columns = ["", "median", f"{MASS} interval"]
    columns += ["x reference", f"{MASS} interval"] if ratios else []
    reached = np.isfinite(found.tokens).mean(0) > 0.5
    pick = np.flatnonzero(reached)[:: max(1, int(reached.sum()) // CURVE_ROWS)]
    curve = [
        [number(found.params[i], 3), *_cell(found.tokens[:, i]), *_cell(found.flops[:, i])]
        for i in pick
    ]
    return Group(
        Text(f"{head}; {found.cost}", "bold"),
        table(columns, rows),
        Text(""),
        table(("N", "D it needs", MASS, "FLOP", MASS), curve, left=0),
    )


def _comparison(found: RunComparison) -> RenderableType:
    """Return two configurations side by side."""
    rows = []
    for i, way in enumerate((found.first, found.second)):
        scales = "  ".join(f"{name} {number(value)}" for name, value in way.items())
        rows.append([("first", "second")[i], scales, *_cell(found.losses[i])])
    rows.append(["difference", "", *_cell(found.losses[0] - found.losses[1])])
    line = f"the first is the better one with probability {found.p_better:.3f}; "
    line += f"one run of it beats one run of the second with {found.p_run_better:.3f}"
    return Group(table(("", "at", "law", f"{MASS} interval"), rows, left=2), Text(line, "bold"))


_PLANS = {"allocation": _allocation, "tradeoff": _tradeoff, "comparison": _comparison}
