"""The contents of the report: its sections, texts and tables, and the results file."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from nurecoil.models import ZPRIME_331
from nurecoil.models.zprime_331 import VARIANTS
from nurecoil.papers.binh2021 import compute, paper, published
from nurecoil.papers.binh2021.compute import Computed, LimitResult
from nurecoil.papers.binh2021.paper import BETA_TEXT, S13_TILDE, SIN2_THETA_W
from nurecoil.papers.binh2021.published import WORDS
from nurecoil.papers.binh2021.verdicts import BOTH
from nurecoil.presentation import comparison
from nurecoil.presentation.comparison import Row, signed
from nurecoil.presentation.document import Document, Figure, Section, Table
from nurecoil.study.result import conventions

_SUMMARY = ("quantity", "printed", *VARIANTS, "verdict")


def document(
    setup: paper.Setup, limits: Sequence[LimitResult], rows: Sequence[Row], figures: Sequence[Figure]
) -> Document:
    """Return the whole report."""
    shown = {"s2": SIN2_THETA_W, "n_sm": paper.N_SM, "csi": setup.totals[paper.CSI]}
    blocks: dict[str, Table | Figure] = {
        **{figure.name: figure for figure in figures},
        **{kind: _verdict_table(kind, title, rows) for kind, title in WORDS["verdicts"].items()},
        "limits": _limit_table(limits),
        "table1": table1_table(),
        "conventions": conventions_table(setup),
    }
    sections = []
    for part in WORDS["sections"]:
        text = [part["text"].strip().format(**shown)] if "text" in part else []
        sections.append(Section(part["title"], (*text, *(blocks[name] for name in part["blocks"]))))
    lead = WORDS["lead"].strip().format(**shown, **_tally(rows))
    return Document(WORDS["title"], WORDS["subtitle"], lead, tuple(sections))


def results(computed: Computed, rows: Sequence[Row]) -> dict[str, object]:
    """Return the numbers of the report, ready for JSON."""
    readings = [
        {
            "experiment": r.experiment,
            **r.record(),
            "nuisances": r.nuisances,
            "sigma_sys": r.systematic,
            "printed_tev": published.limit_tev(r.experiment, r.beta),
        }
        for r in computed.limits
    ]
    verdicts = [
        {
            "where": row.where,
            **{column: row.cells().get(column, "") for column in (*_SUMMARY, "why")},
            "kind": row.group,
            "reading": row.reading,
            "rule": row.rule,
        }
        for row in rows
    ]
    return {
        "table1": compute.table1(),
        "table3": {"printed": published.TABLE3, **computed.table3},
        "standard_model_totals": computed.setup.totals,
        "limits": readings,
        "verdicts": verdicts,
        "conventions": _conventions(computed.setup),
    }


def summary_table(rows: Sequence[Row]) -> Table:
    """Return the table of verdicts for a terminal: our numbers beside the printed ones."""
    judged = [row for row in rows if row.group != "input"]
    return comparison.table("Results of the paper", judged, (*_SUMMARY, "why"))


def _tally(rows: Sequence[Row]) -> dict[str, object]:
    """Return how many results there are of each kind, and how many are reproduced, in which reading."""
    judged, good = comparison.judged(rows)
    alone = [row for row in good if row.reading in (BOTH, "equations")]  # without scaling or frozen pulls
    readings = Counter(row.reading for row in good if row.group == "number" and row not in alone)
    tally: dict[str, object] = {
        "judged": len(judged),
        "reproduced": len(good),
        "alone": len(alone),
        "alone_numbers": sum(row.group == "number" for row in alone),
        "needs": ", ".join(f"{count} in *{reading}*" for reading, count in readings.items()),
        "only_numbers": sum(row.reading == "numbers" for row in judged if row.group == "statement"),
    }
    for kind in ("number", "equation", "statement"):
        tally[f"n_{kind}s"] = sum(row.group == kind for row in judged)
        tally[f"good_{kind}s"] = sum(row.group == kind for row in good)
    return tally


def _verdict_table(kind: str, title: str, rows: Sequence[Row]) -> Table:
    """Return the table of verdicts of one kind; a reason begins with the rule where rows have their own."""
    shown = []
    for row in rows:
        rule = f"*{row.rule}* " if kind in ("equation", "statement") else ""
        if row.group == kind:
            shown.append(replace(row, quantity=f"{row.quantity}<br>({row.where})", why=rule + row.why))
    columns = ("quantity", "printed", "verdict") if kind == "input" else (*_SUMMARY, "agrees in")
    return comparison.table(title, shown, (*columns, "why"))


def _limit_table(limits: Sequence[LimitResult]) -> Table:
    allowed: dict[tuple[str, float | None, str], dict[str, str]] = {}  # and then by reading
    for r in limits:
        of_one = allowed.setdefault((r.experiment, r.systematic, r.beta), {})
        of_one[f"{r.variant}, {r.nuisances}"] = r.text()
    readings = [f"{variant}, {nuisances}" for variant in VARIANTS for nuisances in ("profiled", "frozen")]
    rows = []
    for (experiment, systematic, beta), texts in allowed.items():
        printed = published.limit_tev(experiment, beta)
        rows.append(
            (
                paper.DETECTORS[experiment],
                "" if systematic is None else f"{systematic:g}",
                BETA_TEXT[beta],
                *(texts[reading] for reading in readings),
                "" if printed is None else f"≥ {printed:g}",
            )
        )
    return Table(
        title="Allowed masses in TeV at 90 % CL",
        columns=("detector", "σ<sub>sys</sub>", "β", *readings, "printed"),
        rows=tuple(rows),
        caption="All allowed intervals of m<sub>Z′</sub>, by root-finding on Δχ² = 2.706.",
    )


def table1_table() -> Table:
    """Return Table I."""
    rows = [
        (BETA_TEXT[beta], *(signed(g, ".4f") for pair in of_beta.values() for g in pair.values()))
        for beta, of_beta in compute.table1().items()
    ]
    return Table(
        title="Table I: couplings of the Z′",
        columns=("β", *(f"g<sub>{g}</sub>({f})" for f in ("ν", "u", "d") for g in ("V", "A"))),
        rows=tuple(rows),
        caption=f"At s<sub>W</sub>² = {SIN2_THETA_W} and s̃<sub>13</sub> = {S13_TILDE}, derived from"
        " hypercharge and SU(3)<sub>L</sub> representation.",
        right=tuple(range(1, 7)),
    )


def _conventions(setup: paper.Setup) -> dict[str, Any]:
    """Return the convention ledger of the recomputed paper."""
    return {
        "sin2_theta_w": SIN2_THETA_W,
        "s13_tilde": S13_TILDE,
        "mu_nu [mu_B]": paper.MU_NU,
        "reference_mass_of_frozen_pulls [TeV]": paper.REFERENCE_MASS / 1e6,
        "cl": paper.CL,
        "n_sm_of_the_paper": paper.N_SM,
        "scaling": WORDS["scaling"],
        **conventions(ZPRIME_331, list(setup.experiments.values())),
    }


def conventions_table(setup: paper.Setup) -> Table:
    """Return the ledger as a table, a row for each experiment."""
    used = _conventions(setup)
    of_each = used.pop("experiments")
    rows = [(key, _conventions_text(value)) for key, value in {**used, **of_each}.items()]
    return Table(title="Convention ledger", columns=("convention", "value"), rows=tuple(rows))


def _conventions_text(value: object, nested: bool = False) -> str:
    """Return conventions as "name: value; name: value", those nested in them in parentheses."""
    if not isinstance(value, Mapping):
        return str(value)
    text = "; ".join(f"{key}: {_conventions_text(inner, nested=True)}" for key, inner in value.items())
    return f"({text})" if nested else text
