"""shown: the tables of a fit, made of its summary."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .display import MASS, Sheet, count, number, span

__all__ = ["curve", "medians"]


def curve(part: Mapping[str, Any], sampling: Mapping[str, Any], scale: str | None) -> list[Sheet]:
    """Return the quantities of one curve, and how far its groups lie from the average one.

    Parameters
    ----------
    part
        `quantities`, `health` and maybe `groups` of the curve.
    sampling
        Of the whole fit: what is fixed and tied.
    scale
        The quantity that is a scale, such as x50; None without.
    """
    health = part["health"]
    held = dict.fromkeys(sampling["fixed"], "fixed")
    held |= {name: f"= {to}" for name, to in sampling["tied"].items()}
    rows = []
    for name, found in part["quantities"].items():
        say = count if name == scale else number
        weak = {name, name.rstrip("0123456789")} & set(health["unidentified"])
        row = [say(found["median"]), span(found["lo"], found["hi"], say)]
        row += [_form(health["rhat"].get(name), ".3f"), _form(health["ess"].get(name), ",.0f")]
        if name in held:
            row = [say(found["median"]), held[name], "", ""]
        rows.append([name + " *" * bool(weak), *row])
    columns = ("", "median", f"{MASS} interval", "R-hat", "ESS")
    little = ", ".join(health["unidentified"])
    foot = [f"* the data say little about {little}: mostly the prior"] if little else []
    groups = part.get("groups", {}).items()
    return [Sheet(columns, rows, foot=foot), *(_groups(of, found) for of, found in groups)]


def _form(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def _groups(of: str, found: Mapping[str, Any]) -> Sheet:
    """Return how far a pooled parameter of each group lies from the average one's."""
    rows = [
        [name, number(each["median"], 3), span(each["lo"], each["hi"]), str(each["runs"])]
        for name, each in found.items()
    ]
    unit = next(iter(found.values()))["unit"]
    head = f"{of} of each group beside the average one, in {unit}"
    return Sheet(("", "median", f"{MASS} interval", "runs"), rows, head)


def medians(curves: Mapping[str, Any], scale: str | None) -> Sheet:
    """Return many curves, one a row, medians only."""
    names = list(next(iter(curves.values()))["quantities"])
    rows = []
    for curve, part in curves.items():
        told = {name: found["median"] for name, found in part["quantities"].items()}
        cells = [(count if name == scale else number)(told.get(name), 3) for name in names]
        rows.append([curve, "sound" if part["health"]["sound"] else "NOT TRUSTED", *cells])
    return Sheet(("curve", "", *names), rows, "medians", left=2)
