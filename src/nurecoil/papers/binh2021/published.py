"""What the paper prints (`published.toml`), and the words of the report (`report.toml`)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nurecoil.presentation.comparison import QUOTED, Entry, Row, load_toml

Brackets = Mapping[str, Sequence[Sequence[float]]]  # printed couplings of a fermion, as [couplings] explains


@dataclass(frozen=True)
class PrintedLimit:
    """A lower limit on m_Z' as printed, of which experiments, and our reason."""

    where: str
    experiments: Sequence[str]
    detector: str
    beta: str
    tev: float
    digit: float
    text: str
    why: str
    again: bool = False  # printed before with another number

    @property
    def printed(self) -> Entry:
        """The limit in TeV, with which another one agrees that rounds to its last digit."""
        return Entry(self.tev, text=self.text, within=self.digit / 2)


def _row(row: dict[str, str]) -> Row:
    """Return an equation, a statement or an input, whose texts have our values in braces."""
    ours = {variant: Entry(text=row.pop(variant, f"{{{variant}}}")) for variant in ("equations", "numbers")}
    return Row(row.pop("kind", "input"), printed=Entry(text=row.pop("printed")), ours=ours, **row)


def _bound(where: str, label: str, tev: float, reference: str) -> Row:
    why, printed = f"{reference}; in the summary figure.", Entry(text=f"{tev:g} TeV")
    return Row("input", where, f"lower limit of others: {label}", printed, why=why, verdict=QUOTED)


WORDS = load_toml("nurecoil.papers.binh2021", "report.toml")
_FILE = load_toml("nurecoil.papers.binh2021", "published.toml")
COUPLINGS: Mapping[str, Brackets] = _FILE["couplings"]
MASSES_GEV: Sequence[int] = _FILE["table3"]["masses_gev"]
TABLE3 = {beta: dict(zip(MASSES_GEV, row, strict=True)) for beta, row in _FILE["table3"]["events"].items()}
TABLE3_WHY: Mapping[str, str] = _FILE["table3"]["why"]
LIMITS = tuple(PrintedLimit(**limit) for limit in _FILE["limits"])
FIRST_LIMITS = tuple(limit for limit in LIMITS if not limit.again)
BOUNDS: Mapping[str, float] = {bound["label"]: bound["tev"] for bound in _FILE["bounds"]}  # of others, in TeV
ROWS = (*map(_row, _FILE["statements"] + _FILE["inputs"]), *(_bound(**bound) for bound in _FILE["bounds"]))


def limit_tev(experiment: str, beta: str) -> float | None:
    """Return the (first) limit that is printed for an experiment and β, or None."""
    found = (x.tev for x in FIRST_LIMITS if experiment in x.experiments and x.beta == beta)
    return next(found, None)
