"""Plots: each draws an answer on given axes, or on new ones, and returns the axes.

| question | plot | what it draws |
|---|---|---|
| does the law fit, where does it lead? | `curve` | a fit or a mixture of one scale |
| what does the law say before the data? | `prior` | `prior_predictive` |
| what is left over? | `residuals` | a fit |
| how steep is the law? | `exponents` | a fit |
| how does loss vary with the split of a budget? | `isoflop` | a fit or a mixture of N and D |
| how is a budget best split? | `allocation` | `allocate` |
| which other ways lead to the same loss? | `isoloss` | `match` |
| when is a level passed? | `threshold` | `threshold` |
| how much less does a recipe need? | `multiplier` | `multiplier` |
| which kind of curve is it? | `kinds` | `kind` |
| which law would have foretold the runs best? | `laws` | `compare_laws` |
| what do many tasks do? | `tasks` | `tasks`; a page, and so a figure |

What a picture of a fit needs is asked for where it is not given: `curve(fit)` is
`curve(fit, predict(fit, grid(fit)))`. Beyond that nothing is computed here.

Bands are intervals with equal tails: 50 % darker, 90 % lighter, and for new runs the lightest.
Beyond the data the ground is shaded and lines are dashed. A fit that is not to be trusted is drawn
all the same, and named so. `style()` gives figures that you make yourself the same look;
`ax.figure.savefig(...)` keeps one.
"""

from .exponents import exponents
from .fit import curve, residuals
from .isoflop import isoflop
from .kinds import kinds
from .laws import laws
from .multiplier import multiplier
from .planning import allocation, isoloss
from .prior import prior
from .style import style
from .tasks import tasks
from .threshold import threshold

__all__ = [
    "allocation",
    "curve",
    "exponents",
    "isoflop",
    "isoloss",
    "kinds",
    "laws",
    "multiplier",
    "prior",
    "residuals",
    "style",
    "tasks",
    "threshold",
]
