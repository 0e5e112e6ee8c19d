"""What the collaboration published, as rows that are to be filled in."""

import tomllib
from functools import cache
from importlib import resources
from typing import Any

from nurecoil.presentation.comparison import Entry, Row


def load_toml(name: str) -> dict[str, Any]:
    """Return what a file beside this one says."""
    return tomllib.loads(resources.files("nurecoil.validation").joinpath(name).read_text("utf-8"))


@cache
def published_rows() -> tuple[Row, ...]:
    """Return all numbers of `published.toml`."""
    return tuple(
        Row(n["experiment"], n["source"], n["quantity"], Entry(n["value"], n.get("error")))
        for n in load_toml("published.toml")["numbers"]
    )


def experiments() -> tuple[str, ...]:
    """Return the names of the experiments that have published numbers."""
    return tuple(dict.fromkeys(row.group for row in published_rows()))


def published(experiment: str, quantity: str) -> Row:
    """Return the row of a quantity, without what is published where nothing is."""
    found = (row for row in published_rows() if (row.group, row.quantity) == (experiment, quantity))
    return next(found, Row(experiment, "", quantity))
