"""Finding: what is wrong and what to do; Misfit: the finding of a look at data and law."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from ..messages import Note

__all__ = ["Finding", "Misfit"]


@dataclass(frozen=True)
class Finding:
    """What is wrong, and what to do about it."""

    problems: tuple[str, ...] = ()
    """A line each; empty where it is sound."""
    advice: tuple[str, ...] = ()
    """The likeliest remedy first."""

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems

    def summary(self) -> dict[str, Any]:
        """Return plain numbers and texts."""
        return {"sound": self.sound} | asdict(self)


@dataclass(frozen=True)
class Misfit(Finding):
    """How one curve's data lie about the law that was fitted to them.

    Its problems are contradictions within the data.
    """

    notes: tuple[Note, ...] = ()
    """What should be said with every answer, and refuses none."""
    distinct: Mapping[str, int] = field(default_factory=dict)
    """Of each scale how many values there are that differ by more than a hundredth."""
    span: Mapping[str, float] = field(default_factory=dict)
    """Largest over smallest value of each scale."""
    chance: float = 1.0
    """Probability that noise alone would make residuals lie together so."""
    relative: float = 0.0
    """Size of the residuals' pattern, as a multiple of what the law varies by over the data."""
    outside: float = 0.0
    """Share of the rows outside the 90 % interval of a run there."""
    far: tuple[int, ...] = ()
    """Numbers of the rows that lie more than five sigma off."""

    def summary(self) -> dict[str, Any]:
        """Return plain numbers and texts."""
        return super().summary() | {"notes": [str(note) for note in self.notes]}
