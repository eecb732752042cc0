"""options: what each argument and option of the command line is called, and means."""

from __future__ import annotations

from typing import Annotated

from .panels import argument, in_answer, in_fit, in_question, in_table, law_names, words_of

Text = str | None
Texts = list[str] | None
Number = float | None

# ------------------------------------------------------------------ what is fitted

FILES = "CSV, TSV, JSON, Parquet, Feather or XLSX file, - for standard input, or a name of `data`"
Table = Annotated[str, argument(f"{FILES}.", "TABLE")]
Runs = Annotated[str, argument(f"{FILES}; or a saved fit (FIT.nc), for its rows.", "TABLE")]
Law = Annotated[
    Text, in_fit('chinchilla, "broken(2)", ...; see `laws`.', metavar="LAW", words=law_names)
]
X = Annotated[
    Texts,
    in_table(
        "A scale, one for each input of the law: a column or N=col*1e9.",
        "-x",
        "--x",
        metavar="[NAME=]COL",
    ),
]
Y = Annotated[
    Texts,
    in_table(
        "The response: column or arithmetic; loss=col for each of a law of several.",
        "-y",
        "--y",
        metavar="[NAME=]COL",
    ),
]
N = Annotated[Text, in_table("Questions behind an accuracy.", "-n", "--n", metavar="COL")]
Stderr = Annotated[Text, in_table("Known standard error of the response.", metavar="COL")]
Chance = Annotated[Text, in_table("Nominal chance level.", metavar="COL|VALUE")]
Limit = Annotated[
    Text,
    in_table(
        "Detection limit: a loss at or below it is only known to lie below.", metavar="COL|VALUE"
    ),
]
Curve = Annotated[Texts, in_table("Fit each label of this column on its own.", metavar="COL")]
Group = Annotated[
    Texts, in_table("Groups, about whose average one the parameters of --pool lie.", metavar="COL")
]
Run = Annotated[
    Texts,
    in_table("Runs, whose rows are checkpoints or evaluations of one model.", metavar="COL"),
]
Best = Annotated[
    Texts, in_table("Settings of a sweep: keep the best one at each scale.", metavar="lr,batch")
]
Long = Annotated[
    Texts,
    in_table(
        "Columns that become rows: what they differ in, and what their cells are; * stands for "
        "what differs.",
        metavar="params:loss=loss_*",
    ),
]
Where = Annotated[Text, in_table("Rows to keep: \"loss < 5 and family != 'T5'\".", metavar="EXPR")]
Duplicates = Annotated[
    str,
    in_table(
        "What to do with rows that are alike.",
        metavar="error|keep|drop",
        words=words_of("error", "keep", "drop"),
    ),
]

# ------------------------------------------------------------------ how it is fitted

Noise = Annotated[
    Texts,
    in_fit("What scatters about the law: student, scatter, ...", metavar="[NAME=]NOISE"),
]
Pool = Annotated[
    Text,
    in_fit(
        "What differs between groups; by default the unlock scale x50, else the floor.",
        metavar="x50[,g]",
    ),
]
Fix = Annotated[Texts, in_fit("Hold a parameter, in its own unit.", metavar="E=1.8")]
Tie = Annotated[Texts, in_fit("Give one parameter the value of another.", metavar="beta=alpha")]
Prior = Annotated[
    Texts,
    in_fit(
        "Another prior, in the parameter's unit: positive(LO,HI) or real(LO,HI) with 90 % "
        "between, fraction(MEAN,CONCENTRATION).",
        metavar='"alpha=positive(.1,.5)"',
    ),
]
Seed = Annotated[int, in_fit("Decides every draw.", min=0, max=2**32 - 1)]
Chains = Annotated[int, in_fit("Independent chains.")]
Draws = Annotated[int, in_fit("Draws a chain.")]
Warmup = Annotated[int, in_fit("Steps of adaptation a chain.")]
Sampler = Annotated[
    str,
    in_fit(
        "How draws are made.", metavar="nuts|laplace|map", words=words_of("nuts", "laplace", "map")
    ),
]
Precision = Annotated[
    str, in_fit("Width of floats.", metavar="float64|float32", words=words_of("float64", "float32"))
]
Output = Annotated[Text, in_answer("Save the fit.", "-o", "--output", metavar="FIT.nc")]

# ------------------------------------------------------------------ what all questions share

FitFiles = Annotated[
    list[str],
    argument("Fits saved by `bayescale fit -o`; several laws of one table are mixed.", "FIT.nc"),
]
Weights = Annotated[
    Text, in_question("Weights of several fits, in their order; else equal.", metavar=".7,.3")
]
AskedGroup = Annotated[
    Text,
    in_question("Of a fit with --group: which group is asked about.", metavar="NAME|new|average"),
]
FitFile = Annotated[str, argument("A fit saved by `bayescale fit -o`.", "FIT.nc")]
Json = Annotated[
    bool,
    in_answer(
        "Print one JSON document: quantities, health, run, and the answer. With curves, "
        "quantities is empty and each of `curves` has its own quantities, health and answer.",
        "--json",
    ),
]
AllowFailed = Annotated[
    bool, in_answer("Ask a fit that is not to be trusted all the same.", "--allow-failed")
]
Plot = Annotated[Text, in_answer("Draw a picture.", metavar="FILE.png")]

# ------------------------------------------------------------------ what single questions take

