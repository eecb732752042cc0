"""bayescale: Bayesian scaling laws, from a table of runs to a posterior, a plan and a forecast."""

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from . import datasets as datasets
    from . import laws as laws
    from . import noises as noises
    from . import plot as plot
    from .comparison.compare import compare_laws as compare_laws
    from .comparison.evidence import log_evidence as log_evidence
    from .comparison.explain import explain as explain
    from .data.dataset import Dataset as Dataset
    from .data.from_frame import from_frame as from_frame
    from .inference.fit import fit as fit
    from .inference.prior import prior_predictive as prior_predictive
    from .inference.samplers import MAP as MAP
    from .inference.samplers import NUTS as NUTS
    from .inference.samplers import Laplace as Laplace
    from .laws.names import get_law as get_law
    from .messages import DataError as DataError
    from .parametric.coordinates import scaled as scaled
    from .parametric.coordinates import share as share
    from .parametric.parametric import law as law
    from .parametric.parametric import noise as noise
    from .parametric.priors import fraction as fraction
    from .parametric.priors import positive as positive
    from .parametric.priors import real as real
    from .planning.allocate import allocate as allocate
    from .planning.budget import budget as budget
    from .planning.compare_runs import compare_runs as compare_runs
    from .planning.isoflop import isoflop as isoflop
    from .planning.match import match as match
    from .planning.next_runs import next_runs as next_runs
    from .posterior.arviz import to_arviz as to_arviz
    from .posterior.bends import with_misfit as with_misfit
    from .posterior.groups import AVERAGE as AVERAGE
    from .posterior.groups import NEW as NEW
    from .posterior.groups import for_group as for_group
    from .posterior.groups import group_shift as group_shift
    from .posterior.health import FailedFit as FailedFit
    from .posterior.mixture import Mixture as Mixture
    from .posterior.mixture import mix as mix
    from .posterior.posterior import Posterior as Posterior
    from .posterior.storage import load as load
    from .posterior.storage import save as save
    from .questions.conditions import conditions as conditions
    from .questions.grid import grid as grid
    from .questions.grid import isoflop_grid as isoflop_grid
    from .questions.kind import kind as kind
    from .questions.predict import predict as predict
    from .questions.predictive import posterior_predictive as posterior_predictive
    from .questions.relate import relate as relate
    from .questions.residuals import residuals as residuals
    from .questions.sensitivity import sensitivity as sensitivity
    from .questions.threshold import Threshold as Threshold
    from .questions.threshold import threshold as threshold
    from .reading.lm_eval import read_lm_eval as read_lm_eval
    from .reading.read_table import read_table as read_table
    from .reading.to_long import to_long as to_long
    from .reading.wandb import read_wandb as read_wandb
    from .recipes.multiplier import multiplier as multiplier
    from .workflows.backtest import backtest as backtest
    from .workflows.calibrate import calibrate as calibrate
    from .workflows.confusion import confusion as confusion
    from .workflows.forecast import forecast as forecast
    from .workflows.futures import backtest_forecast as backtest_forecast
    from .workflows.metric_or_model import metric_or_model as metric_or_model
    from .workflows.register import register as register
    from .workflows.register import score as score
    from .workflows.tasks import tasks as tasks

__version__ = version("bayescale")

# Names are imported when first used: `bayescale --help` must not pay for JAX.
_PACKAGES = ("datasets", "laws", "noises", "plot")
_HOMES = {
    "AVERAGE": "posterior.groups",
    "DataError": "messages",
    "Dataset": "data.dataset",
    "FailedFit": "posterior.health",
    "Laplace": "inference.samplers",
    "MAP": "inference.samplers",
    "Mixture": "posterior.mixture",
    "NEW": "posterior.groups",
    "NUTS": "inference.samplers",
    "Posterior": "posterior.posterior",
    "Threshold": "questions.threshold",
    "allocate": "planning.allocate",
    "backtest": "workflows.backtest",
    "backtest_forecast": "workflows.futures",
    "budget": "planning.budget",
    "calibrate": "workflows.calibrate",
    "compare_laws": "comparison.compare",
    "compare_runs": "planning.compare_runs",
    "conditions": "questions.conditions",
    "confusion": "workflows.confusion",
    "explain": "comparison.explain",
    "fit": "inference.fit",
    "for_group": "posterior.groups",
    "forecast": "workflows.forecast",
    "fraction": "parametric.priors",
    "from_frame": "data.from_frame",
    "get_law": "laws.names",
    "grid": "questions.grid",
    "group_shift": "posterior.groups",
    "isoflop": "planning.isoflop",
    "isoflop_grid": "questions.grid",
    "kind": "questions.kind",
    "law": "parametric.parametric",
    "load": "posterior.storage",
    "log_evidence": "comparison.evidence",
    "match": "planning.match",
    "metric_or_model": "workflows.metric_or_model",
    "mix": "posterior.mixture",
    "next_runs": "planning.next_runs",
    "multiplier": "recipes.multiplier",
    "noise": "parametric.parametric",
    "positive": "parametric.priors",
    "posterior_predictive": "questions.predictive",
    "predict": "questions.predict",
    "prior_predictive": "inference.prior",
    "read_lm_eval": "reading.lm_eval",
    "read_table": "reading.read_table",
    "read_wandb": "reading.wandb",
    "real": "parametric.priors",
    "register": "workflows.register",
    "relate": "questions.relate",
    "residuals": "questions.residuals",
    "save": "posterior.storage",
    "scaled": "parametric.coordinates",
    "score": "workflows.register",
    "sensitivity": "questions.sensitivity",
    "share": "parametric.coordinates",
    "tasks": "workflows.tasks",
    "threshold": "questions.threshold",
    "to_arviz": "posterior.arviz",
    "to_long": "reading.to_long",
    "with_misfit": "posterior.bends",
}
__all__ = ["__version__", *_PACKAGES, *_HOMES]


def __getattr__(name: str):
    if name in _PACKAGES:
        return import_module(f".{name}", __name__)
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return __all__
