"""The printed numbers of the paper, as Python objects."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nurecoil.papers.paper import load_toml


@dataclass(frozen=True)
class PrintedLimit:
    """A lower limit on m_Z' as printed; `digit` is one unit (TeV) of the last digit, `why` our reason."""

    where: str
    experiments: tuple[str, ...]
    beta: str
    tev: float
    digit: float
    text: str
    why: str = ""
    detector: str = ""

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
class Statement:
    """Anything printed that belongs to no table of numbers, and how it is judged and shown.

    `kind` is "number", "equation", "statement" or "input"; an input has its `verdict` here, all others by
    the check called `key` and the `rule`. Texts show our values; it holds in the `reading` alone.
    """

    where: str
    quantity: str
    printed: str
    why: str
    kind: str = "input"
    verdict: str = ""
    key: str = ""
    rule: str = ""
    equations: str = "{equations}"
    numbers: str = "{numbers}"
    reading: str = ""


Brackets = Mapping[str, Sequence[Sequence[float]]]  # printed couplings of a fermion, as [couplings] explains


@dataclass(frozen=True)
class Published:
    """Everything that the paper prints."""

    table3_masses_gev: tuple[int, ...]
    table3: Mapping[str, Mapping[int, int]]
    table3_why: Mapping[str, str]
    limits: tuple[PrintedLimit, ...]
    bounds: tuple[PrintedBound, ...]
    statements: tuple[Statement, ...]
    couplings: Mapping[str, Brackets]

    @property
    def first_limits(self) -> tuple[PrintedLimit, ...]:
        """The limits, without the second one that is printed for the same detector and β."""
        return tuple({(x.detector, x.beta): x for x in reversed(self.limits)}.values())[::-1]

    def limit_tev(self, experiment: str, beta: str) -> float | None:
        """Return the (first) limit that is printed for an experiment and β, or None."""
        found = (x.tev for x in self.limits if experiment in x.experiments and x.beta == beta)
        return next(found, None)


def load_words() -> dict[str, Any]:
    """Return the words of the report from `report.toml`."""
    return load_toml("nurecoil.papers.binh2021", "report.toml")


def load_published() -> Published:
    """Return the printed numbers from `published.toml`."""
    data = load_toml("nurecoil.papers.binh2021", "published.toml")
    table3 = data["table3"]
    masses, why = tuple(table3.pop("masses_gev")), table3.pop("why")
    return Published(
        table3_masses_gev=masses,
        table3_why=why,
        table3={beta: dict(zip(masses, row, strict=True)) for beta, row in table3.items()},
        limits=tuple(
            PrintedLimit(**{**row, "experiments": tuple(row["experiments"])}) for row in data["limits"]
        ),
        bounds=tuple(PrintedBound(**row) for row in data["bounds"]),
        statements=tuple(Statement(**row) for row in (*data["statements"], *data["inputs"])),
        couplings=data["couplings"],
    )
