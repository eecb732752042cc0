"""Progress: a bar in notebooks and terminals, lines in pipes, nothing where nobody asks."""

import io
import time
from types import SimpleNamespace

import pytest
from rich.console import Console

from bayescale import progress
from bayescale.progress import waiting


@pytest.fixture
def hasty(monkeypatch):
    """Nobody waits for a bar."""
    for name in ("PATIENCE", "NOW_AND_THEN", "BLINK"):
        monkeypatch.setattr(progress, name, 0.0)


@pytest.fixture
def cell(monkeypatch, hasty):
    """What a notebook's cell shows, one text a picture."""
    display = pytest.importorskip("IPython.display")
    shown = []
    handle = SimpleNamespace(update=lambda html: shown.append(html.data))

    def show(html, display_id):
        assert display_id, "a bar is one picture that changes"
        shown.append(html.data)
        return handle

    monkeypatch.setattr(display, "display", show)
    monkeypatch.setattr(progress, "_shell", lambda: SimpleNamespace(config={"IPKernelApp": {}}))
    return shown


def test_a_notebook_has_a_bar_with_the_time_left_that_ends_empty(cell):
    with waiting() as tell:
        tell("sampling", 0.0)
        time.sleep(0.2)
        tell("sampling <&>", 0.0001)
        tell("sampling", 0.5)
    assert cell[0] == "<progress></progress> sampling, 0:00"
    assert cell[1].startswith('<progress value="0.000"></progress> sampling &lt;&amp;&gt;, 0:00, ')
    minutes, seconds = cell[1].split(", ")[-1].removesuffix(" left").split(":")
    assert 60 * int(minutes) + int(seconds) >= 0.2 * 9_999 - 1
    assert cell[2].endswith("0:00 left")
    assert cell[3:] == [""]


def test_a_bar_is_cleared_after_an_error_too(cell):
    def work():
        with waiting() as tell:
            tell("sampling", 0.5)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work()
    assert cell[-1] == ""


def test_short_work_shows_nothing(cell, monkeypatch):
    monkeypatch.setattr(progress, "PATIENCE", 60.0)
    with waiting() as tell:
        tell("sampling", 0.5)
    assert cell == []


def test_a_terminal_has_a_bar_that_vanishes(hasty):
    console = Console(file=io.StringIO(), force_terminal=True, width=80)
    with progress._bar(console) as tell:
        tell("sampling [/] \x1b[31m", 0.25)  # a name that is no markup, and no escape
        time.sleep(0.3)
    written = console.file.getvalue()
    assert "sampling [/] \\x1b[31m" in written
    assert written.endswith("\x1b[2K")


def test_a_pipe_has_lines(hasty, capsys):
    with waiting() as tell:
        tell("sigmoid: sampling", 0.25)
    assert capsys.readouterr() == ("", "sigmoid: sampling: 25%\n")


def test_a_line_comes_now_and_then(capsys):
    with waiting() as tell:
        tell("sampling", 0.25)
    assert capsys.readouterr() == ("", "")


def test_nobody_is_told_where_nobody_asks(cell, capsys):
    with waiting(False) as tell:
        tell("sampling", 0.5)
    assert (cell, capsys.readouterr()) == ([], ("", ""))


def test_a_function_is_told_everything(cell):
    told = []
    with waiting(lambda *what: told.append(what)) as tell:
        tell("sampling", 0.5)
    assert (told, cell) == ([("sampling", 0.5)], [])


def test_what_is_no_progress_is_refused():
    with pytest.raises(TypeError, match="progress"), waiting(None):
        pass
