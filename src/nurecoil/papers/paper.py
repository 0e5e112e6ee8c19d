"""What a paper is to nurecoil: a name, and a recipe that recomputes it."""

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources
from typing import Any

from nurecoil.presentation.document import Document, Table


@dataclass(frozen=True)
class Reproduction:
    """A recomputed paper.

    Attributes
    ----------
    document
        The report, as data.
    results
        The numbers, ready for JSON.
    summary
        The verdict on every printed number.
    """

    document: Document
    results: dict[str, object]
    summary: Table


@dataclass(frozen=True)
class Paper:
    """A paper that can be recomputed; `reproduce` calls its argument once in each of `steps` steps."""

    name: str
    title: str
    steps: int
    reproduce: Callable[[Callable[[str], None]], Reproduction]


def load_toml(package: str, name: str) -> dict[str, Any]:
    """Return what a file in the folder of a paper says."""
    return tomllib.loads(resources.files(package).joinpath(name).read_text("utf-8"))
