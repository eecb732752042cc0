"""Forecasts of unlocks where the truth is known: simulated tasks at the real designs.

The truth is drawn from a rising law's prior at the scales and questions of a real table. Half of
the tasks are cut at one scale whatever the truth (there intervals must mean what they say), half at
their own threshold, as the real ones are: a selection that no forecaster knows of.
"""

from __future__ import annotations

from dataclasses import replace

import jax
import numpy as np
import pandas as pd

from bayescale.inference.make_model import make_model
from bayescale.laws import get_law
from bayescale.model.arrays import pack
from bayescale.posterior.bends import MISFIT

from .. import common
from . import designs, forecasts, tables
from .designs import Case
from .real import alarms, reliability, summary

EACH = 6
"""Tasks that rise of each law, design and way to cut."""
STAYING = 15
"""Flat tasks of each design."""
RISE = 0.2
MISFITS = (0.0, MISFIT)


def simulate() -> list[Case]:
    """Return simulated cases; the level is halfway between chance and 1 or, if lower, the top."""
    designs_of = (
        ("mmlu", tables.table_of("expemergence_overall", "flops_1e21", "acc", "n_questions", 1e21)),
        (
            "arithmetic_2dm",
            tables.table_of("obsscaling_emergent", "flops_1e21", "value", "n_examples", 1e21),
        ),
        ("arc_easy", tables.table_of("gadre_downstream", "flops", "accuracy", "n_examples")),
    )
    found = []
    for i, (task, table) in enumerate(designs_of):
        data = replace(table.take(table.curve == task), curve=None)
        for j, law in enumerate(forecasts.RISING):
            key = jax.random.key(100 * i + j)
            found += _cases(task, law, data, key)
        found += _flat(task, data, jax.random.key(100 * i + 50))
    return found


def _flat(task: str, data, key) -> list[Case]:
    """Return tasks on which nothing happens, cut at a fixed scale; level halfway to 1."""
    model, x, found = make_model(get_law("flat"), data), data.inputs["x"], []
    cut, chance = float(np.quantile(x, 0.6)), float(data.chance[0])
    with jax.enable_x64(True):
        lane = jax.tree.map(lambda leaf: leaf[0], pack(model, data)[0].data)
        while len(found) < STAYING:
            key, first, second = jax.random.split(key, 3)
            params = model.parameters(model.sample_prior(first), lane)
            drawn = np.asarray(model.scatter(params, lane).sample(second))[: len(data)]
            level = (1 + chance) / 2
            if float(np.mean(drawn / data.n)) < level - 0.1:
                fitted, held = _cut(data, drawn, cut)
                name = f"{task}|flat|fixed|{len(found)}"
                found.append(Case(name, task, fitted, held, level, np.inf, cut))
    return found


def _cut(data, drawn: np.ndarray, cut: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    rows = pd.DataFrame({"x": data.inputs["x"], "y": drawn / data.n, "n": data.n})
    rows["chance"] = data.chance
    return rows[rows.x < cut], rows[rows.x >= cut]


def _cases(task: str, law: str, data, key) -> list[Case]:
    model, made = make_model(get_law(law), data), {"fixed": 0, "threshold": 0}
    x = data.inputs["x"]
    middle = float(np.quantile(x, 0.6))
    found = []
    with jax.enable_x64(True):
        lane = jax.tree.map(lambda leaf: leaf[0], pack(model, data)[0].data)
        while min(made.values()) < EACH:
            key, first, second = jax.random.split(key, 3)
            params = model.parameters(model.sample_prior(first), lane)
            drawn = np.asarray(model.scatter(params, lane).sample(second))[: len(data)]
            grid = np.exp(
                np.linspace(lane["span"]["x"][0], lane["span"]["x"][1] + np.log(1e4), 2000)
            )
            given = {name: params[name] for name in model.law.parameters}
            curve = np.asarray(model.law.at(grid, **given))
            level = (float(data.chance[0]) + curve[-1]) / 2
            past = curve >= level
            rises = curve[-1] - curve[0] > RISE and past[-1] and not past[0]
            unlock = grid[np.argmax(past)] * x.max() if rises else np.inf
            for way, cut in (("fixed", middle), ("threshold", unlock)):
                if made[way] >= EACH or not rises:
                    continue
                fitted, held = _cut(data, drawn, cut)
                if len(fitted) < designs.LEAST or len(held) < 3 or np.ptp(fitted.x) == 0:
                    continue
                name = f"{task}|{law}|{way}|{made[way]}"
                found.append(Case(name, task, fitted, held, level, float(unlock), cut))
                made[way] += 1
    return found


def _score(case: Case, parts, by: str) -> dict:
    weights = forecasts.law_weights(parts, by)
    return forecasts.score(case, *forecasts.pooled(parts, weights))


def main() -> None:
    """Simulate, fit, score and write."""
    cases = simulate()
    print(len(cases), "cases", flush=True)
    fits = forecasts.fit_all(cases, sampler=replace(forecasts.ONCE, draws=500))
    made = {
        (case.name, law): forecasts.ahead(case, fits[case.name, law], MISFITS)
        for case in cases
        for law in forecasts.LAWS
    }
    rows, alarm = {}, {}
    flat = [case for case in cases if "|flat|" in case.name]
    for sd in MISFITS:
        parts = {c.name: {law: made[c.name, law][sd] for law in forecasts.LAWS} for c in cases}
        for way in ("fixed", "threshold"):
            own = [case for case in cases if f"|{way}|" in case.name and case not in flat]
            for by in forecasts.MIXTURES:
                scored = {c.name: _score(c, parts[c.name], by) for c in own + flat}
                name = f"cut at {way}, {by}, misfit {sd:g}"
                rows[name] = summary(pd.DataFrame([scored[c.name] for c in own]))
                chances = [scored[c.name]["p_decade"] for c in own + flat]
                edges = [np.log10(c.fitted.x.max()) for c in own + flat]
                truth = np.log10([c.unlock for c in own + flat]) <= np.array(edges) + 1
                alarm[name] = alarms(chances, truth)
                if (way, by, sd) == ("fixed", "belief", 0):
                    reliability("unlock_simulated_belief", chances, truth)
    sound = np.mean([fit.health.sound for fit in fits.values()])
    head = (
        f"{len(cases) - len(flat)} tasks drawn from the priors of {', '.join(forecasts.RISING)} "
        f"that rise by {RISE:g} or more, and {len(flat)} flat ones (which count in the alarms "
        "only), at the designs of mmlu, arithmetic_2dm and arc_easy. No second tries: "
        f"{sound:.0%} of the fits pass; all are counted. The simulated truth has no misfit."
    )
    tables = ["Reliability, fixed cut, no misfit: ![belief](unlock_simulated_belief.png)"]
    for title, each in (("Coverage", rows), ("Alarms: within one decade", alarm)):
        frame = pd.DataFrame.from_dict(each, orient="index")
        frame.index.name = "forecast"
        tables.append(f"## {title}\n\n" + common.table(frame, 3))
    common.write("unlock_simulated", "Forecasts of unlocks, simulated", head, *tables)
