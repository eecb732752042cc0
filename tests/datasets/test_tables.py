"""Named public data: the published numbers, the verified download, and scales put into words."""

import functools
import hashlib
import http.server
import shutil
import subprocess
import sys
import threading

import numpy as np
import pandas as pd
import pytest

from bayescale.datasets import published
from bayescale.datasets import tables as datasets

RAW = "svg_extracted_data.csv"


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty download folder, and no folder of local data."""
    monkeypatch.delenv("BAYESCALE_DATA", raising=False)
    monkeypatch.setenv("BAYESCALE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def upstream(tmp_path, monkeypatch):
    """A small file in place of the published one, served on this machine."""
    folder = tmp_path / "upstream"
    folder.mkdir()
    text = "Model Size,Training FLOP,loss\n" + "".join(f"1e9,6e{18 + i},{i}\n" for i in range(7))
    (folder / RAW).write_text(text)

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        file = datasets._Download(
            url=f"http://127.0.0.1:{server.server_port}/{RAW}",
            filename=RAW,
            sha256=hashlib.sha256(text.encode()).hexdigest(),
        )
        monkeypatch.setattr(datasets, "_CHINCHILLA", file)
        yield folder / RAW
        server.shutdown()
        thread.join()


@pytest.fixture
def nowhere(monkeypatch):
    """The published file's hash at an address where nothing answers."""
    file = datasets._Download("http://127.0.0.1:9/nothing.csv", RAW, datasets._CHINCHILLA.sha256)
    monkeypatch.setattr(datasets, "_CHINCHILLA", file)
    return file


def test_every_table_is_described():
    assert datasets.names() == ("chinchilla", "gpt3_addition", "published_models")
    for name in datasets.names():
        info = datasets.describe(name)
        assert info.name == name
        used = [*info.x.values(), info.y, info.n, info.curve]
        assert {column for column in used if column} <= set(info.columns)


@pytest.mark.parametrize("name", ["gpt3_addition", "published_models"])
def test_columns_are_those_described(name):
    assert list(datasets.load(name).columns) == list(datasets.describe(name).columns)


def test_unknown_name_lists_the_known():
    with pytest.raises(
        datasets.DatasetError, match=r"'gpt3'; there are: 'chinchilla', 'gpt3_addition'"
    ):
        datasets.load("gpt3")


def test_importing_loads_neither_pandas_nor_jax():
    code = (
        "import sys, bayescale.datasets.tables\n"
        "assert not {'pandas', 'pooch', 'jax'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_chinchilla_equals_the_reference_table(data_dir):
    frame = datasets.load("chinchilla")
    reference = pd.read_csv(data_dir / "chinchilla_epoch.csv")
    assert list(frame.columns) == list(datasets.describe("chinchilla").columns)
    # The reference is printed to 15 digits.
    pd.testing.assert_frame_equal(frame, reference, rtol=1e-14)
    assert frame["dropped_by_replication"].sum() == 5


def test_local_data_of_another_content_is_refused(tmp_path, cache, monkeypatch):
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / RAW).write_text("x,y\n1,2\n")
    monkeypatch.setenv("BAYESCALE_DATA", str(tmp_path))
    with pytest.raises(datasets.DatasetError, match="not the published file") as caught:
        datasets.load("chinchilla")
    assert datasets._CHINCHILLA.sha256 in str(caught.value)


def test_downloaded_once_then_read_from_the_cache(upstream, cache, capfd):
    first = datasets.load("chinchilla")
    upstream.unlink()
    second = datasets.load("chinchilla")
    pd.testing.assert_frame_equal(first, second)
    assert first["dropped_by_replication"].tolist() == [0, 0, 1, 1, 1, 1, 1]
    np.testing.assert_allclose(first["tokens"], 10.0 ** np.arange(9, 16))
    assert capfd.readouterr() == ("", "")


def test_damaged_cache_is_downloaded_again(upstream, cache):
    cache.mkdir()
    (cache / RAW).write_text("half a fi")
    assert len(datasets.load("chinchilla")) == 7
    assert (cache / RAW).read_bytes() == upstream.read_bytes()


