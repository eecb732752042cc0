"""decisions: the options of `next` and `multiplier`."""

from __future__ import annotations

from typing import Annotated

from .options import Number, Text, Texts
from .panels import in_fit, in_question, in_table

# ------------------------------------------------------------------ which runs next

Candidates = Annotated[
    str,
    in_question("Table of the runs that can be made, with the scales of the fit.", metavar="TABLE"),
]
Targets = Annotated[
    list[str],
    in_question(
        "What is wanted: scales, a parameter (alpha), unlock, a best split ('N at 1e21'), or which "
        "law is right (law). May be repeated.",
        metavar="N=7e10,D=1.4e12",
    ),
]
RunCost = Annotated[
    Text,
    in_question(
        "What a run costs: a column, or arithmetic; else 6*N*D.", "--cost", metavar='"6*N*D"'
    ),
]
RunBudget = Annotated[
    Number, in_question("What all runs may cost together, in the unit of --cost.", "--budget")
]
Most = Annotated[int | None, in_question("How many runs at most; 5 without a budget.")]

# ------------------------------------------------------------------ is one recipe better

Recipe = Annotated[Texts, in_table("The recipe of a run.", "--group", metavar="COL")]
Pair = Annotated[
    Texts,
    in_table(
        "Rows that belong together, such as the seed's; of losses by default those of one scale.",
        "--pair",
        metavar="COL",
    ),
]
Baseline = Annotated[
    Text, in_table("The recipe others are measured by; else that of most runs.", metavar="NAME")
]
FactorAt = Annotated[
    Texts,
    in_question(
        "Scales asked about; by default of the data, and 10 and 100 times beyond. May be repeated.",
        "--at",
        metavar="flops=1e21",
    ),
]
FactorLevel = Annotated[
    Text,
    in_question(
        "Levels at which thresholds are compared; of accuracies one by default.",
        "--level",
        metavar=".5,.7",
    ),
]
Possible = Annotated[
    Text,
    in_question(
        "Table of the runs that can be made, with scale and recipe: says which tell most.",
        "--candidates",
        metavar="TABLE",
    ),
]
FactorTargets = Annotated[
    Texts,
    in_question(
        "What these are to tell: a factor at a scale, 'unlock of B', or what is common (law); else "
        "the main factors. May be repeated.",
        "--target",
        metavar='"B at 1e21"',
    ),
]
Common = Annotated[
    Texts,
    in_fit(
        "What recipes have in common, floor and exponent (of accuracies all but the threshold); "
        "else weighed by evidence.",
        metavar="all|floor|nothing",
    ),
]
