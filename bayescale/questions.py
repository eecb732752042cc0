"""questions: what the command line may ask of saved fits, curve by curve, and of tables of tasks.

One fit is asked as it is. Several fits of one table under several laws are asked as a mixture. Of
a fit that pools families, one family is asked about: the average one unless another is named.

Floor 8.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from . import many
from .allocation import allocate
from .data.dataset import Dataset
from .inference.fit import make_model
from .inference.samplers import NUTS
from .laws import get_law
from .model.arrays import pack
from .parametric.parametric import Parametric
from .posterior.groups import AVERAGE, NEW, for_group
from .posterior.health import FailedFit
from .posterior.mixture import Mixture, mix
from .posterior.posterior import Posterior
from .posterior.storage import load
from .tradeoff import compare_configurations, match

__all__ = ["Plan", "Saved", "Tasks", "ask", "refusals", "saved"]


@dataclass(frozen=True)
class Saved:
    """Fits as they were saved; iterating gives what is asked of each curve."""

    fits: Mapping[str, Posterior]
    """By name of the law, as they were saved."""
    weights: Mapping[str, float] | None = None
    """Of several fits; None where all are alike."""
    family: str | None = None
    """The family that is asked about: `NEW`, `AVERAGE` or its name; None where none is pooled."""

    @property
    def only(self) -> Posterior | None:
        """The fit, where there is one."""
        return next(iter(self.fits.values())) if len(self.fits) == 1 else None

    @property
    def notes(self) -> tuple[str, ...]:
        """What is to be said with every answer."""
        if self.family is None:
            return ()
        others = "" if self.family != AVERAGE else "; for others give --family NAME, or new"
        return (f"of the families, this speaks of {self.family}{others}",)

    def __iter__(self) -> Iterator[tuple[str | None, Posterior | Mixture]]:
        asked = {
            name: one if self.family is None or not one.model.pool else for_group(one, self.family)
            for name, one in self.fits.items()
        }
        first = next(iter(asked.values()))
        if len(asked) == 1:
            yield from first
            return
        for name in first.curves or (None,):
            parts = {k: one if name is None else one.curve(name) for k, one in asked.items()}
            yield name, mix(parts, self.weights)


def saved(paths: Sequence[str], weights: str | None = None, family: str | None = None) -> Saved:
    """Return the fits in these files.

    Parameters
    ----------
    weights
        Weights of several fits, in their order: `.7,.3`.
    family
        A family's name, `new` or `average`; None for the average one, where families are pooled.

    Raises
    ------
    ValueError
        If a file is no fit, weights do not fit, or there is no such family.
    """
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
    return Saved(fits, _weights(weights, [*fits]), _family(fits, family))


def _family(fits: Mapping[str, Posterior], text: str | None) -> str | None:
    """Return the family as `for_group` calls it; None where nothing is pooled, nor asked."""
    pooled = [one for one in fits.values() if one.model.pool]
    if not pooled and text is None:
        return None
    if not pooled:
        raise ValueError("--family: nothing is pooled in this fit; fit it with --group COLUMN")
    names = pooled[0].data.group_names
    known = {"new": NEW, "average": AVERAGE} | dict(zip(names, names, strict=True))
    if (text or "average") not in known:
        few = ", ".join(names[:20])
        raise ValueError(f"--family: no family {text!r}; they are {few}; or say new or average")
    return known[text or "average"]


def _weights(text: str | None, names: Sequence[str]) -> dict[str, float] | None:
    """Return the weight of each fit: `.7,.3`."""
    if text is None:
        return None
    try:
        found = [float(part) for part in text.split(",")]
    except ValueError:
        raise ValueError(f"--weights: write numbers, such as .7,.3, not {text!r}") from None
    if len(found) != len(names):
        raise ValueError(
            f"--weights: {len(found)} weights for {len(names)} fits; give one for each"
        )
    return dict(zip(names, found, strict=True))


def ask(which: Posterior | Saved, question: Callable[[Any], Any]) -> dict[str | None, Any]:
    """Put a question to each curve; a curve whose fit is refused answers with a `FailedFit`."""
    answers: dict[str | None, Any] = {}
    notes = getattr(which, "notes", ())
    for name, one in which:
        try:
            answer = question(one)
        except FailedFit as refusal:
            text = str(refusal).replace("pass allow_failed=True", "add --allow-failed")
            answers[name] = FailedFit(text)
            continue
        answers[name] = _noted(answer, notes) if notes else answer
    return answers


def _noted(answer: Any, notes: tuple[str, ...]) -> Any:
    if isinstance(answer, Mapping):
        return {name: _noted(part, notes) for name, part in answer.items()}
    return replace(answer, notes=(*answer.notes, *notes))


def refusals(answers: Mapping[str | None, Any]) -> list[str]:
    """Return why each refused question was refused."""
    return [str(answer) for answer in answers.values() if isinstance(answer, FailedFit)]


@dataclass(frozen=True)
class Plan:
    """Questions about parameters and tokens; at least one of the first four is asked."""

    flops: float | None
    """Budget to split."""
    loss: float | None
    """Loss to reach."""
    match: Mapping[str, float] | None
    """Configuration whose loss is to be reached."""
    versus: Sequence[Mapping[str, float]]
    """Two configurations to compare, or none."""
    extra: float
    """Share of compute that the smallest model may cost beyond the cheapest."""
    inference_tokens: float
    at: Mapping[str, float] | None
    """The law's other inputs."""
    seed: int
    allow_failed: bool

    def __post_init__(self) -> None:
        if self.versus and len(self.versus) != 2:
            raise ValueError(f"--versus compares two: give it twice, not {len(self.versus)} times")
        if self.loss is not None and self.match:
            raise ValueError("--loss and --match both name a loss to reach: give one of them")
        if self.flops is None and self.loss is None and not self.match and not self.versus:
            raise ValueError(
                "nothing is asked: give --flops, --budget, --loss, --match or --versus"
            )

    def __call__(self, posterior: Posterior) -> dict[str, Any]:
        """Return an Allocation, a TradeOff and a Comparison, as far as they are asked for."""
        found: dict[str, Any] = {}
        common = dict(at=self.at, allow_failed=self.allow_failed)
        common["inference_tokens"] = self.inference_tokens
        if self.flops is not None:
            found["allocation"] = allocate(posterior, self.flops, **common)
        if self.loss is not None or self.match:
            to = {"loss": self.loss} if self.loss is not None else self._size(posterior)
            found["tradeoff"] = match(posterior, **to, extra=self.extra, **common)
        if self.versus:
            how = dict(seed=self.seed, allow_failed=self.allow_failed)
            found["comparison"] = compare_configurations(posterior, *self.versus, **how)
        return found

    def _size(self, posterior: Posterior) -> dict[str, float]:
        """Return N and D of the configuration to match, which may be given by column."""
        columns = {posterior.data.columns.get(name): name for name in posterior.law.inputs}
        named = {columns.get(name, name): value for name, value in self.match.items()}
        if set(named) != {"N", "D"}:
            got = ", ".join(self.match)
            raise ValueError(f"--match takes parameters and tokens, N=280e9,D=300e9; got {got}")
        return named


