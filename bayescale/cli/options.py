"""options: what each argument and option of the command line is called, and means."""

from __future__ import annotations

from typing import Annotated, Any

import typer


def _option(text: str, *names: str, metavar: str | None = None) -> Any:
    return typer.Option(*names, help=text, metavar=metavar)


def _argument(text: str, metavar: str) -> Any:
    return typer.Argument(help=text, metavar=metavar)


Text = str | None
Texts = list[str] | None
Number = float | None

# ------------------------------------------------------------------ what is fitted

Table = Annotated[
    str,
    _argument(
        "CSV, TSV, JSON, Parquet, Feather or XLSX file, - for standard input, or a name of `data`.",
        "TABLE",
    ),
]
Law = Annotated[Text, _option('chinchilla, "broken(2)", ...; see `laws`.', metavar="LAW")]
X = Annotated[
    Texts,
    _option(
        "A scale, one for each input of the law: a column or N=col*1e9.",
        "-x",
        "--x",
        metavar="[NAME=]COL",
    ),
]
Y = Annotated[
    Texts,
    _option(
        "The response: column or arithmetic; loss=col for each of a law of several.",
        "-y",
        "--y",
        metavar="[NAME=]COL",
    ),
]
N = Annotated[Text, _option("Questions behind an accuracy.", "-n", "--n", metavar="COL")]
Stderr = Annotated[Text, _option("Known standard error of the response.", metavar="COL")]
Chance = Annotated[Text, _option("Nominal chance level.", metavar="COL|VALUE")]
Limit = Annotated[
    Text,
    _option(
        "Detection limit: a loss at or below it is only known to lie below.", metavar="COL|VALUE"
    ),
]
Curve = Annotated[Texts, _option("Fit each label of this column on its own.", metavar="COL")]
Group = Annotated[
    Texts, _option("Groups, about whose average one the parameters of --pool lie.", metavar="COL")
]
Run = Annotated[
    Texts,
    _option("Runs, whose rows are checkpoints or evaluations of one model.", metavar="COL"),
]
Best = Annotated[
    Texts, _option("Settings of a sweep: keep the best one at each scale.", metavar="lr,batch")
]
Long = Annotated[
    Texts,
    _option(
        "Columns that become rows: what they differ in, and what their cells are; * stands for "
        "what differs.",
        metavar="params:loss=loss_*",
    ),
]
Where = Annotated[Text, _option("Rows to keep: \"loss < 5 and family != 'T5'\".", metavar="EXPR")]
Duplicates = Annotated[
    str, _option("What to do with rows that are alike.", metavar="error|keep|drop")
]

# ------------------------------------------------------------------ how it is fitted

Noise = Annotated[
    Texts,
    _option("What scatters about the law: student, scatter, ...", metavar="[NAME=]NOISE"),
]
Pool = Annotated[
    Text,
    _option(
        "What differs between groups; by default the unlock scale x50, else the floor.",
        metavar="x50[,g]",
    ),
]
Fix = Annotated[Texts, _option("Hold a parameter, in its own unit.", metavar="E=1.8")]
Tie = Annotated[Texts, _option("Give one parameter the value of another.", metavar="beta=alpha")]
Prior = Annotated[
    Texts,
    _option(
        "Another prior, in the parameter's unit: positive(LO,HI) or real(LO,HI) with 90 % "
        "between, fraction(MEAN,CONCENTRATION).",
        metavar='"alpha=positive(.1,.5)"',
    ),
]
Seed = Annotated[int, _option("Decides every draw.")]
Chains = Annotated[int, _option("Independent chains.")]
Draws = Annotated[int, _option("Draws a chain.")]
Warmup = Annotated[int, _option("Steps of adaptation a chain.")]
Sampler = Annotated[str, _option("How draws are made.", metavar="nuts|laplace|map")]
Precision = Annotated[str, _option("Width of floats.", metavar="float64|float32")]
Output = Annotated[Text, _option("Save the fit.", "-o", "--output", metavar="FIT.nc")]

# ------------------------------------------------------------------ what all questions share

FitFiles = Annotated[
    list[str],
    _argument("Fits saved by `bayescale fit -o`; several laws of one table are mixed.", "FIT.nc"),
]
Weights = Annotated[
    Text, _option("Weights of several fits, in their order; else equal.", metavar=".7,.3")
]
AskedGroup = Annotated[
    Text,
    _option("Of a fit with --group: which group is asked about.", metavar="NAME|new|average"),
]
FitFile = Annotated[str, _argument("A fit saved by `bayescale fit -o`.", "FIT.nc")]
Json = Annotated[
    bool,
    _option(
        "Print one JSON document: quantities, health, run, and the answer. With curves, "
        "quantities is empty and each of `curves` has its own quantities, health and answer.",
        "--json",
    ),
]
AllowFailed = Annotated[
    bool, _option("Ask a fit that is not to be trusted all the same.", "--allow-failed")
]
Plot = Annotated[Text, _option("Draw a picture.", metavar="FILE.png")]

# ------------------------------------------------------------------ what single questions take

