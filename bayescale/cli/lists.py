"""lists: the commands that say what there is: laws, data sets, the installation, and the demo."""

from __future__ import annotations

from ..progress import waiting
from . import options, terminal
from . import output as reply

__all__ = ["data", "demo", "info", "laws"]

PICTURE = "bayescale-demo.png"


def laws(name: options.LawName = None) -> None:
    """List the laws: formula, inputs, parameters, source."""
    with waiting():
        from . import catalogue
    terminal.show(catalogue.law(name) if name else catalogue.laws())


def data(name: options.DataName = None, csv: options.Csv = False) -> None:
    """List the named data sets, describe one, or print its rows."""
    from .. import datasets
    from . import catalogue

    if csv:
        terminal.put(datasets.load(name or "").to_csv(index=False))
    else:
        terminal.show(catalogue.data_set(name) if name else catalogue.data_sets())


def info() -> None:
    """Say versions, devices and where things are kept."""
    with waiting():
        kept = terminal.start_jax()
        from ..datasets.tables import cache_folder
        from . import catalogue

        shown = catalogue.info(cache_folder(), kept)
    terminal.show(shown)


def demo(seed: options.Seed = 0) -> None:
    """Unlock two-digit addition of large GPT-3 models from the small ones."""
    with waiting() as progress:
        terminal.start_jax()
        from . import demo as story
        from . import pictures

        reply.check(None, PICTURE)
        told = story.run(seed, progress)
    terminal.show(story.report(told))
    pictures.draw(PICTURE, story.draw, told)
