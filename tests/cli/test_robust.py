"""The answer is there whatever happens after it, and whatever the names in a table are."""

import json
import os
import stat
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from bayescale import plot
from bayescale.cli import output, terminal
from bayescale.cli.commands import main
from bayescale.cli.printed import pictures
from bayescale.messages import Note, visible
from bayescale.posterior.files import StorageError

EVIL = "a$\\frac{$b\x1b[31mred\x07\u202egnp.\u2069\r\nx"


def test_what_steers_a_terminal_is_shown():
    assert visible("plain ü 漢字 \u200d") == "plain ü 漢字 \u200d"
    assert visible("\x1b[2J\x00\u202e\u2028\ud800") == "\\x1b[2J\\x00\\u202e\\u2028\\ud800"
    assert visible("a\nb\tc", "\n") == "a\nb\\tc"


def test_an_answer_comes_before_what_may_fail(power_fit, tmp_path, capsys, monkeypatch):
    """A file that cannot be written is an error, a picture that cannot be drawn a note."""

    def fails(*args, **kwargs):
        raise RuntimeError("no such font")

    monkeypatch.setattr(plot, "curve", fails)
    assert output.fit(power_fit, json=False, plot=str(tmp_path / "a.png")) == 0
    told = capsys.readouterr()
    assert "alpha" in told.out
    assert "no picture" in told.err
    assert "no such font" in told.err
    with pytest.raises(StorageError):
        output.fit(power_fit, False, None, str(tmp_path / "none" / "fit.nc"))
    assert "alpha" in capsys.readouterr().out
    assert os.listdir(tmp_path) == []


def test_cut_short_is_130_though_what_was_drawn_is_sound(power_fit, capsys):
    from dataclasses import replace

    told = (Note("interrupted", "interrupted"),)
    cut = replace(power_fit, sampling=replace(power_fit.sampling, notes=told))
    for as_json in (False, True):
        assert output.fit(cut, as_json, None) == terminal.INTERRUPTED
    assert "interrupted" in capsys.readouterr().err


@pytest.fixture(scope="module")
def evil(tmp_path_factory):
    """Losses of two curves whose names are formulas, escapes and bidirectional text."""
    x = np.geomspace(1e8, 1e11, 12)
    y = (1.8 + 150 * x**-0.25) * np.exp(0.005 * np.random.default_rng(0).normal(size=12))
    parts = [pd.DataFrame({"x": x, "los$_{s": y, "na\tme": name}) for name in (EVIL, "b")]
    path = tmp_path_factory.mktemp("evil") / "evil$_{.csv"
    pd.concat(parts).to_csv(path, index=False)
    return str(path)


def test_names_are_text_in_tables_and_pictures(evil, tmp_path, capsys):
    table = [evil, "--law", "power", "-x", "x", "-y", "los$_{s", "--curve", "na\tme"]
    quick = ["--draws", "100", "--warmup", "100", "--chains", "2"]
    picture = str(tmp_path / "a.png")
    assert main(["fit", *table, *quick, "--plot", picture]) in (0, 1)
    told = capsys.readouterr()
    assert "note: no picture" not in told.err
    assert os.path.getsize(picture) > 10_000
    for text in (told.out, told.err):
        assert not set(text) & set("\x1b\x07\u202e\u2069\r")
    assert "\\x1b[31m" in told.out
    main(["fit", *table, *quick, "--json"])
    assert EVIL.replace("\r\n", "\n") in {
        name.replace("\r\n", "\n") for name in json.loads(capsys.readouterr().out)["curves"]
    }


def bayescale(*words, shell=None, **changed):
    env = os.environ | changed
    code = "import sys; from bayescale.cli.commands import main; sys.exit(main())"
    command = [sys.executable, "-c", code, *words]
    if shell:
        command = ["sh", "-c", f'"$0" "$@" {shell}', *command]
    return subprocess.run(command, env=env, capture_output=True, text=True)


C_LOCALE = {"LC_ALL": "C", "LANG": "C"}


@pytest.mark.parametrize(
    ("shell", "changed", "status"),
    [
        (">&-", {}, 0),
        (">&- 2>&-", {}, 0),
        (">/dev/full", {}, 2),
        (None, {"COLUMNS": "0", "PYTHONIOENCODING": "ascii", "BAYESCALE_CACHE": "~nouser/x"}, 0),
        (None, {"COLUMNS": "x", "HOME": "~nouser", "XDG_CACHE_HOME": "~nouser/x"}, 0),
        (None, C_LOCALE | {"XDG_CACHE_HOME": "/dev/null/cache", "TMPDIR": "/nonexistent"}, 0),
    ],
)
def test_odd_surroundings(shell, changed, status):
    run = bayescale("laws", "power", shell=shell, **changed)
    assert run.returncode == status, run.stderr
    assert "Traceback" not in run.stderr
    assert "Exception" not in run.stderr
    assert run.stderr.count("\n") == (status != 0)
    if shell is None:
        assert "alpha" in run.stdout


def test_pictures_keep_no_font_warning_from_users(tmp_path, recwarn):
    figure, (ax,) = pictures.panels(1)
    ax.set_title("\U0001f9ff \U000f0000")
    pictures.keep(figure, str(tmp_path / "a.png"))
    assert not list(recwarn)


def test_the_cache_of_programs_is_the_users_alone(tmp_path):
    """Who can write programs there can run them as the user."""
    folder = tmp_path / "jax"
    folder.mkdir(mode=0o777)
    run = bayescale("info", BAYESCALE_CACHE=str(tmp_path))
    assert run.returncode == 0, run.stderr
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
