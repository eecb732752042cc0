"""What docs/json.md says of the keys of summaries, and whether a document keeps to it."""

import json
import re
from pathlib import Path
from typing import NamedTuple

PAGE = Path(__file__).parents[1] / "docs" / "json.md"


class Key(NamedTuple):
    form: str
    optional: bool


def records():
    """Return the keys of each record of the page, by name."""
    found = {}
    for section in re.split(r"^## ", PAGE.read_text(), flags=re.MULTILINE)[1:]:
        name, rows = section.split("\n", 1)[0], {}
        for line in section.splitlines():
            if line.startswith("| `"):
                key, form, _, *when = (cell.strip() for cell in line.split("|")[1:-1])
                rows[key.strip("`")] = Key(form, bool("".join(when)))
        found[name] = rows
    return found


RECORDS = records()
SEEN = set()
"""(record, key) of all that was checked in this run."""


def problems(value, form, at="$"):
    """Yield what of a document is not as the page says, each with its place."""
    options = [option for option in re.split(r", | or ", form) if option]
    if len(options) > 1:
        tried = [list(problems(value, option, at)) for option in options]
        yield from min(tried, key=len)
    elif form.endswith("?"):
        yield from problems(value, form[:-1], at) if value is not None else ()
    elif form[0] + form[-1] in ("{}", "[]"):
        kind = dict if form[0] == "{" else list
        if not isinstance(value, kind):
            yield f"{at}: {form} is {value!r}"
            return
        for key, each in value.items() if kind is dict else enumerate(value):
            yield from problems(each, form[1:-1], f"{at}.{key}")
    elif form in RECORDS:
        yield from _record(value, form, at)
    elif not _is(value, form):
        yield f"{at}: {form} is {value!r}"


def _record(value, name, at):
    if not isinstance(value, dict):
        yield f"{at}: {name} is {value!r}"
        return
    known = RECORDS[name]
    SEEN.update((name, key) for key in value)
    yield from (f"{at}.{key} is not documented ({name})" for key in value.keys() - known.keys())
    needed = {key for key, each in known.items() if not each.optional}
    yield from (f"{at}.{key} is missing ({name})" for key in needed - value.keys())
    for key in value.keys() & known.keys():
        yield from problems(value[key], known[key].form, f"{at}.{key}")


def _is(value, form):
    real = isinstance(value, int | float) and not isinstance(value, bool)
    return {
        "number": real,
        "integer": isinstance(value, int) and real,
        "probability": real and -1e-9 <= value <= 1 + 1e-9,
        "yes/no": isinstance(value, bool),
        "text": isinstance(value, str),
        "object": isinstance(value, dict),
    }[form]


def kept(value, form):
    """Return `value` if it is JSON as it is, and what the page says; raise otherwise."""
    assert json.loads(json.dumps(value, allow_nan=False)) == value
    assert not (wrong := list(problems(value, form))), wrong
    return value
