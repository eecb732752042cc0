"""questions: what the command line may ask of a saved fit, curve by curve.

Floor 8.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .allocation import allocate
from .posterior import FailedFit, Posterior
from .tradeoff import compare_configurations, match

__all__ = ["Plan", "ask", "refusals"]


def ask(posterior: Posterior, question: Callable[[Posterior], Any]) -> dict[str | None, Any]:
    """Put a question to each curve; a curve whose fit is refused answers with a `FailedFit`."""
    answers: dict[str | None, Any] = {}
    for name, one in posterior:
        try:
            answers[name] = question(one)
        except FailedFit as refusal:
            text = str(refusal).replace("pass allow_failed=True", "add --allow-failed")
            answers[name] = FailedFit(text)
    return answers


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
