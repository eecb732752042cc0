"""Notes on roles and units: each fires where it should, and not on tables that are right."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from bayescale.data.accuracies import kind_of
from bayescale.data.from_frame import from_frame
from bayescale.data.notes import concerning
from bayescale.data.responses import uncounted
from bayescale.data.scales import not_flop
from bayescale.inference.make_model import make_model
from bayescale.laws import get_law
from bayescale.messages import DataError
from bayescale.model.arrays import lanes
from bayescale.reading.to_long import parse_long, to_long

RNG = np.random.default_rng(0)
N = np.repeat(np.geomspace(5e7, 3e9, 4), 4)
D = np.tile(np.geomspace(1e9, 6e10, 4), 4)
LOSS = 1.8 + 480 * N**-0.35 + 2000 * D**-0.37
ODD = ("units", "swapped", "unique", "line", "embeddings", "percent", "perplexity", "stderr")
ODD += ("chance",)


def kinds(columns, x, y="loss", **kwargs):
    data = from_frame(columns, x, y, **kwargs)
    return {note.kind: note for note in data.notes if note.kind in ODD}


@pytest.mark.parametrize(
    ("names", "factors", "written"),
    [
        (("params_B", "tokens_B"), (1e9, 1e9), ("N=params_B*1e9", "D=tokens_B*1e9")),
        (("size", "seen"), (1e9, 1e9), ("N=size*1e9", "D=seen*1e9")),
        (("params (M)", "tokens_t"), (1e6, 1e12), ("N=`params (M)`*1e6", "D=tokens_t*1e12")),
        (("model_mparams", "tokens in billions"), (1e6, 1e9), ("N=model_mparams*1e6", "1e9")),
        (("Größe (Mio.)", "Tokens (Mrd.)"), (1e6, 1e9), ("N=`Größe (Mio.)`*1e6", "1e9")),
    ],
)
def test_other_units_are_told_with_what_to_write(names, factors, written):
    columns = {names[0]: N / factors[0], names[1]: D / factors[1], "loss": LOSS}
    data = from_frame(columns, {"N": _text(names[0]), "D": _text(names[1])}, "loss")
    notes = [note for note in data.notes if note.kind == "units"]
    assert len(notes) == 2
    for note, text in zip(notes, written, strict=True):
        assert text in note
    _, remedy = not_flop(data)
    total = np.log10(factors[0] * factors[1])
    assert f"cost='6e{total:.0f}*N*D'" in remedy
    right = [
        f"{role}={_text(name)}*{factor:g}"
        for role, name, factor in zip("ND", names, factors, strict=True)
    ]
    again = from_frame(columns, right, "loss")
    assert not_flop(again) is None
    assert not [note for note in again.notes if note.kind == "units"]


def _text(name):
    return name if name.isidentifier() else f"`{name}`"


def test_scales_of_one_input_are_looked_at_by_their_column():
    columns = {"params_b": N[::4] / 1e9, "loss": LOSS[::4], "width": N[::4] ** 0.5 / 50}
    assert "-x 'params_b*1e9'" in kinds(columns, "params_b")["units"]
    assert not kinds(columns, "params_b*1e9")
    assert not kinds(columns, "width")
    assert "logarithm" in kinds(columns, "log10(params_b*1e9)")["units"]


@pytest.mark.parametrize(
    ("name", "top", "written"),
    [
        ("log10_flops", 22, "10**log10_flops"),
        ("logC", 22, "10**logC"),
        ("log(N)", 22, "10**`log(N)`"),
        ("lnC", 50, "exp(lnC)"),
        ("log_params", 23, "exp(log_params)"),
        ("log_params", 10, "10**log_params"),
        ("logits", 22, None),
        ("login_step", 22, None),
    ],
)
def test_columns_of_logarithms_are_told_by_their_names(name, top, written):
    columns = {name: np.linspace(top - 4, top, 6), "loss": np.linspace(3, 2, 6)}
    found = kinds(columns, _text(name))
    assert (f"-x '{written}'" in found["units"]) if written else not found


def test_compute_given_as_tokens_is_told():
    columns = {"N": N, "C": 6e3 * N * D, "loss": LOSS}
    note = kinds(columns, {"N": "N", "D": "C"})["units"]
    assert "-x 'D=C/(6*N)'" in note
    data = from_frame(columns, {"N": "N", "D": "C"}, "loss")
    assert "fit the scales themselves" in not_flop(data)[1]


def test_scales_that_count_something_else():
    columns = {"params": N, "epochs": D / 1e9, "images": D, "loss": LOSS}
    assert "epochs*TOKENS_PER_EPOCH" in kinds(columns, {"N": "params", "D": "epochs"})["units"]
    images = {"N": "params", "D": "images"}
    assert not kinds(columns, images)  # a law of images is a law
    why, remedy = not_flop(from_frame(columns, images, "loss"))
    assert why == "D = images counts no tokens"
    assert "cost='6*N*D*TOKENS_PER_IMAGE'" in remedy
    assert not_flop(from_frame(columns, {"N": "params", "D": "images*256"}, "loss")) is None


def test_more_unique_tokens_than_tokens():
    columns = {"N": N, "D": D, "u": D / 2, "loss": LOSS}
    question = {"N": "N", "D": "D", "U": "u"}
    assert not kinds(columns, question)
    some = columns | {"u": np.where(D < 2e9, 2 * D, D / 2)}
    note = kinds(some, question)["unique"]
    assert "4 of 16 rows (first: row 1)" in note
    lesser = from_frame(some, question | {"U": note.split("U=")[1].split("' (")[0]}, "loss")
    np.testing.assert_allclose(lesser.inputs["U"], np.minimum(some["u"], D))
    assert "swapped" in kinds(columns | {"u": 3 * D}, question)["unique"]


def test_one_scale_that_follows_another():
    for other, said in ((20 * N, "D/N is 20, within 0%,"), (1e21 / 6 / N, "N D is")):
        columns = {"N": N, "D": other * np.exp(0.01 * RNG.normal(size=16)), "loss": LOSS}
        if said.startswith("D/N"):
            columns["D"] = other
        assert said in kinds(columns, {"N": "N", "D": "D"})["line"]
    fixed = {"N": np.full(16, 1e9), "D": np.geomspace(1e9, 1e11, 16), "loss": LOSS}
    assert "N is 1e+09 in every row" in kinds(fixed, {"N": "N", "D": "D"})["line"]
    wobbling = {"N": N, "D": 20 * N * np.exp(0.3 * RNG.normal(size=16)), "loss": LOSS}
    assert not kinds(wobbling, {"N": "N", "D": "D"})


def test_parameters_with_and_without_embeddings():
    columns = {"params": N, "params_no_embed": N / (1 + 1e8 / N), "D": D, "loss": LOSS}
    note = kinds(columns, {"N": "params", "D": "D"})["embeddings"]
    assert "counts embeddings: params is 1.03 to 3 times params_no_embed" in note
    assert "-x 'N=params_no_embed'" in note
    assert "leaves out" in kinds(columns, {"N": "params_no_embed", "D": "D"})["embeddings"]
    alike = columns | {"params_no_embed": N * 0.99}
    assert not kinds(alike, {"N": "params", "D": "D"})
    copies = {name: np.append(values, values[:2]) for name, values in columns.items()}
    assert kinds(copies, {"N": "params", "D": "D"}, duplicates="drop")["embeddings"] == note


def test_percent_and_perplexity():
    x = np.geomspace(1e8, 1e11, 8)
    columns = {"x": x, "acc": np.linspace(26, 88, 8), "ppl": np.exp(LOSS[:8] + 1)}
    columns |= {"test_error_pct": np.linspace(80, 14, 8), "loss": np.exp(LOSS[:8] + 2)}
    assert "-y 'acc/100'" in kinds(columns, "x", "acc")["percent"]
    assert not kinds(columns, "x", "acc/100")
    assert not kinds(columns, "x", "test_error_pct")  # an error may be in percent
    assert "-y 'log(ppl)'" in kinds(columns, "x", "ppl")["perplexity"]
    assert not kinds(columns, "x", "log(ppl)")
    assert "guessing among 256,000" in kinds(columns, "x", "loss")["perplexity"]


def test_standard_errors_of_zero_and_too_large():
    x, y = np.geomspace(1e8, 1e11, 12), 0.5 + 0.01 * RNG.normal(size=12)
    columns = {"x": x, "acc": y, "se": np.full(12, 0.01), "sd": np.full(12, 0.5)}
    assert not kinds(columns, "x", "acc", stderr="se")
    assert "--stderr 'sd/sqrt(n)'" in kinds(columns, "x", "acc", stderr="sd")["stderr"]
    zero = columns | {"se": np.append(np.full(11, 0.01), 0.0)}
    assert "0 in 1 of 12 rows (first: row 12)" in kinds(zero, "x", "acc", stderr="se")["stderr"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("loss_std", "loss_std/sqrt(k)"),
        ("var", "sqrt(var)"),
        ("ci_high", "/3.92"),
        ("std_err", None),
        ("acc_stderr", None),
    ],
)
def test_what_is_no_standard_error_by_its_name_is_told(name, said):
    columns = {"x": [1e8, 1e9, 1e10], "loss": [4.0, 3.0, 2.5], name: [0.01] * 3}
    found = kinds(columns, "x", "loss", stderr=name)
    assert (said in found["stderr"]) if said else not found


def test_errors_of_another_quantity_are_told_in_few_rows():
    x = np.geomspace(1e6, 3e8, 6)
    columns = {"x": x, "loss": 1.8 + 30 * x**-0.19, "top": 2.4 + 30 * x**-0.19}
    assert (
        "larger than the response scatters" in kinds(columns, "x", "loss", stderr="top")["stderr"]
    )


def test_the_error_of_n_questions_is_counted_once():
    columns, more = counts(np.linspace(0.3, 0.8, 6), n=1000)
    columns["acc_stderr"] = np.sqrt(columns["acc"] * (1 - columns["acc"]) / 999)
    found = kinds(columns, "x", "acc", stderr="acc_stderr", **more)
    assert "counted twice" in found["stderr"]
    columns["acc_stderr"] *= 2
    assert "counted twice" not in kinds(columns, "x", "acc", stderr="acc_stderr", **more)["stderr"]


def test_standard_errors_that_are_right_are_left_alone():
    fired = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        columns = {"x": np.geomspace(1e8, 1e11, 6), "acc": rng.normal(0.5, 0.02, 6)}
        fired += "stderr" in kinds(columns, "x", "acc", stderr=0.02)
    assert fired == 0


def counts(p, n=2000, chance=0.25):
    x = np.geomspace(1e8, 1e11, len(p))
    return {"x": x, "acc": np.round(np.asarray(p) * n) / n}, dict(n=n, chance=chance)


def test_shares_of_exactly_0_and_1_are_known_to_a_question():
    """No law gains by how far below any measurement it goes."""
    found = uncounted(np.array([0, 0.02, 0.5, 1, np.nan]), known=True)
    np.testing.assert_array_equal(found, [0.01, 0, 0, 0.01, 0])
    np.testing.assert_array_equal(uncounted(np.array([0, 0.002]), known=True), [0.002, 0])
    np.testing.assert_array_equal(uncounted(np.zeros(3)), [0.01] * 3)
    # Others to what more questions than any test has would leave.
    np.testing.assert_allclose(uncounted(np.array([0.5, 0.1])), [0.0041, 0.0024], atol=1e-4)
    data = from_frame({"x": [1e7, 1e8, 1e9, 1e10], "acc": [0.0, 0.0, 0.4, 0.5]}, "x", "acc")
    for noise, errors in (("normal", [0.01, 0.01, 0.004, 0.00408]), ("binomial", [0] * 4)):
        counted = replace(data, n=np.full(4, 50.0)) if noise == "binomial" else data
        model = make_model(get_law("sigmoid"), counted, noise)
        (lane,) = lanes(model, counted)
        np.testing.assert_allclose(lane.data["stderr"][lane.place], errors, rtol=1e-3)


def test_a_chance_level_that_the_data_contradict():
    rise = 1 / (1 + np.exp(-np.linspace(-12, 4, 16)))
    for floor, said in ((0.25, None), (0.34, "above chance 0.145")):
        columns, more = counts(floor + (0.9 - floor) * rise)
        more["chance"] = 0.145 if said else 0.25
        found = kinds(columns, "x", "acc", **more)
        assert (said in found["chance"]) if said else not found
    dips, more = counts(0.25 - 0.15 * np.sin(np.linspace(0, np.pi, 16)))
    assert "rows lie below chance" in kinds(dips, "x", "acc", **more)["chance"]
    able, more = counts(0.5 + 0.4 * np.linspace(0, 1, 16))
    assert not kinds(able, "x", "acc", **more)  # models that know much contradict nothing


def test_guessing_contradicts_no_chance():
    fired = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        columns, more = counts(rng.binomial(500, 0.25, 12) / 500, n=500)
        fired += bool(kinds(columns, "x", "acc", **more))
    assert fired == 0


def test_answers_about_a_curve_have_its_own_notes():
    frame = pd.DataFrame({"N": np.tile(N, 2), "D": np.append(D, 20 * N), "loss": np.tile(LOSS, 2)})
    frame["run"] = ["free"] * 16 + ["line"] * 16
    data = from_frame(frame, {"N": "N", "D": "D"}, "loss", curve="run")
    assert "in 1 of 2 curves ('line')" in kinds(frame, {"N": "N", "D": "D"}, curve="run")["line"]
    own = {name: data.take(data.curve == name) for name in data.curve_names}
    assert not concerning(own["free"], "split")
    assert [note.kind for note in concerning(own["line"], "split")] == ["line"]
    assert not concerning(own["line"], "level")


def test_real_tables_get_the_notes_that_are_right(data_dir):
    nd = {"N": "params", "D": "tokens"}
    expected = [
        ("chinchilla_epoch", nd, "loss", {}, set()),
        ("porian_isoflops", nd, "loss", dict(curve="experiment"), set()),
        ("misfitting_runs", nd, "loss", dict(where="is_final==1"), {"embeddings"}),
        ("scalebench/sparsity", {"N": "N_active", "D": "D2"}, "loss", {}, {"units"}),
        ("datablations_traces", nd | {"U": "unique_tokens"}, "val_loss", {}, {"unique"}),
        ("datablations_final", nd | {"U": "unique_tokens"}, "val_loss", {}, set()),
        ("nfnet_convnets", "compute_tpu_hours", "imagenet_error_pct", {}, set()),
        ("cases/26_billions", {"N": "params_B", "D": "tokens_B"}, "loss", {}, {"units"}),
        ("lcdb11_selection", "n_train", "test_error",
         dict(stderr="test_error_se", curve=["dataset", "learner"]), {"stderr"}),
    ]  # fmt: skip
    for name, x, y, more, want in expected:
        frame = pd.read_csv(data_dir / f"{name}.csv")
        assert set(kinds(frame, x, y, duplicates="drop", **more)) == want, name


@pytest.mark.parametrize(
    ("name", "given", "said"),
    [
        ("log10_flops", "log10_flops", "-x '10**log10_flops'"),
        ("ln C", "ln C", "-x 'exp(`ln C`)'"),
        ("flops", "log10(flops)", "-x 'flops'"),
        ("flops", "flops", "-x 'flops*UNIT'"),
        ("logits", "logits", None),
    ],
)
def test_a_scale_that_is_a_logarithm_is_told(name, given, said):
    data = from_frame({name: np.linspace(18, 21, 5), "loss": np.linspace(4, 3, 5)}, given, "loss")
    notes = [note for note in data.notes if note.kind == "units"]
    assert [said in note for note in notes] == ([True] if said else [])


def test_years_as_a_scale_are_told_what_to_write():
    table = {"released": [f"{y}-07-01" for y in range(2019, 2025)], "y": np.linspace(0.1, 0.9, 6)}
    table["year"] = np.arange(2019, 2025)
    for given, way in [
        ("year", "exp(years(year) - 2019)"),
        ("years(released)", "exp(years(released) -"),
    ]:
        note = next(n for n in from_frame(table, given, "y").notes if n.kind == "calendar")
        assert way in note
        written = re.search(r"-x '(.*)'", note)[1]
        assert not from_frame(table, written, "y").notes
    with pytest.raises(DataError, match="'1/7/2024' is one day or another, as days"):
        from_frame(table | {"released": ["1/7/2024"] * 6}, "exp(years(released) - 2019)", "y")


def test_a_score_in_percent_is_told_whatever_its_name():
    x = np.geomspace(1e18, 1e21, 6)
    rises, falls = np.linspace(25, 70, 6), np.linspace(70, 25, 6)

    def said(name, y):
        notes = from_frame({"flops": x, name: y}, "flops", name).notes
        return [note for note in notes if note.kind == "percent"]

    (note,) = said("mmlu", rises)
    assert "mmlu is up to 70: percent?" in note
    assert "(-y 'mmlu/100')" in note
    for name, y in [("mmlu", falls), ("loss", rises), ("error", rises), ("mmlu", rises / 100)]:
        assert not said(name, y)


@pytest.mark.parametrize(
    ("name", "rises", "kind"),
    [
        ("accuracy", False, "accuracy"),
        ("acc_norm", False, "accuracy"),
        ("loss", True, "loss"),
        ("error_rate", True, "loss"),
        ("score", True, "accuracy"),
        ("score", False, "loss"),
        ("exact_match", False, "accuracy"),
        ("pass@1", False, "accuracy"),
    ],
)
def test_the_kind_of_a_response_is_told_by_its_name(name, rises, kind):
    y = np.linspace(0.2, 0.8, 5)[:: 1 if rises else -1]
    data = from_frame({"flops": np.geomspace(1e18, 1e21, 5), name: y}, "flops", name)
    assert kind_of(data) == kind
    assert kind_of(from_frame({"x": [1.0, 2.0], "accuracy": [0.0, 0.0]}, "x", "accuracy")) == (
        "accuracy"
    )


@pytest.mark.parametrize("name", ["acc", "exact_match", "pass@1", "acc_norm,none", "win_pct"])
def test_percent_of_what_is_an_accuracy_by_its_name_is_no_loss(name):
    """A law of losses would go on beyond 100."""
    x, y = np.geomspace(1e8, 1e11, 5), np.array([17.7, 20.5, 23.0, 26.0, 27.6])
    data = from_frame({"x": x, name: y}, "x", name)
    with pytest.raises(DataError, match=r"27.6 is above 1; either \(1\) for percent") as caught:
        kind_of(data)
    text = data.columns["y"]
    assert f"(-y '{text}/100')" in str(caught.value)
    assert kind_of(from_frame({"x": x, name: y}, "x", f"{text}/100")) == "accuracy"
    for other in ("elo", "loss", "error_pct", "perplexity"):
        assert kind_of(from_frame({"x": x, other: y}, "x", other)) == "loss"


def test_columns_side_by_side_are_told_where_the_response_is_missing():
    x = np.geomspace(1e18, 1e21, 4)
    tasks = {name: np.linspace(0.2, 0.6, 4) for name in ("mmlu", "arc", "piqa")}
    for table, way in [
        ({"flops": x, "lr": x / 1e20, **tasks}, "--long 'task:loss=mmlu,arc,piqa'"),
        ({"flops": x} | {f"seed_{i}": x / 1e18 for i in range(3)}, "--long 'number:loss=seed_*'"),
    ]:
        with pytest.raises(DataError, match="no column 'loss'") as caught:
            from_frame(table, "flops", "loss")
        assert way in str(caught.value)
        long = to_long(table, *parse_long([way.removeprefix("--long '").removesuffix("'")]))
        assert len(from_frame(long, "flops", "loss", duplicates="keep")) == 12
