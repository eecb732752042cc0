"""saved: what the command line may ask of saved fits, curve by curve, and of tables of tasks.

One fit is asked as it is. Several fits of one table under several laws are asked as a mixture. Of
a fit that pools groups, one group is asked about: the average one unless another is named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..data.given import same_label
from ..messages import Note, near
from ..posterior.groups import AVERAGE, NEW, for_group
from ..posterior.health import FailedFit
from ..posterior.mixture import Mixture, mix, summary_of_fits
from ..posterior.posterior import Posterior
from ..posterior.storage import load

__all__ = ["Saved", "ask", "parts", "refusals", "refused", "saved"]


@dataclass(frozen=True)
class Saved:
    """Fits as they were saved; iterating gives what is asked of each curve."""

    fits: Mapping[str, Posterior]
    """By name of the law, as they were saved."""
    weights: Mapping[str, float] | None = None
    """Of several fits; None where all are alike."""
    group: str | None = None
    """The group that is asked about: `NEW`, `AVERAGE` or its name; None where none is pooled."""

    @property
    def only(self) -> Posterior | None:
        """The fit, where there is one."""
        return next(iter(self.fits.values())) if len(self.fits) == 1 else None

    @property
    def notes(self) -> tuple[Note, ...]:
        """What is to be said with every answer."""
        if self.group is None:
            return ()
        others = "" if self.group != AVERAGE else "; for others give --group NAME, or new"
        return (Note("group", f"of the groups, this speaks of {self.group}{others}"),)

    def summary(self) -> dict[str, Any]:
        """Return the summary of the fit, or of the fits and their weights."""
        if self.only is not None:
            return self.only.summary()
        weights = self.weights or dict.fromkeys(self.fits, 1 / len(self.fits))
        return summary_of_fits(self.fits, weights, "given" if self.weights else "equal")

    def __iter__(self) -> Iterator[tuple[str | None, Posterior | Mixture]]:
        asked = {
            name: one if self.group is None or not one.model.pool else for_group(one, self.group)
            for name, one in self.fits.items()
        }
        first = next(iter(asked.values()))
        if len(asked) == 1:
            yield from first
            return
        for name in first.curves or (None,):
            parts = {k: one if name is None else one.curve(name) for k, one in asked.items()}
            yield name, mix(parts, self.weights)


def saved(paths: Sequence[str], weights: str | None = None, group: str | None = None) -> Saved:
    """Return the fits in these files.

    Parameters
    ----------
    weights
        Weights of several fits, in their order: `.7,.3`.
    group
        A group's name, `new` or `average`; None for the average one, where groups are pooled.

    Raises
    ------
    ValueError
        If a file is no fit, weights do not fit, or there is no such group.
    """
    shares = _weights(weights, len(paths))
    fits: dict[str, Posterior] = {}
    for i, path in enumerate(paths):
        if path in paths[:i]:
            raise ValueError(f"{path}: is given twice; give each fit once")
        one = load(path)
        name = one.law.name
        fits[f"{name} ({Path(path).stem})" if name in fits else name] = one
    first = next(iter(fits.values()))
    if len(fits) < len(paths):
        raise ValueError(f"{', '.join(paths)}: fits of one law need files of different names")
    for path, one in zip(paths, fits.values(), strict=True):
        if set(one.curves) != set(first.curves):
            raise ValueError(f"{path}: has other curves than {paths[0]}; mix fits of one table")
    return Saved(fits, shares and dict(zip(fits, shares, strict=True)), _group(fits, group))


def _group(fits: Mapping[str, Posterior], text: str | None) -> str | None:
    """Return the group as `for_group` calls it; None where nothing is pooled, nor asked."""
    pooled = [one for one in fits.values() if one.model.pool]
    if not pooled and text is None:
        return None
    if not pooled:
        raise ValueError("--group: nothing is pooled in this fit; fit it with --group COLUMN")
    names = pooled[0].data.group_names
    known = {"new": NEW, "average": AVERAGE} | dict(zip(names, names, strict=True))
    wanted = "average" if text is None else same_label(text, known)
    if wanted not in known:
        raise ValueError(f"--group: no group {text!r}{near(wanted, names)}; or say new or average")
    return known[wanted]


def _weights(text: str | None, count: int) -> list[float] | None:
    """Return the weight of each fit: `.7,.3`."""
    if text is None:
        return None
    try:
        found = [float(part) for part in text.split(",")]
    except ValueError:
        raise ValueError(f"--weights: write numbers, such as .7,.3, not {text!r}") from None
    if len(found) != count:
        raise ValueError(f"--weights: {len(found)} weights for {count} fits; give one for each")
    return found


def ask(
    which: Saved, question: Callable[[Any], Mapping[str, Any]]
) -> dict[str | None, Mapping[str, Any] | FailedFit]:
    """Put a question to each curve; a curve whose fit is refused answers with a `FailedFit`.

    Parameters
    ----------
    question
        Returns the answers under the keys that they have in the document.
    """
    answers: dict[str | None, Any] = {}
    for name, one in which:
        try:
            answer = question(one)
        except FailedFit as refusal:
            answers[name] = refusal
            continue
        answers[name] = {key: _noted(each, which.notes) for key, each in answer.items()}
    return answers


def parts(one: Posterior | Mixture) -> Mapping[str, Posterior]:
    """Return the posteriors of what is asked, by law."""
    return one.parts if isinstance(one, Mixture) else {one.law.name: one}


def _noted(answer: Any, notes: tuple[Note, ...]) -> Any:
    """Return the answer with what is to be said with each, in place of notes of the same kind."""
    kinds = {note.kind for note in notes}
    own = [note for note in answer.notes if note.kind not in kinds]
    return replace(answer, notes=(*own, *notes))


def refused(answer: Any) -> str | None:
    """Return why a question was refused, and how the command line asks all the same."""
    return answer.said("add --allow-failed") if isinstance(answer, FailedFit) else None


def refusals(answers: Mapping[str | None, Any]) -> list[str]:
    """Return why each refused question was refused."""
    return [why for why in map(refused, answers.values()) if why is not None]
