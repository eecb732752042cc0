"""Published language models: their scales, and where another scale stands among them.

`published_models` is a table of models whose size and training data are public; `about` uses it to
say where a scale stands ("about the size of PaLM 540B").
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas

__all__ = ["about", "place", "published_models", "scale_of"]

_NAN = math.nan
# fmt: off
_MODELS = (
    # name, organisation, parameters, training tokens, year, source, note
    ("GPT-2 1.5B", "OpenAI", 1.5e9, _NAN, 2019, "Radford et al. 2019 (report)", ""),
    ("GPT-3 Small", "OpenAI", 125e6, 300e9, 2020, "arXiv 2005.14165", ""),
    ("GPT-3 XL", "OpenAI", 1.3e9, 300e9, 2020, "arXiv 2005.14165", ""),
    ("GPT-3 6.7B", "OpenAI", 6.7e9, 300e9, 2020, "arXiv 2005.14165", ""),
    ("GPT-3 13B", "OpenAI", 13e9, 300e9, 2020, "arXiv 2005.14165", ""),
    ("GPT-3 175B", "OpenAI", 175e9, 300e9, 2020, "arXiv 2005.14165", ""),
    ("PanGu-alpha 200B", "Huawei", 200e9, _NAN, 2021, "arXiv 2104.12369", ""),
    ("Jurassic-1 178B", "AI21", 178e9, 300e9, 2021, "Lieber et al. 2021 (report)", ""),
    ("Yuan 1.0 245B", "Inspur", 245e9, 180e9, 2021, "arXiv 2110.04725", ""),
    ("Gopher 280B", "DeepMind", 280e9, 300e9, 2021, "arXiv 2112.11446", ""),
    ("ERNIE 3.0 Titan 260B", "Baidu", 260e9, _NAN, 2021, "arXiv 2112.12731", ""),
    ("LaMDA 137B", "Google", 137e9, _NAN, 2022, "arXiv 2201.08239",
     "168e9 tokens in Table 1 of arXiv 2203.15556; other accounts say far more"),
    ("MT-NLG 530B", "Microsoft, NVIDIA", 530e9, 270e9, 2022, "arXiv 2201.11990", ""),
    ("Chinchilla 70B", "DeepMind", 70e9, 1.4e12, 2022, "arXiv 2203.15556", ""),
    ("PaLM 8B", "Google", 8e9, 780e9, 2022, "arXiv 2204.02311", ""),
    ("PaLM 62B", "Google", 62e9, 780e9, 2022, "arXiv 2204.02311", ""),
    ("PaLM 540B", "Google", 540e9, 780e9, 2022, "arXiv 2204.02311", ""),
    ("GPT-NeoX 20B", "EleutherAI", 20e9, 472e9, 2022, "arXiv 2204.06745", ""),
    ("OPT 175B", "Meta", 175e9, _NAN, 2022, "arXiv 2205.01068",
     "a corpus of 180e9 tokens, a schedule of 300e9"),
    ("GLM 130B", "Tsinghua", 130e9, 400e9, 2022, "arXiv 2210.02414", ""),
    ("BLOOM 176B", "BigScience", 176e9, 366e9, 2022, "arXiv 2211.05100", ""),
    ("LLaMA 7B", "Meta", 6.7e9, 1.0e12, 2023, "arXiv 2302.13971", ""),
    ("LLaMA 13B", "Meta", 13.0e9, 1.0e12, 2023, "arXiv 2302.13971", ""),
    ("LLaMA 33B", "Meta", 32.5e9, 1.4e12, 2023, "arXiv 2302.13971", ""),
    ("LLaMA 65B", "Meta", 65.2e9, 1.4e12, 2023, "arXiv 2302.13971", ""),
    ("Pythia 70M", "EleutherAI", 70e6, 300e9, 2023, "arXiv 2304.01373", ""),
    ("Pythia 410M", "EleutherAI", 410e6, 300e9, 2023, "arXiv 2304.01373", ""),
    ("Pythia 2.8B", "EleutherAI", 2.8e9, 300e9, 2023, "arXiv 2304.01373", ""),
    ("Pythia 12B", "EleutherAI", 12e9, 300e9, 2023, "arXiv 2304.01373", ""),
    ("Llama 2 7B", "Meta", 7e9, 2.0e12, 2023, "arXiv 2307.09288", ""),
    ("Llama 2 13B", "Meta", 13e9, 2.0e12, 2023, "arXiv 2307.09288", ""),
    ("Llama 2 70B", "Meta", 70e9, 2.0e12, 2023, "arXiv 2307.09288", ""),
    ("Falcon 180B", "TII", 180e9, 3.5e12, 2023, "arXiv 2311.16867", ""),
    ("Nemotron-4 340B", "NVIDIA", 340e9, 9e12, 2024, "arXiv 2406.11704", ""),
    ("Llama 3.1 8B", "Meta", 8e9, 15e12, 2024, "arXiv 2407.21783", "about 15e12 tokens"),
    ("Llama 3.1 70B", "Meta", 70e9, 15e12, 2024, "arXiv 2407.21783", "about 15e12 tokens"),
    ("Llama 3.1 405B", "Meta", 405e9, 15.6e12, 2024, "arXiv 2407.21783", ""),
    ("Qwen2.5 72B", "Alibaba", 72.7e9, 18e12, 2024, "arXiv 2412.15115", ""),
)
# fmt: on


def published_models() -> pandas.DataFrame:
    """Tabulate published dense language models, to mark scales on plots and in answers.

    Columns: ``name``, ``organisation``, ``params``, ``tokens`` (NaN where they were not
    published or where accounts differ, which ``note`` then says), ``flops`` = 6 params tokens,
    ``year``, ``source``, ``note``. Models with sparse experts are left out: their total and
    active parameters are not comparable with a dense model's.

    Returns
    -------
    pandas.DataFrame
        One row a model.

    Examples
    --------
    >>> models = bs.datasets.published_models().set_index("name")
    >>> models.loc["Chinchilla 70B", ["params", "tokens"]].tolist()
    [70000000000.0, 1400000000000.0]
    """
    import pandas as pd

    columns = ["name", "organisation", "params", "tokens", "year", "source", "note"]
    table = pd.DataFrame(_MODELS, columns=columns)
    table.insert(4, "flops", 6 * table["params"] * table["tokens"])
    return table


_KINDS = {  # the scale of a model, what it is called, and what has it
    "params": (lambda params, tokens: params, "size", "model"),
    "tokens": (lambda params, tokens: tokens, "training data", "training set"),
    "flops": (lambda params, tokens: 6 * params * tokens, "training compute", "training run"),
}
_SAME_WITHIN = math.log(1.1)


def about(scale: float, kind: str = "params") -> str:
    """Say where a scale stands among published models.

    Parameters
    ----------
    scale
        Parameters, training tokens or FLOP (counted as 6 params tokens).
    kind
        ``"params"``, ``"tokens"`` or ``"flops"``.

    Returns
    -------
    str
        For example "about the size of PaLM 540B" (within 10 %), "between BLOOM 176B and
        PanGu-alpha 200B", or "beyond the largest model listed (PaLM 540B)". Of models that stand
        at the same scale the one with more parameters is named, then the one listed first.

    Raises
    ------
    ValueError
        If the scale is not positive and finite, or the kind is unknown.

    Examples
    --------
    >>> bs.datasets.about(7e10)
    'about the size of Chinchilla 70B'
    """
    if kind not in _KINDS:
        raise ValueError(f"unknown kind of scale {kind!r}; known: {', '.join(_KINDS)}")
    if not 0 < scale < math.inf:
        raise ValueError(f"a scale must be positive and finite, got {scale!r}")
    of, noun, thing = _KINDS[kind]
    known = [
        (math.log(of(params, tokens) / scale), -params, name)
        for name, _, params, tokens, *_ in _MODELS
        if math.isfinite(of(params, tokens))
    ]
    gap, _, nearest = _closest(known)
    if abs(gap) <= _SAME_WITHIN:
        return f"about the {noun} of {nearest}"
    smaller, larger = [m for m in known if m[0] < 0], [m for m in known if m[0] > 0]
    if not larger:
        return f"beyond the largest {thing} listed ({nearest})"
    if not smaller:
        return f"below the smallest {thing} listed ({nearest})"
    between = f"between {_closest(smaller)[2]} and {_closest(larger)[2]}"
    return between if kind == "params" else f"{between} in {noun}"


def _closest(models: list[tuple[float, float, str]]) -> tuple[float, float, str]:
    return min(models, key=lambda m: (abs(m[0]), m[1]))


SCALES = (  # what a scale is, from its name and column; the least that is plausible in plain units
    ("params", re.compile(r"param|^N\b", re.IGNORECASE), 1e6),
    ("tokens", re.compile(r"token|^D\b", re.IGNORECASE), 1e8),
    ("flops", re.compile(r"flop|compute|^C\b", re.IGNORECASE), 1e15),
)


def scale_of(name: str) -> str | None:
    """Return what a scale is, from its name and column: params, tokens, flops, or None."""
    return next((kind for kind, pattern, _ in SCALES if pattern.search(name)), None)


def place(log10_scale: float, name: str) -> str:
    """Return where a scale stands among published models, after a comma; "" where they have none.

    ", about the size of PaLM 540B" within a tenth of it, else ", between BLOOM 176B and PanGu-alpha
    200B", or beyond the largest, or below the smallest; likewise of tokens and FLOP.
    """
    for kind, pattern, least in SCALES:
        if pattern.search(name) and np.isfinite(log10_scale) and 10**log10_scale >= least:
            return f", {about(10**log10_scale, kind)}"
    return ""
