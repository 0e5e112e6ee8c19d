"""What the paper prints, as Python objects."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nurecoil.presentation.comparison import QUOTED, Entry, Row, load_toml

Brackets = Mapping[str, Sequence[Sequence[float]]]  # printed couplings of a fermion, as [couplings] explains
WORDS = load_toml("nurecoil.papers.binh2021", "report.toml")


@dataclass(frozen=True)
class PrintedLimit:
    """A lower limit on m_Z' (TeV) as printed, of which experiments, and our reason."""

    where: str
    experiments: tuple[str, ...]
    detector: str
    beta: str
    printed: Entry
    why: str


@dataclass(frozen=True)
class Published:
    """Everything that the paper prints.

    Equations, statements and inputs are rows whose texts have our values in braces; `bounds` are those of
    others, in TeV.
    """

    table3: Mapping[str, Mapping[int, int]]
    table3_why: Mapping[str, str]
    limits: tuple[PrintedLimit, ...]
    bounds: Mapping[str, float]
    rows: tuple[Row, ...]
    couplings: Mapping[str, Brackets]

    @property
    def table3_masses_gev(self) -> tuple[int, ...]:
        """The columns of Table III."""
        return tuple(self.table3["+sqrt3"])

    @property
    def first_limits(self) -> dict[tuple[str, str], float]:
        """The limits by detector and β, without the second one that is printed for the same of them."""
        found: dict[tuple[str, str], float] = {}
        for x in self.limits:
            found.setdefault((x.detector, x.beta), x.printed.value or 0.0)
        return found

    def limit_tev(self, experiment: str, beta: str) -> float | None:
        """Return the (first) limit that is printed for an experiment and β, or None."""
        found = (x.printed.value for x in self.limits if experiment in x.experiments and x.beta == beta)
        return next(found, None)


def load_published() -> Published:
    """Return the printed numbers from `published.toml`."""
    data = load_toml("nurecoil.papers.binh2021", "published.toml")
    table3 = data["table3"]
    masses, table3_why = table3.pop("masses_gev"), table3.pop("why")
    limits = []
    for limit in data["limits"]:
        printed = Entry(limit.pop("tev"), text=limit.pop("text"), within=limit.pop("digit") / 2)
        limits.append(PrintedLimit(**{**limit, "experiments": tuple(limit["experiments"])}, printed=printed))
    rows = [
        Row(
            group=row.pop("kind", "input"),
            printed=Entry(text=row.pop("printed")),
            ours={n: Entry(text=row.pop(n, f"{{{n}}}")) for n in ("equations", "numbers")},
            **row,
        )
        for row in (*data["statements"], *data["inputs"])
    ]
    for bound in data["bounds"]:
        label, tev, why = bound["label"], bound["tev"], f"{bound['reference']}; in the summary figure."
        printed = Entry(text=f"{tev:g} TeV")
        rows.append(Row("input", bound["where"], f"lower limit of others: {label}", printed, {}, why, QUOTED))
    return Published(
        table3={beta: dict(zip(masses, row, strict=True)) for beta, row in table3.items()},
        table3_why=table3_why,
        limits=tuple(limits),
        bounds={b["label"]: b["tev"] for b in data["bounds"]},
        rows=tuple(rows),
        couplings=data["couplings"],
    )
