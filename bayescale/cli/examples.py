"""examples: a call of each command, which its help shows; a test parses every one."""

from __future__ import annotations

__all__ = ["EXAMPLES"]

EXAMPLES = {
    "allocate": 'bayescale allocate chinchilla.nc --budget "1000 gpu-days"',
    "backtest": "bayescale backtest losses.csv -x flops -y loss --cuts .5,.1",
    "calibrate": "bayescale calibrate chinchilla.nc --replicates 50",
    "compare-laws": "bayescale compare-laws sigmoid.nc elbow.nc flat.nc",
    "conditions": "bayescale conditions prompts.nc --level .6 --reference cloze",
    "data": "bayescale data chinchilla --csv > chinchilla.csv",
    "demo": "bayescale demo",
    "explain": "bayescale explain sigmoid.nc elbow.nc multi_step.nc",
    "fit": "bayescale fit runs.csv --law chinchilla -x params -x tokens -y loss -o fit.nc",
    "forecast": "bayescale forecast losses.csv -x flops -y loss --at 1e23",
    "info": "bayescale info",
    "isoflop": "bayescale isoflop runs.csv -x params -x tokens -y loss",
    "kind": "bayescale kind addition.nc --cut .1",
    "laws": "bayescale laws chinchilla --at N=7e10,D=1.4e12",
    "lm-eval": "bayescale import lm-eval results/ --models models.csv -o evals.csv",
    "metric-or-model": "bayescale metric-or-model evals.csv -x params -y accuracy=acc -y loss=nll",
    "multiplier": "bayescale multiplier runs.csv -x flops -y loss --group recipe --baseline dense",
    "next": "bayescale next fit.nc --candidates runs.csv --target N=7e10,D=1.4e12 --budget 1e21",
    "predict": "bayescale predict fit.nc --at N=7e10,D=1.4e12 --json",
    "register": "bayescale register losses.csv -x flops -y loss --at 1e23 -o next.forecast.json",
    "relate": "bayescale relate from_loss.nc",
    "score": "bayescale score next.forecast.json later.csv",
    "sensitivity": "bayescale sensitivity fit.nc --at N=7e10,D=1.4e12",
    "show": "bayescale show fit.nc --plot fit.png",
    "tasks": "bayescale tasks evals.csv --curve task -x params -y accuracy -n n --chance .25",
    "threshold": "bayescale threshold addition.nc --level half",
    "wandb": "bayescale import wandb history.csv -o runs.csv",
}
"""Name of a command -> how it is called."""
