"""The built-in laws.

| question | file |
|---|---|
| which laws are there, and how are they called? | `names` |
| how does loss fall with scale? | `loss`, with bends `broken` |
| how does accuracy rise, or fall? | `capability`, `distractor` |
| accuracy from loss, and both together? | `two_stage` |
| what is known in closed form, and published? | `powers` |
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .broken import broken as broken
    from .broken import broken_accuracy as broken_accuracy
    from .capability import elbow as elbow
    from .capability import exact_match as exact_match
    from .capability import flat as flat
    from .capability import multi_step as multi_step
    from .capability import sigmoid as sigmoid
    from .distractor import distractor as distractor
    from .distractor import inverse as inverse
    from .distractor import inverted_u as inverted_u
    from .loss import chinchilla as chinchilla
    from .loss import data_constrained as data_constrained
    from .loss import kaplan as kaplan
    from .loss import kaplan_steps as kaplan_steps
    from .loss import power as power
    from .loss import saturating as saturating
    from .loss import shifted_power as shifted_power
    from .names import LAWS as LAWS
    from .names import get_law as get_law
    from .powers import BESIROGLU as BESIROGLU
    from .powers import HOFFMANN as HOFFMANN
    from .powers import KAPLAN as KAPLAN
    from .powers import KAPLAN_FRONTIER as KAPLAN_FRONTIER
    from .powers import implied_exponent as implied_exponent
    from .two_stage import breakthrough as breakthrough
    from .two_stage import from_loss as from_loss
    from .two_stage import two_stage as two_stage

_HOMES = {
    "BESIROGLU": "powers",
    "HOFFMANN": "powers",
    "KAPLAN": "powers",
    "KAPLAN_FRONTIER": "powers",
    "LAWS": "names",
    "breakthrough": "two_stage",
    "broken": "broken",
    "broken_accuracy": "broken",
    "chinchilla": "loss",
    "data_constrained": "loss",
    "distractor": "distractor",
    "elbow": "capability",
    "exact_match": "capability",
    "flat": "capability",
    "from_loss": "two_stage",
    "get_law": "names",
    "implied_exponent": "powers",
    "inverse": "distractor",
    "inverted_u": "distractor",
    "kaplan": "loss",
    "kaplan_steps": "loss",
    "multi_step": "capability",
    "power": "loss",
    "saturating": "loss",
    "shifted_power": "loss",
    "sigmoid": "capability",
    "two_stage": "two_stage",
}
__all__ = [*_HOMES]


def __getattr__(name: str):
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return __all__