At = Annotated[
    list[str],
    in_question("Scales by column or input; may be repeated.", metavar="params=7e10,tokens=1.4e12"),
]
Points = Annotated[
    Texts,
    in_question(
        "Where forecasts are asked for; by default 10 and 100 times beyond. May be repeated.",
        metavar="N=7e10,D=1.4e12",
    ),
]
Replicates = Annotated[int, in_question("How many tables are made and fitted.")]
Questions = Annotated[Number, in_question("Questions of a new accuracy.", "-n", "--n")]
NewStderr = Annotated[
    Number, in_question("Known standard error of a new run; by default the data's median.")
]
Response = Annotated[
    Text, in_question("Which of a law of several: the loss of two_stage.", metavar="loss")
]
Flops = Annotated[Number, in_question("Compute budget in FLOP.")]
Budget = Annotated[Text, in_question("The same in words.", metavar='"1000 gpu-days"')]
FlopsPerGpu = Annotated[Number, in_question("Peak FLOP a second of one GPU, such as 1e15.")]
Mfu = Annotated[Number, in_question("Share of that peak which training gets, such as .4.")]
Loss = Annotated[Number, in_question("Ways to this loss: cheapest, smallest, all.")]
Match = Annotated[Text, in_question("Ways to the loss of this one.", metavar="N=280e9,D=300e9")]
Extra = Annotated[float, in_question("Share of compute that the smallest model may add.")]
Versus = Annotated[
    Texts, in_question("Given twice: which of two is better?", metavar="N=7e10,D=1.4e12")
]
InferenceTokens = Annotated[float, in_question("Tokens to be served, at 2 N FLOP each.")]
Cost = Annotated[Text, in_question("What a run costs in FLOP; else 6*N*D.", metavar='"6*N*D*1e18"')]
Others = Annotated[Text, in_question("The law's other inputs.", metavar="U=1e11")]
Along = Annotated[Text, in_question("The scale along which to look, of several.", metavar="N")]
Follow = Annotated[Text, in_question("The law's other inputs.", metavar='"D=20*N"')]
Level = Annotated[
    Text,
    in_question("Of an accuracy by default half: halfway between chance and 1.", metavar="half|.5"),
]
Direction = Annotated[
    Text,
    in_question(
        "Whether the curve is to stay above the level or below it; by default on the side that is "
        "better, or where it falls on the other.",
        metavar="up|down",
    ),
]
Horizon = Annotated[Number, in_question("The largest scale to look at.")]

Cut = Annotated[
    Number,
    in_question("Least change that counts; .05 of an accuracy, 5 % of other responses by default."),
]

LawFits = Annotated[
    list[str], argument("Fits of one table under several laws, saved by `fit -o`.", "FIT.nc")
]
Belief = Annotated[
    Texts,
    in_question(
        "Probability of each before the data; equal by default.", metavar="NAME=.5,NAME=.5"
    ),
]
Refits = Annotated[
    int, in_question("Most runs of a law that are left out by a fit without them.", metavar="N")
]
Lowest = Annotated[Number, in_question("The smallest scale to look at.", "--lo")]
Highest = Annotated[Number, in_question("The largest scale to look at.", "--hi")]
Reference = Annotated[
    Text,
    in_question("The condition that others are compared with; else the first.", metavar="NAME"),
]
Budgets = Annotated[
    Text,
    in_question("The budgets in FLOP, where runs do not lie at them clearly.", metavar="6e18,1e19"),
]
Count = Annotated[
    str,
    in_question(
        "What N counts: as the column has it, or that and the head, or that and both embeddings "
        "(with --vocab and -x width=COL); own: FLOP are the table's (-x C=COL).",
        metavar="given|head|embeddings|own",
        words=words_of("given", "head", "embeddings", "own"),
    ),
]
Vocab = Annotated[Number, in_question("Size of the vocabulary.", metavar="50432")]
SurfaceLaw = Annotated[
    str,
    in_fit(
        "The law of N and D whose own answer stands beside; or none.",
        metavar="LAW|none",
        words=law_names,
    ),
]

# ------------------------------------------------------------------ what forecasts and tasks take

Registered = Annotated[
    Text,
    in_answer(
        "Register it: write it down for `score`.", "-o", "--output", metavar="F.forecast.json"
    ),
]
RegisteredFile = Annotated[
    str, argument("A forecast written by `bayescale register`.", "F.forecast.json")
]
Cuts = Annotated[
    Text,
    in_question("Shares of the largest scale beyond which runs are left out.", metavar=".5,.1,.03"),
]
Outliers = Annotated[
    bool, in_fit("Take in losses far from all others, which else are set aside.", "--outliers")
]
ResponseKind = Annotated[
    Text, in_table("What the response is, where the table does not say.", metavar="loss|accuracy")
]


Task = Annotated[Texts, in_table("The task of a row; else all are of one.", metavar="COL")]
Laws = Annotated[
    Texts, in_fit("The laws, in place of the usual ones of an accuracy.", metavar="sigmoid,flat")
]
Misfit = Annotated[
    Number,
    in_question(
        "Size (sd) of the law's misfit beyond the data, in log odds an e-fold; 0 for none."
    ),
]
Backtest = Annotated[
    Number,
    in_question(
        "Share of the runs, the largest, that laws of a rise forecast from the others: .25."
    ),
]
Folder = Annotated[
    Text,
    in_answer("Write tasks.csv, tasks.json and tasks.png there.", "-o", "--output", metavar="DIR"),
]
TasksJson = Annotated[
    bool,
    in_answer("Print one JSON document: tasks by name, laws, prior, health, run.", "--json"),
]
