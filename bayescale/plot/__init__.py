"""Plots: each draws a finished result on given axes, or on new ones, and returns the axes.

| question | plot | what it draws |
|---|---|---|
| does the law fit, where does it lead? | `data_and_curve` | `predict(fit, grid(fit))` |
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

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .fit import data_and_curve as data_and_curve
    from .fit import exponents as exponents
    from .fit import residuals as residuals
    from .planning import allocation as allocation
    from .planning import isoflop as isoflop
    from .planning import isoloss as isoloss
    from .style import style as style
    from .tasks import comparison as comparison
    from .tasks import kinds as kinds
    from .tasks import tasks as tasks
    from .threshold import threshold as threshold
    from .threshold import unlock as unlock

_HOMES = {
    "allocation": "planning",
    "comparison": "tasks",
    "data_and_curve": "fit",
    "exponents": "fit",
    "isoflop": "planning",
    "isoloss": "planning",
    "kinds": "tasks",
    "residuals": "fit",
    "style": "style",
    "tasks": "tasks",
    "threshold": "threshold",
    "unlock": "threshold",
}
__all__ = [*_HOMES]


def __getattr__(name: str):
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return __all__
