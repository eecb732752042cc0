"""Run the studies named, or all of them."""

import sys
from importlib import import_module

STUDIES = {
    "calibration": "calibration",
    "loss_laws": "loss_laws",
    "extrapolation": "extrapolation",
    "speed": "speed",
    "starts": "starts",
    "robustness": "robustness",
    "labels": "unlock.labels",
    "beliefs": "unlock.beliefs",
    "kinds": "unlock.kinds",
    "unlock": "unlock.real",
    "unlock_simulated": "unlock.simulated",
    "unlocks_ahead": "unlock.ahead",
    "explanations": "explanations",
    "conditions": "conditions",
    "metric": "metric",
    "two_stage": "two_stage",
    "cost": "cost",
    "lack_of_fit": "lack_of_fit",
    "new_runs": "new_runs",
    "dependence": "dependence",
    "checkpoints": "checkpoints",
    "forecasts": "forecasts",
    "surfaces": "surfaces",
    "calibrate": "calibrate",
    "next_runs": "next_runs",
    "multiplier": "multiplier",
    "isoflop": "isoflop",
    "tasks_calibration": "unlock.whole",
    "sbc": "sbc",
}
"""Name of a study -> its module."""


def main(names: list[str]) -> None:
    """Run each study in turn."""
    unknown = set(names) - STUDIES.keys()
    if unknown:
        sys.exit(f"no study {', '.join(sorted(unknown))}; there are {', '.join(STUDIES)}")
    for name in names or STUDIES:
        import_module(f"benchmarks.{STUDIES[name]}").main()


if __name__ == "__main__":
    main(sys.argv[1:])
