"""The built-in noises by name, and which one a response has unless the user says otherwise."""

from __future__ import annotations

from ..messages import near
from ..parametric.parametric import Law, Noise, Parametric
from .accuracy import beta_binomial, bimodal, binomial, bounded, logit_normal, scale_scatter
from .loss import frontier, laplace, lognormal, normal, student

__all__ = ["NOISES", "default_noise", "get_noise"]


NOISES: dict[str, Noise] = {
    made.name: made
    for made in (
        student,
        lognormal,
        laplace,
        normal,
        frontier,
        bounded,
        logit_normal,
        scale_scatter,
        beta_binomial,
        binomial,
        bimodal,
    )
}


def default_noise(law: Law, counted: bool, runs: bool = False) -> str:
    """Return the name of the noise that a law's response has unless the user says otherwise.

    `counted`: the number of questions behind each response is known. `runs`: several rows are of
    one run, which takes a noise of a location and a scale.

    Returns
    -------
    str
        A name that `get_noise` takes.

    Examples
    --------
    >>> bs.noises.default_noise(bs.laws.sigmoid, counted=True)
    'scale_scatter'
    """
    if law.support == "positive":
        return "student"
    if law.support == "unit" and counted:
        return "logit_normal" if runs else "scale_scatter"
    # `normal` has a sigma, as the noise of a loss beside an accuracy has.
    return "bounded" if law.support == "unit" and law.further else "normal"


def get_noise(text: str | Parametric) -> Noise:
    """Return the noise that `text` names.

    Returns
    -------
    Noise
        The noise.

    Raises
    ------
    ValueError
        If there is no such noise, or what is given is a law.

    Examples
    --------
    >>> bs.noises.get_noise("student").parameters
    ('sigma', 'nu')
    """
    if isinstance(text, Noise):
        return text
    if isinstance(text, Parametric):
        raise ValueError(f"{text.name} is a law, no noise; the noises are {', '.join(NOISES)}")
    if text not in NOISES:
        raise ValueError(f"unknown noise {text!r}{near(text, NOISES)}")
    return NOISES[text]
