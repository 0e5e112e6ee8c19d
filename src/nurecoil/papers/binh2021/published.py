"""The printed numbers of the paper, as Python objects."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources


@dataclass(frozen=True)
class PrintedLimit:
    """A lower limit on m_Z' as printed; `digit` is one unit (TeV) of the last digit."""

    where: str
    experiments: tuple[str, ...]
    beta: str
    tev: float
    digit: float
    text: str

    def agrees(self, tev: float | None) -> bool:
        """Return whether a limit rounds to the printed one: half a unit of the last digit at most."""
        return tev is not None and abs(tev - self.tev) <= self.digit / 2


@dataclass(frozen=True)
class PrintedBound:
    """A bound on m_Z' that the paper quotes from others."""

    where: str
    label: str
    tev: float
    reference: str


@dataclass(frozen=True)
class PrintedInput:
    """A printed number that is not a result: what it is and what is done with it."""

    where: str
    quantity: str
    printed: str
    verdict: str
    why: str


@dataclass(frozen=True)
class PrintedStatement:
    """What the paper derives or states, the rule by which it is judged, and how to show our values.

    `kind` is "number", "equation", "statement" or "input"; `reading` names the one in which alone it holds.
    """

    key: str
    kind: str
    where: str
    quantity: str
    printed: str
    rule: str
    why: str
    equations: str = "{equations}"
    numbers: str = "{numbers}"
    reading: str = ""


@dataclass(frozen=True)
class Published:
    """Everything that the paper prints."""

    table3_masses_gev: tuple[int, ...]
    table3: Mapping[str, tuple[int, ...]]
    limits: tuple[PrintedLimit, ...]
    bounds: tuple[PrintedBound, ...]
    inputs: tuple[PrintedInput, ...]
    statements: tuple[PrintedStatement, ...]

    def limit_tev(self, experiment: str, beta: str) -> float | None:
        """Return the (first) limit that is printed for an experiment and β, or None."""
        found = (x.tev for x in self.limits if experiment in x.experiments and x.beta == beta)
        return next(found, None)


def load_published() -> Published:
    """Return the printed numbers from `published.toml`."""
    text = resources.files("nurecoil.papers.binh2021").joinpath("published.toml").read_text("utf-8")
    data = tomllib.loads(text)
    table3 = data["table3"]
    masses = tuple(table3.pop("masses_gev"))
    return Published(
        table3_masses_gev=masses,
        table3={beta: tuple(row) for beta, row in table3.items()},
        limits=tuple(
            PrintedLimit(**{**row, "experiments": tuple(row["experiments"])}) for row in data["limits"]
        ),
        bounds=tuple(PrintedBound(**row) for row in data["bounds"]),
        inputs=tuple(PrintedInput(**row) for row in data["inputs"]),
        statements=tuple(PrintedStatement(**row) for row in data["statements"]),
    )
