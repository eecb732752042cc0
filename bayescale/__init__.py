"""bayescale: Bayesian scaling laws, from a table of runs to a posterior, a plan and a forecast."""

from importlib import import_module
from importlib.metadata import version

__version__ = version("bayescale")

# Names are imported when first used: `bayescale --help` must not pay for JAX.
_HOMES = {
    "AVERAGE": "families",
    "DataError": "messages",
    "Dataset": "data.dataset",
    "FailedFit": "posterior",
    "Laplace": "samplers",
    "MAP": "samplers",
    "Mixture": "mixture",
    "NEW": "families",
    "NUTS": "samplers",
    "Posterior": "posterior",
    "Threshold": "thresholds",
    "allocate": "allocation",
    "backtest": "skill",
    "compare": "comparison",
    "compare_configurations": "tradeoff",
    "conditions": "formats",
    "confusion": "explanation",
    "explain": "explanation",
    "fit": "infer",
    "for_group": "families",
    "from_frame": "data.from_frame",
    "get_law": "laws",
    "law": "parametric.parametric",
    "load": "storage",
    "log_evidence": "evidence",
    "match": "tradeoff",
    "metric_or_model": "metric",
    "mix": "mixture",
    "noise": "parametric.parametric",
    "positive": "parametric.priors",
    "predict": "prediction",
    "read_table": "data.read_table",
    "relate": "relation",
    "replicate": "pointwise",
    "scaled": "parametric.coordinates",
    "shape": "shapes",
    "share": "parametric.coordinates",
    "shift": "families",
    "tasks": "many",
    "threshold": "thresholds",
    "with_drift": "drift",
}
__all__ = ["__version__", *_HOMES]


def __getattr__(name: str):
    if name not in _HOMES:
        raise AttributeError(f"module 'bayescale' has no attribute {name!r}")
    return getattr(import_module(f"bayescale.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
