"""The built-in laws.

| question | file |
|---|---|
| which laws are there, and how are they called? | `names` |
| how does loss fall with scale? | `loss`, with bends `broken` |
| and where sizes and tokens are not separable? | `farseer` |
| and nearly, with a misfit? | `approximate` |
| and of several recipes at once? | `recipes` |
| how does accuracy rise, or fall? | `capability`, `distractor` |
| what may still come where nothing has happened? | `later` |
| accuracy from loss, and both together? | `two_stage` |
| what is known in closed form, and published? | `powers`; without data: `published` |
"""

from .approximate import approximate
from .broken import broken, broken_accuracy
from .capability import elbow, exact_match, flat, multi_step, sigmoid
from .distractor import distractor, inverse, inverted_u
from .farseer import farseer
from .loss import (
    chinchilla,
    data_constrained,
    kaplan,
    kaplan_steps,
    power,
    saturating,
    shifted_power,
)
from .names import LAWS, get_law
from .powers import BESIROGLU, FARSEER, HOFFMANN, KAPLAN, KAPLAN_FRONTIER, implied_exponent
from .published import PUBLISHED, value_at
from .two_stage import breakthrough, from_loss, two_stage

__all__ = [
    "BESIROGLU",
    "FARSEER",
    "HOFFMANN",
    "KAPLAN",
    "KAPLAN_FRONTIER",
    "LAWS",
    "PUBLISHED",
    "approximate",
    "breakthrough",
    "broken",
    "broken_accuracy",
    "chinchilla",
    "data_constrained",
    "distractor",
    "elbow",
    "exact_match",
    "farseer",
    "flat",
    "from_loss",
    "get_law",
    "implied_exponent",
    "inverse",
    "inverted_u",
    "kaplan",
    "kaplan_steps",
    "multi_step",
    "power",
    "saturating",
    "shifted_power",
    "sigmoid",
    "two_stage",
    "value_at",
]
