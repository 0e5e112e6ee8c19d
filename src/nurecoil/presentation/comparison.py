"""What is printed or published beside what we find: rows with their verdicts, and what is made of them.

A paper and the validation both come down to such rows: loaded without `ours` from what is printed, filled in
by a recipe, counted, and shown as tables.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

from nurecoil.presentation.document import Document, Table

REPRODUCED, NOT_REPRODUCED = "reproduced", "not reproduced"
NOT_JUDGED, QUOTED = "cannot be judged", "quoted"
TONES = {  # of a verdict, which is shown in a colour and as the word
    REPRODUCED: "good",
    NOT_REPRODUCED: "bad",
    "input": "plain",
    "not traced": "fair",
}
NUMERIC = ("published", "ours", "difference", "pull")  # columns of numbers
PROSE = ("agrees in", "why")  # columns that a narrow terminal leaves out


@dataclass(frozen=True)
class Entry:
    """What is printed or found: a number with its error, or only a text.

    >>> str(Entry(306.2, 20.0)), str(Entry(0.4, text="400 GeV")), str(Entry())
    ('306.2 ± 20', '400 GeV', '')
    >>> Entry(0.4, within=0.05).agrees(0.413), Entry(0.4, within=0.05).agrees(None)
    (True, False)
    """

    value: float | None = None
    error: float | None = None
    text: str = ""
    within: float = 0.0  # how far from it another number may lie and still agree

    def agrees(self, value: float | None) -> bool:
        """Return whether a number is as near as it has to be."""
        return value is not None and self.value is not None and abs(value - self.value) <= self.within

    def __str__(self) -> str:
        """Return the text, or the number with its error."""
        if self.text or self.value is None:
            return self.text
        return f"{self.value:.4g}" if self.error is None else f"{self.value:.4g} ± {self.error:.2g}"


@dataclass(frozen=True)
class Row:
    """One thing that is printed or published, and what becomes of it."""

    group: str  # the table in which it stands: its experiment, "number", "equation", "statement", "input"
    where: str
    quantity: str
    printed: Entry = Entry()  # empty: it is not printed
    ours: Mapping[str, Entry] = field(default_factory=dict)  # by name of column
    why: str = ""  # what ours rests on, or explains a difference
    verdict: str = ""
    reading: str = ""  # of a paper, in which it agrees
    rule: str = ""  # by which it is judged
    key: str = ""  # of the check that finds ours

    @property
    def difference(self) -> float | None:
        """Ours minus what is published, where both are one number."""
        ours = self.ours.get("ours", Entry()).value
        return None if ours is None or self.printed.value is None else ours - self.printed.value

    @property
    def pull(self) -> float | None:
        """The difference in units of the published error."""
        difference, error = self.difference, self.printed.error
        return difference / error if difference is not None and error else None

    def cells(self) -> dict[str, str]:
        """Return what is shown of it, by name of column."""
        return {
            "quantity": self.quantity,
            "printed": str(self.printed),
            "published": str(self.printed),
            **{name: str(entry) for name, entry in self.ours.items()},
            "difference": "" if self.difference is None else signed(self.difference, "+.2g"),
            "pull": "" if self.pull is None else signed(self.pull),
            "verdict": self.verdict,
            "agrees in": self.reading,
            "why": self.why,
        }


@dataclass(frozen=True)
class Comparison:
    """What a paper or a validation comes to: a report, what a terminal shows of it, and numbers for JSON."""

    document: Document
    tables: tuple[Table, ...]
    results: object


def load_toml(package: str, name: str) -> dict[str, Any]:
    """Return what a file in the folder of a package says: printed numbers, or words."""
    return tomllib.loads(resources.files(package).joinpath(name).read_text("utf-8"))


def verdict(agrees: bool | None) -> str:
    """Return the word for it; None cannot be judged."""
    return NOT_JUDGED if agrees is None else REPRODUCED if agrees else NOT_REPRODUCED


def signed(number: float, form: str = "+.2f") -> str:
    """Return a number with its sign, a true minus.

    >>> signed(-0.614)
    '−0.61'
    """
    return f"{number:{form}}".replace("-", "−")


def judged(rows: Sequence[Row]) -> tuple[list[Row], list[Row]]:
    """Return the rows that are judged, and those of them that are reproduced."""
    found = [row for row in rows if row.verdict in (REPRODUCED, NOT_REPRODUCED)]
    return found, [row for row in found if row.verdict == REPRODUCED]


def table(title: str, rows: Sequence[Row], columns: Sequence[str]) -> Table:
    """Return some columns of rows as a table, verdicts as its status."""
    shown = [row.cells() for row in rows]
    return Table(
        title=title,
        columns=tuple(columns),
        rows=tuple(tuple(cells.get(column, "") for column in columns) for cells in shown),
        right=tuple(n for n, column in enumerate(columns) if column in NUMERIC),
        status_column=columns.index("verdict") if "verdict" in columns else None,
        prose=tuple(column for column in columns if column in PROSE),
    )
