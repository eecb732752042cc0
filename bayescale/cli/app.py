"""app: how a command is run: its exit status, errors in one line, interrupts, closed pipes."""

from __future__ import annotations

import sys
import traceback
import warnings
from collections.abc import Callable
from functools import partial, wraps
from typing import Annotated, Any

import typer

from .. import __version__
from . import terminal
from .examples import EXAMPLES

__all__ = ["app", "command", "main"]

USAGE = typer.BadParameter.__mro__[2]
"""Every error of typer's own; where that class lives depends on typer's version."""
ABOUT = "Bayesian scaling laws: from a table of runs to a posterior, a plan and a forecast."

app = typer.Typer(
    help=ABOUT,
    epilog="Exit status: 0 sound, 1 the fit is not to be trusted, 2 input or call is wrong.",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class Interrupted(Exception):
    """Ctrl-C; typer ends without a word on a KeyboardInterrupt of its own."""


class Closed(Exception):
    """Nobody reads on; typer ends with status 1 on a BrokenPipeError of its own."""


def main(argv: list[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    terminal.open_streams()
    try:
        status = app(args=argv, prog_name="bayescale", standalone_mode=False)
        sys.stdout.flush()
        return status or terminal.SOUND
    except (Interrupted, typer.Abort):
        return terminal.complain("interrupted", terminal.INTERRUPTED)
    except (Closed, BrokenPipeError):
        terminal.drop_output()
        return terminal.BROKEN_PIPE
    except MemoryError:
        return terminal.complain("there is not enough memory for this", terminal.FAULT)
    except USAGE as error:
        where = getattr(getattr(error, "ctx", None), "command_path", "bayescale")
        if not error.format_message():  # its help was asked for by naming no command
            return terminal.WRONG
        message = f"{error.format_message().rstrip('.')}; see {where} --help"
        return terminal.complain(message, terminal.WRONG)
    except Exception as error:
        if isinstance(error, OSError):
            terminal.drop_output()  # it may be standard output that is full
        if isinstance(error, OSError) or (isinstance(error, ValueError) and _ours(error)):
            return terminal.complain(str(error) or type(error).__name__, terminal.WRONG)
        terminal.tell(*traceback.format_exception(error))
        return terminal.complain("this is a fault of the program", terminal.FAULT)


def _ours(error: BaseException) -> bool:
    """Return whether bayescale raised an error, on purpose, rather than what it calls."""
    *_, (frame, _) = traceback.walk_tb(error.__traceback__)
    return frame.f_globals.get("__name__", "").startswith("bayescale.")


importer = typer.Typer(
    help="Make a table of what other programs write.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(importer, name="import")


def command(
    run: Callable[..., int | None] | None = None,
    *,
    within: typer.Typer = app,
    panel: str | None = None,
) -> Callable[..., Any]:
    """Make a function a command, with its example below its help.

    Parameters
    ----------
    panel
        Where `bayescale --help` lists it.
    """
    if run is None:
        return partial(command, within=within, panel=panel)
    name = run.__name__.replace("_", "-")
    said = f"Example: {EXAMPLES[name]}" if name in EXAMPLES else None

    @within.command(name, epilog=said, rich_help_panel=panel)
    @wraps(run)
    def guarded(*args: Any, **kwargs: Any) -> int | None:
        try:
            with warnings.catch_warnings():
                # A cache that cannot be kept costs time, not the answer.
                warnings.filterwarnings("ignore", "Error (reading|writing) persistent compilation")
                return run(*args, **kwargs)
        except KeyboardInterrupt:
            raise Interrupted from None
        except BrokenPipeError:
            raise Closed from None

    return guarded


def _version(wanted: bool | None) -> None:
    if wanted:
        terminal.put(f"bayescale {__version__}")
        raise typer.Exit


@app.callback(help=ABOUT)
def _all(
    version: Annotated[
        bool | None,
        typer.Option("--version", callback=_version, is_eager=True, help="Say the version."),
    ] = None,
) -> None:
    pass