def test_download_of_another_content_is_refused(upstream, cache):
    upstream.write_text("something else\n")
    with pytest.raises(datasets.DatasetError, match="cannot download"):
        datasets.load("chinchilla")
    assert not (cache / RAW).exists()


def test_offline_error_is_one_line_with_the_remedy(nowhere, cache):
    with pytest.raises(datasets.DatasetError) as caught:
        datasets.load("chinchilla")
    message = str(caught.value)
    assert "\n" not in message
    for part in ("'chinchilla'", nowhere.url, str(cache / RAW), "BAYESCALE_DATA"):
        assert part in message


def test_file_put_by_hand_needs_no_network(nowhere, cache, data_dir):
    cache.mkdir()
    shutil.copy(data_dir / "raw" / RAW, cache / RAW)
    assert len(datasets.load("chinchilla")) == 245


def test_gpt3_addition_is_the_published_table():
    frame = datasets.load("gpt3_addition")
    assert frame.groupby("setting", sort=False).size().to_dict() == {
        "zero-shot": 8,
        "one-shot": 8,
        "few-shot": 8,
    }
    few = frame[frame["setting"] == "few-shot"].set_index("model")
    assert few.loc["GPT-3 13B", "accuracy"] == 0.555
    assert few.loc["GPT-3 175B", "accuracy"] == 1.0
    assert frame["accuracy"].between(0, 1).all()
    assert (frame["n"] == 2000).all()
    assert few["params"].is_monotonic_increasing
    # Percentages of 2,000 problems come in steps of 0.05; the paper rounds some of them.
    assert frame["accuracy"].iloc[0] == 0.007
    np.testing.assert_allclose(few.loc["GPT-3 175B", "flops"], 3.15e23)


def test_published_models_are_well_formed():
    frame = published.published_models()
    assert frame["name"].is_unique
    assert not frame[["name", "organisation", "params", "year", "source"]].isna().any(axis=None)
    assert frame["params"].between(5e7, 1e12).all()
    assert frame["tokens"].dropna().between(1e11, 1e14).all()
    wanted = {"GPT-3 175B", "LaMDA 137B", "PaLM 540B", "Gopher 280B", "Chinchilla 70B"}
    wanted |= {"GLM 130B", "PanGu-alpha 200B", "ERNIE 3.0 Titan 260B", "Yuan 1.0 245B"}
    assert wanted <= set(frame["name"])
    flops = frame.set_index("name")["flops"]
    # The budget of Gopher and Chinchilla in Hoffmann et al. 2022 is 5.76e23 FLOP.
    np.testing.assert_allclose(flops[["Gopher 280B", "Chinchilla 70B"]], 5.76e23, rtol=0.15)


@pytest.mark.parametrize(
    ("scale", "kind", "words"),
    [
        (550e9, "params", "about the size of PaLM 540B"),
        (440e9, "params", "about the size of Llama 3.1 405B"),
        (100e9, "params", "between Qwen2.5 72B and GLM 130B"),
        (1e13, "params", "beyond the largest model listed (PaLM 540B)"),
        (1e6, "params", "below the smallest model listed (Pythia 70M)"),
        (300e9, "tokens", "about the training data of Gopher 280B"),
        (1e15, "tokens", "beyond the largest training set listed (Qwen2.5 72B)"),
        (2.5e24, "flops", "about the training compute of PaLM 540B"),
        (1.5e25, "flops", "between Qwen2.5 72B and Nemotron-4 340B in training compute"),
        (1e18, "flops", "below the smallest training run listed (Pythia 70M)"),
    ],
)
def test_about(scale, kind, words):
    assert published.about(scale, kind) == words


@pytest.mark.parametrize("model", published._MODELS, ids=lambda model: model[0])
def test_about_knows_every_model(model):
    assert published.about(model[2]).startswith("about the size of ")


@pytest.mark.parametrize("scale", [0.0, -1.0, float("nan"), float("inf")])
def test_about_refuses_what_is_no_scale(scale):
    with pytest.raises(ValueError, match="positive and finite"):
        published.about(scale)


def test_about_refuses_an_unknown_kind():
    with pytest.raises(ValueError, match="known: params, tokens, flops"):
        published.about(1e9, "layers")