At = Annotated[
    list[str],
    _option("Scales by column or input; may be repeated.", metavar="params=7e10,tokens=1.4e12"),
]
Points = Annotated[
    Texts,
    _option(
        "Where forecasts are asked for; by default 10 and 100 times beyond. May be repeated.",
        metavar="N=7e10,D=1.4e12",
    ),
]
Replicates = Annotated[int, _option("How many tables are made and fitted.")]
Questions = Annotated[Number, _option("Questions of a new accuracy.", "-n", "--n")]
NewStderr = Annotated[
    Number, _option("Known standard error of a new run; by default the data's median.")
]
Flops = Annotated[Number, _option("Compute budget in FLOP.")]
Budget = Annotated[Text, _option("The same in words.", metavar='"1000 gpu-days"')]
FlopsPerGpu = Annotated[Number, _option("Peak FLOP a second of one GPU, such as 1e15.")]
Mfu = Annotated[Number, _option("Share of that peak which training gets, such as .4.")]
Loss = Annotated[Number, _option("Ways to this loss: cheapest, smallest, all.")]
Match = Annotated[Text, _option("Ways to the loss of this one.", metavar="N=280e9,D=300e9")]
Extra = Annotated[float, _option("Share of compute that the smallest model may add.")]
Versus = Annotated[
    Texts, _option("Given twice: which of two is better?", metavar="N=7e10,D=1.4e12")
]
InferenceTokens = Annotated[float, _option("Tokens to be served, at 2 N FLOP each.")]
Cost = Annotated[Text, _option("What a run costs in FLOP; else 6*N*D.", metavar='"6*N*D*1e18"')]
Candidates = Annotated[
    str,
    _option("Table of the runs that can be made, with the scales of the fit.", metavar="TABLE"),
]
Targets = Annotated[
    list[str],
    _option(
        "What is wanted: scales, a parameter (alpha), unlock, a best split ('N at 1e21'), or which "
        "law is right (law). May be repeated.",
        metavar="N=7e10,D=1.4e12",
    ),
]
RunCost = Annotated[
    Text,
    _option("What a run costs: a column, or arithmetic; else 6*N*D.", "--cost", metavar='"6*N*D"'),
]
RunBudget = Annotated[
    Number, _option("What all runs may cost together, in the unit of --cost.", "--budget")
]
Most = Annotated[int | None, _option("How many runs at most; 5 without a budget.")]
Others = Annotated[Text, _option("The law's other inputs.", metavar="U=1e11")]
Along = Annotated[Text, _option("The scale along which to look, of several.", metavar="N")]
Follow = Annotated[Text, _option("The law's other inputs.", metavar='"D=20*N"')]
Level = Annotated[
    Text,
    _option("Of an accuracy by default half: halfway between chance and 1.", metavar="half|.5"),
]
Direction = Annotated[
    Text,
    _option(
        "Whether the curve is to stay above the level or below it; by default on the side that is "
        "better, or where it falls on the other.",
        metavar="up|down",
    ),
]
Horizon = Annotated[Number, _option("The largest scale to look at.")]

Cut = Annotated[
    Number,
    _option("Least change that counts; .05 of an accuracy, 5 % of other responses by default."),
]

# ------------------------------------------------------------------ what forecasts and tasks take

Registered = Annotated[
    Text,
    _option("Register it: write it down for `score`.", "-o", "--output", metavar="F.forecast.json"),
]
RegisteredFile = Annotated[
    str, _argument("A forecast registered by `bayescale forecast -o`.", "F.forecast.json")
]
Cuts = Annotated[
    Text,
    _option("Shares of the largest scale beyond which runs are left out.", metavar=".5,.1,.03"),
]
Outliers = Annotated[
    bool, _option("Take in losses far from all others, which else are set aside.", "--outliers")
]
ResponseKind = Annotated[
    Text, _option("What the response is, where the table does not say.", metavar="loss|accuracy")
]

Recipe = Annotated[Texts, _option("The recipe of a run.", "--group", metavar="COL")]
Baseline = Annotated[
    Text, _option("The recipe others are measured by; else that of most runs.", metavar="NAME")
]
FactorAt = Annotated[
    Texts,
    _option(
        "Scales asked about; by default of the data, and 10 and 100 times beyond. May be repeated.",
        "--at",
        metavar="flops=1e21",
    ),
]
Common = Annotated[
    Texts,
    _option(
        "What recipes have in common, floor and exponent; else weighed by evidence.",
        metavar="all|floor|nothing",
    ),
]

Task = Annotated[Texts, _option("The task of a row; else all are of one.", metavar="COL")]
Laws = Annotated[
    Texts, _option("The laws, in place of the usual ones of an accuracy.", metavar="sigmoid,flat")
]
Drift = Annotated[
    Number,
    _option("Sd in log scale by which models beyond the data drift together; 0 for none."),
]
Backtest = Annotated[
    Number,
    _option("Share of the runs, the largest, that laws of a rise forecast from the others: .25."),
]
Folder = Annotated[
    Text,
    _option("Write tasks.csv, tasks.json and tasks.png there.", "-o", "--output", metavar="DIR"),
]
TasksJson = Annotated[
    bool,
    _option("Print one JSON document: tasks by name, laws, prior, health, run.", "--json"),
]

# ------------------------------------------------------------------ what lists take

LawName = Annotated[Text, _argument("One law, described in full.", "LAW")]
Values = Annotated[
    Texts,
    _option(
        "What it says there, with the constants that were published; may be repeated.",
        metavar="N=7e10,D=1.4e12",
    ),
]
Constants = Annotated[
    Texts, _option("Constants in place of published ones, in their own units.", metavar="E=1.8,A=3")
]
DataName = Annotated[Text, _argument("One data set, described in full.", "NAME")]
Csv = Annotated[bool, _option("Print its rows as CSV.", "--csv")]

# ------------------------------------------------------------------ what importers take

Results = Annotated[
    list[str], _argument("results_*.json, or folders in which such are.", "FILE|DIR...")
]
Exports = Annotated[list[str], _argument("A chart or histories (CSV, JSON lines, ...).", "FILE...")]
TableFile = Annotated[
    Text,
    _option("Write the table there, else to standard output.", "-o", "--output", metavar="CSV"),
]
Models = Annotated[
    Text, _option("What is known of models: columns model, params, tokens, ...", metavar="FILE")
]
RunModels = Annotated[
    Text, _option("What is known of runs: columns run, params, tokens, ...", metavar="FILE")
]
