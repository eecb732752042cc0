"""Named public data: `names` lists the tables, `describe` says what one holds, `load` returns it.

| question | file |
|---|---|
| which tables are there? | `tables` |
| where does a scale stand among published models? | `published` |
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .published import about as about
    from .published import published_models as published_models
    from .tables import DatasetError as DatasetError
    from .tables import DatasetInfo as DatasetInfo
    from .tables import describe as describe
    from .tables import load as load
    from .tables import names as names

_HOMES = {
    "DatasetError": "tables",
    "DatasetInfo": "tables",
    "about": "published",
    "describe": "tables",
    "load": "tables",
    "names": "tables",
    "published_models": "published",
}
__all__ = [*_HOMES]


def __getattr__(name: str):
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return __all__
