"""Plots: each draws a finished result on given axes, or on new ones, and returns the axes.

| question | plot | what it draws |
|---|---|---|
| does the law fit, where does it lead? | `data_and_curve` | `predict(fit, grid(fit))` |
| what does the law say before the data? | `prior` | `prior_predictive(law, data)` |
| what is left over? | `residuals` | `residuals.residuals(fit)` |
| how fast does it fall? | `exponents` | a posterior |
| how is a budget best split? | `isoflop`, `allocation` | `predict(fit, isoflop(...))`, `allocate` |
| which other ways lead to the same loss? | `isoloss` | `match` |
| when is a capability unlocked? | `threshold` | `threshold` |

Of many tasks, `plot_tasks` has a page; of one, the kinds of its curve and its laws side by side.

Bands are intervals with equal tails: 50 % darker, 90 % lighter, and for new runs the lightest.
Beyond the data the ground is shaded and lines are dashed. `style()` gives figures that you make
yourself the same look; `ax.figure.savefig(...)` keeps one.
"""

from .fit import data_and_curve, exponents, residuals
from .planning import allocation, isoflop, isoloss
from .prior import prior
from .style import style
from .tasks import comparison, kinds, tasks
from .threshold import threshold, unlock

__all__ = [
    "allocation",
    "comparison",
    "data_and_curve",
    "exponents",
    "isoflop",
    "isoloss",
    "kinds",
    "prior",
    "residuals",
    "style",
    "tasks",
    "threshold",
    "unlock",
]
