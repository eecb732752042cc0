"""What scatters about the law.

| question | file |
|---|---|
| losses and error rates, any real response? | `loss` |
| accuracies and other shares? | `accuracy` |
| how are their densities written? | `densities` |
| what have rows of one run in common? | `runs` |
| which noises are there, and which is the default? | `names` |

All but `binomial` take a known standard error, in the response's unit, which adds to their own.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .accuracy import beta_binomial as beta_binomial
    from .accuracy import bimodal as bimodal
    from .accuracy import binomial as binomial
    from .accuracy import bounded as bounded
    from .accuracy import logit_normal as logit_normal
    from .accuracy import scale_scatter as scale_scatter
    from .loss import frontier as frontier
    from .loss import laplace as laplace
    from .loss import lognormal as lognormal
    from .loss import normal as normal
    from .loss import student as student
    from .names import NOISES as NOISES
    from .names import default_noise as default_noise
    from .names import get_noise as get_noise

_HOMES = {
    "NOISES": "names",
    "beta_binomial": "accuracy",
    "bimodal": "accuracy",
    "binomial": "accuracy",
    "bounded": "accuracy",
    "default_noise": "names",
    "frontier": "loss",
    "get_noise": "names",
    "laplace": "loss",
    "logit_normal": "accuracy",
    "lognormal": "loss",
    "normal": "loss",
    "scale_scatter": "accuracy",
    "student": "loss",
}
__all__ = [*_HOMES]


def __getattr__(name: str):
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return __all__
