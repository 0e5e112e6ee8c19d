"""What the collaboration published, as rows that are to be filled in."""

from functools import cache

from nurecoil.presentation.comparison import Entry, Row, load_toml

WORDS = load_toml("nurecoil.validation", "page.toml")


@cache
def published_rows() -> tuple[Row, ...]:
    """Return all numbers of `published.toml`."""
    return tuple(
        Row(n["experiment"], n["source"], n["quantity"], Entry(n["value"], n.get("error")))
        for n in load_toml("nurecoil.validation", "published.toml")["numbers"]
    )


def experiments() -> tuple[str, ...]:
    """Return the names of the experiments that have published numbers."""
    return tuple(dict.fromkeys(row.group for row in published_rows()))


def published(experiment: str, quantity: str) -> Row:
    """Return the row of a quantity, without what is published where nothing is."""
    found = (row for row in published_rows() if (row.group, row.quantity) == (experiment, quantity))
    return next(found, Row(experiment, "", quantity))
