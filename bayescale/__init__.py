"""bayescale: Bayesian scaling laws, from a table of runs to a posterior, a plan and a forecast."""

from importlib import import_module
from importlib.metadata import version

__version__ = version("bayescale")

# Names are imported when first used: `bayescale --help` must not pay for JAX.
_HOMES = {
    "DataError": "table",
    "Dataset": "data",
    "FailedFit": "posterior",
    "Laplace": "samplers",
    "MAP": "samplers",
    "NUTS": "samplers",
    "Posterior": "posterior",
    "allocate": "allocation",
    "compare_configurations": "tradeoff",
    "fit": "infer",
    "from_frame": "data",
    "get_law": "laws",
    "law": "parametric",
    "load": "storage",
    "match": "tradeoff",
    "noise": "parametric",
    "positive": "priors",
    "predict": "prediction",
    "read_table": "table",
    "scaled": "parametric",
    "share": "parametric",
    "threshold": "thresholds",
}
__all__ = ["__version__", *_HOMES]


def __getattr__(name: str):
    if name not in _HOMES:
        raise AttributeError(f"module 'bayescale' has no attribute {name!r}")
    return getattr(import_module(f"bayescale.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
