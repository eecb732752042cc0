"""Run the studies named, or all of them."""

import sys
from importlib import import_module

STUDIES = ("calibration", "loss_laws", "extrapolation", "speed", "labels", "kinds", "unlock")
STUDIES += ("unlock_simulated", "explanations", "conditions", "metric", "two_stage", "cost")


def main(names: list[str]) -> None:
    """Run each study in turn."""
    unknown = set(names) - set(STUDIES)
    if unknown:
        sys.exit(f"no study {', '.join(sorted(unknown))}; there are {', '.join(STUDIES)}")
    for name in names or STUDIES:
        import_module(f"benchmarks.{name}").main()


main(sys.argv[1:])
