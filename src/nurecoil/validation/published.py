"""What the collaboration published, as Python objects."""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any


@dataclass(frozen=True)
class PublishedNumber:
    """One published number: value and error (None: without one), and where it stands."""

    experiment: str
    quantity: str
    value: float
    source: str
    error: float | None = None


def load_toml(name: str) -> dict[str, Any]:
    """Return what a file beside this one says."""
    return tomllib.loads(resources.files("nurecoil.validation").joinpath(name).read_text("utf-8"))


@cache
def published_numbers() -> tuple[PublishedNumber, ...]:
    """Return all numbers of `published.toml`."""
    return tuple(PublishedNumber(**entry) for entry in load_toml("published.toml")["numbers"])


def experiments() -> tuple[str, ...]:
    """Return the names of the experiments that have published numbers."""
    return tuple(dict.fromkeys(number.experiment for number in published_numbers()))


def published(experiment: str, quantity: str) -> PublishedNumber | None:
    """Return what is published of a quantity, or None."""
    found = (n for n in published_numbers() if (n.experiment, n.quantity) == (experiment, quantity))
    return next(found, None)
