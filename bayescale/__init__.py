"""bayescale: Bayesian scaling laws, from a table of runs to a posterior, a plan and a forecast."""

from importlib import import_module
from importlib.metadata import version

__version__ = version("bayescale")

# Names are imported when first used: `bayescale --help` must not pay for JAX.
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
    "compare": "comparison.compare",
    "compare_configurations": "planning.compare_runs",
    "conditions": "questions.conditions",
    "confusion": "workflows.confusion",
    "explain": "comparison.explain",
    "fit": "inference.fit",
    "for_group": "posterior.groups",
    "from_frame": "data.from_frame",
    "get_law": "laws",
    "law": "parametric.parametric",
    "load": "posterior.storage",
    "log_evidence": "comparison.evidence",
    "match": "planning.match",
    "metric_or_model": "workflows.metric_or_model",
    "mix": "posterior.mixture",
    "noise": "parametric.parametric",
    "positive": "parametric.priors",
    "predict": "questions.predict",
    "read_table": "data.read_table",
    "relate": "questions.relate",
    "replicate": "posterior.pointwise",
    "scaled": "parametric.coordinates",
    "shape": "questions.kind",
    "share": "parametric.coordinates",
    "shift": "posterior.groups",
    "tasks": "workflows.tasks",
    "threshold": "questions.threshold",
    "with_drift": "posterior.drift",
}
__all__ = ["__version__", *_HOMES]


def __getattr__(name: str):
    if name not in _HOMES:
        raise AttributeError(f"module 'bayescale' has no attribute {name!r}")
    return getattr(import_module(f"bayescale.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