@dataclass(frozen=True)
class Tasks:
    """What is asked of a table of tasks; the whole of it is checked before the first draw."""

    laws: tuple[str, ...]
    level: float | str | None
    horizon: float | None
    drift: float
    backtest: float | None
    noise: str | Mapping[str, str] | None
    pool: tuple[str, ...] | None
    sampler: NUTS
    seed: int
    precision: str

    def __post_init__(self) -> None:
        if not 0 <= self.drift < float("inf"):
            raise ValueError(f"--drift: an sd is 0 or more, not {self.drift:g}")
        if self.backtest is not None and not 0 < self.backtest < 1:
            raise ValueError(f"--backtest: a share lies between 0 and 1, not {self.backtest:g}")
        if isinstance(self.level, float) and not 0 < self.level < 1:
            raise ValueError(f"--level: of an accuracy it lies between 0 and 1, not {self.level:g}")

    @property
    def formulas(self) -> list[Parametric]:
        """The laws."""
        return [get_law(name) for name in self.laws]

    def _check(self, data: Dataset) -> None:
        """Refuse what a law, or the question of an unlock, would refuse after the first fits."""
        for law in self.formulas:
            if law.inputs == tuple(data.inputs) and not law.beside:
                pack(make_model(law, data, self.noise, many.pool_of(law, self.pool)), data)
        largest = max(x.max() for x in data.inputs.values())
        if self.horizon is not None and not largest <= self.horizon < float("inf"):
            raise ValueError(
                f"--horizon: {self.horizon:.4g} is not at or above the largest run, {largest:.4g}"
            )

    def __call__(self, data: Dataset, progress: Callable[[str, float], None]) -> many.Tasks:
        """Return the kind, explanation and unlock of each task."""
        self._check(data)
        settings = {each.name: getattr(self, each.name) for each in fields(self)}
        return many.tasks(data, progress=progress, **settings)
