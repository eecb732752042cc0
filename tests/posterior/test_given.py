"""What is given in place of a fit, of fits, of an answer or of a file is told in one line."""

from types import SimpleNamespace

import jaxtyping
import numpy as np
import pytest

import bayescale as bs

ONE = {
    "allocate": (1e21,),
    "calibrate": (),
    "conditions": (),
    "for_group": ("a",),
    "grid": (),
    "group_shift": ("a",),
    "isoflop_grid": (),
    "kind": (),
    "log_evidence": (),
    "posterior_predictive": (),
    "predict": ({"x": 1e12},),
    "relate": (),
    "residuals": (),
    "save": ("fit.nc",),
    "sensitivity": (),
    "threshold": (0.5,),
    "to_arviz": (),
    "with_misfit": (),
}
"""Public functions of a fit, with what else they are asked."""
PLOTS = ("allocation", "isoloss", "kinds", "laws", "multiplier", "prior", "tasks", "threshold")
FITS = ("curve", "exponents", "isoflop", "residuals")


@pytest.fixture(autouse=True)
def as_users_call():
    """The types that tests check would refuse first, in many lines."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


def refusal(call, *args, **kwargs):
    with pytest.raises((TypeError, ValueError)) as caught:
        call(*args, **kwargs)
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    assert "attribute" not in message
    return message


@pytest.mark.parametrize("name", ONE)
def test_what_is_no_fit_is_told_what_to_give(name, power_fit, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def told(given):
        return refusal(getattr(bs, name), given, *ONE[name])

    for given in (None, 3.0, [], {}):
        assert f"what fit or load returns, not of a {type(given).__name__}" in told(given)
    for given in ([power_fit], (power_fit, power_fit), {"power": power_fit}):
        assert f"asked of one fit, got {len(given)}" in told(given)
    assert "'fit.nc' is a text, no fit" in told("fit.nc")
    assert "fit a law to it first" in told(power_fit.data)
    assert not [*tmp_path.iterdir()]


def test_what_is_of_one_law_takes_no_mixture(power_fit):
    for name in ("for_group", "group_shift", "log_evidence", "relate", "residuals", "to_arviz"):
        said = refusal(getattr(bs, name), bs.mix({"power": power_fit}), *ONE[name])
        assert "take one of mixture.parts" in said


def test_a_forecast_is_told_where_its_laws_are(power_fit):
    told = SimpleNamespace(mixtures={None: bs.mix({"power": power_fit})})
    assert ".mixtures[None]" in refusal(bs.predict, told, {"x": 1e12})


def test_several_fits_are_a_mapping_a_list_or_a_mixture(rivals):
    by_name = bs.mix(rivals)
    for given in ([*rivals.values()], tuple(rivals.values()), by_name):
        assert bs.mix(given).weights == by_name.weights
        assert bs.compare_laws(given).weights == bs.compare_laws(rivals).weights
    one = rivals["flat"]
    for call in (bs.mix, bs.compare_laws, bs.explain, bs.confusion):
        assert "not of one fit" in refusal(call, one)
        assert "not of NoneType" in refusal(call, None)
        assert "there are no fits" in refusal(call, {})
        assert "flat, flat are alike" in refusal(call, [one, one])
        assert "is a text, no fit" in refusal(call, ["flat.nc"])


def test_pictures_of_answers_and_of_fits(power_fit):
    for name in PLOTS:
        said = refusal(getattr(bs.plot, name), power_fit)
        assert said.startswith("this draws what ")
        assert said.endswith("not a Posterior")
    for name in FITS:
        assert "asked of a fit" in refusal(getattr(bs.plot, name), None)


def test_laws_and_tables_in_each_others_place(power_data, power_fit):
    assert "the law comes first" in refusal(bs.fit, power_data, "power")
    for given in (["power", "flat"], None, 3.0, power_fit):
        assert "a law is a name" in refusal(bs.fit, given, power_data)
    assert "forecast(data, at)" in refusal(bs.register, power_fit, "a.forecast.json")


@pytest.mark.parametrize("name", ["load", "read_table", "read_lm_eval", "read_wandb", "score"])
def test_files_are_named(name):
    more = ({},) * (name == "score")
    for given in (None, 3.0, np.arange(3)):
        assert "a file is named by a text or a Path" in refusal(getattr(bs, name), given, *more)


def test_budgets_in_words_and_no_questions(power_fit, sigmoid_fit):
    assert "budget(...) reads words" in refusal(bs.allocate, power_fit, "1000 pf-days")
    assert "positive, finite" in refusal(bs.allocate, power_fit, [])
    for n in (0, -5, 0.5, np.inf):
        assert "number of questions, 1 or more" in refusal(bs.predict, sigmoid_fit, 1e12, n=n)


def test_numbers_are_told_by_their_argument(power_fit, power_data):
    many = {"x": [1e12], "y": [1.0]}
    runs = dict(candidates={"x": [1e12]}, cost="x", target="alpha")
    for call in (
        lambda: bs.backtest_forecast(power_data, "half"),
        lambda: bs.match(power_fit, loss="low"),
        lambda: bs.match(power_fit, N="1e9x", D=1e10),
        lambda: bs.next_runs(power_fit, **runs, budget="1000 gpu-days"),
        lambda: bs.next_runs(power_fit, **runs | {"cost": ["a"]}),
        lambda: bs.predict(power_fit, None),
    ):
        assert "is a number" in refusal(call)
    for most in ("many", 2.5, 0):
        assert "a number of runs, 1 or more" in refusal(bs.next_runs, power_fit, **runs, most=most)
    assert "a law is a name" in refusal(bs.forecast, power_data, {"x": 1e12}, laws=3)
    rows = {"x": [1e18, 1e19] * 2, "y": [3.0, 2.8, 2.9, 2.7], "k": [*"aabb"]}
    asked = dict(group="k", x="x", y="y")
    assert "no choice '3'" in refusal(bs.multiplier, rows, **asked, common=3)
    assert "bs.NUTS(...)" in refusal(bs.multiplier, rows, **asked, sampler=bs.Laplace())
    assert "values is a str" in refusal(bs.to_long, many, "label", "x")


def test_samplers_without_draws_weigh_no_laws(power_data, sigmoid_fit):
    for given in (bs.Laplace(), bs.MAP()):
        said = refusal(bs.forecast, power_data, {"x": 1e12}, sampler=given)
        assert "sampler=bs.NUTS(...)" in said
        assert said == refusal(bs.tasks, sigmoid_fit.data, sampler=given)
    assert "bs.NUTS(draws=...)" in refusal(bs.forecast, power_data, {"x": 1e12}, draws=100)


@pytest.mark.parametrize("given", ["nuts", bs.NUTS, 3])
def test_what_is_no_sampler_is_told(given, power_data):
    assert "bs.NUTS(...)" in refusal(bs.fit, "power", power_data, sampler=given)


def test_settings_of_a_sampler_are_told_where_they_go(power_data):
    assert "sampler=bs.NUTS(draws=...)" in refusal(bs.fit, "power", power_data, draws=100)
