"""The contents of the report: its sections, texts and tables."""

from collections import Counter
from collections.abc import Mapping, Sequence

from nurecoil.document import Document, Figure, Section, Table
from nurecoil.models.zprime_331 import VARIANTS
from nurecoil.papers.binh2021 import compute
from nurecoil.papers.binh2021.compute import LimitResult, Table3
from nurecoil.papers.binh2021.published import Published
from nurecoil.papers.binh2021.results import paper_conventions
from nurecoil.papers.binh2021.setup import (
    BETA_TEXT,
    DETECTOR_TEXT,
    N_SM_OF_THE_PAPER,
    S13_TILDE,
    SIN2_THETA_W,
    Setup,
)
from nurecoil.papers.binh2021.verdicts import NOT_REPRODUCED, REPRODUCED, Row

TITLE = "COHERENT constraints on Z′ in 331β model"
VERDICT_COLUMNS = ("quantity", "where", "printed", "equations", "numbers", "verdict", "reading", "why")
TABLE_TITLES = {
    "number": "Printed numbers",
    "statement": "What the text, the abstract and the conclusion say",
    "equation": "Equations",
    "input": "What goes in as printed",
}
RULED = ("equation", "statement")  # kinds whose rows have a rule of their own


def document(
    setup: Setup,
    published: Published,
    table3: Table3,
    limits: Sequence[LimitResult],
    rows: Sequence[Row],
    figures: Mapping[str, Figure],
) -> Document:
    """Return the whole report."""
    return Document(
        title=f"“{TITLE}”, recomputed",
        subtitle="D. T. Binh, L. T. Hue, V. H. Binh, D. V. Soa, H. N. Long (2021)",
        lead=_lead(rows),
        sections=(
            Section("Limits", (_limits_text(), figures["summary"], _limit_table(published, limits))),
            Section("Numbers", (_numbers_text(), _verdict_table("number", rows))),
            Section("Statements and figures", (_statements_text(), _verdict_table("statement", rows))),
            Section("Equations", (_equations_text(), _verdict_table("equation", rows))),
            Section(
                "Events in CsI",
                (_table3_text(setup), _table3_table(published, table3), figures["fig4"]),
            ),
            Section("Weak charge", (figures["fig1"], figures["fig2"])),
            Section("Cross section", (figures["fig3"],)),
            Section("Profiles of Δχ²", tuple(figures[f"fig{n}"] for n in (5, 6, 7, 8))),
            Section("Couplings", (_table1_table(),)),
            Section("Conventions", (_conventions_text(), _conventions_table(setup))),
            Section("Inputs and quoted numbers", (_verdict_table("input", rows),)),
        ),
    )


def _lead(rows: Sequence[Row]) -> str:
    judged = [row for row in rows if row.verdict in (REPRODUCED, NOT_REPRODUCED)]
    numbers, equations, statements = (
        [row for row in judged if row.kind == kind] for kind in ("number", "equation", "statement")
    )
    good = [row for row in numbers if row.verdict == REPRODUCED]
    readings = Counter(row.reading for row in good if not row.from_equations_alone)
    needs = ", ".join(f"{count} in *{reading}*" for reading, count in readings.items())
    only_numbers = sum(row.reading == "numbers" for row in statements)
    return (
        f"Of {len(judged)} printed results {_reproduced(judged)} are reproduced,"
        f" {sum(row.from_equations_alone for row in judged)} of them from the equations alone. Of the"
        f" **{len(numbers)} numbers** {len(good)} are:"
        f" {sum(row.from_equations_alone for row in good)} from the equations alone, the others only in"
        f" some reading ({needs}). Of {len(equations)} equations {_reproduced(equations)} hold as printed;"
        f" of {len(statements)} statements about figures and results {_reproduced(statements)} hold in the"
        f" equations, {only_numbers} more in variant numbers only.\n\n"
        "The paper's numbers do not follow from its equations: from"
        " eqs. 17 to 36 the weak charge grows for every β, while Table III and the CsI limits follow if the"
        " Z′ coupling of the up quark has the opposite sign and both Z′ quark couplings are doubled. Every"
        " number is therefore given twice: in variant **equations**, which is the physics, and in variant"
        f" **numbers**, which is what the tables follow; both with s<sub>W</sub>² = {SIN2_THETA_W}, which the"
        " paper does not print. The limits of Ge and NaI for β = √3 could not be traced."
    )


def _reproduced(rows: Sequence[Row]) -> int:
    return sum(row.verdict == REPRODUCED for row in rows)


def _limits_text() -> str:
    return (
        "The CsI limits of the paper keep the nuisance parameters at their best fit for 3 TeV (*frozen*). The"
        " equations ask for a new fit at every mass (*profiled*). The figure shows the profiled limits of"
        " both variants, the table all of them; in variant numbers the CsI signal is scaled to the paper's"
        " 188 Standard Model events. An interval without upper end is open up to 100 TeV, the scan's end."
    )


def _numbers_text() -> str:
    return (
        "A limit counts as reproduced if one of the variants gives it, rounded to the printed digits: for CsI"
        " with frozen pulls, as the paper describes; for the other detectors, where it does not say, with"
        " either treatment, so that an agreement may be chance. An event number counts as reproduced if"
        " variant numbers agrees within one event, with the Standard Model's count scaled to the paper's"
        f" {N_SM_OF_THE_PAPER:g}. The column *equations* is not scaled; *agrees in* names every reading"
        " that gives the printed number, *both* what follows from the equations alone."
    )


def _statements_text() -> str:
    return (
        "What the paper says of its figures and results, each judged by the rule given with it, on computed"
        " curves. A statement counts as reproduced if it holds in variant equations; *agrees in* says where"
        " it holds (only)."
    )


def _equations_text() -> str:
    return (
        "Each equation that follows from others is derived again and compared with what is printed. It counts"
        " as reproduced if it holds as it stands."
    )


def _verdict_table(kind: str, rows: Sequence[Row]) -> Table:
    """Return the table of verdicts of one kind; the reason of a statement begins with its rule."""
    columns = [c for c in VERDICT_COLUMNS if not (kind == "input" and c == "reading")]
    body = [
        [f"*{row.rule}* {row.why}" if c == "why" and kind in RULED else getattr(row, c) for c in columns]
        for row in rows
        if row.kind == kind
    ]
    return Table(
        title=TABLE_TITLES[kind],
        columns=tuple("agrees in" if c == "reading" else c for c in columns),
        rows=tuple(map(tuple, body)),
        status_column=columns.index("verdict"),
    )


def summary_table(rows: Sequence[Row]) -> Table:
    """Return the table of verdicts for a terminal: our numbers beside the printed ones."""
    columns = ("quantity", "printed", "equations", "numbers", "verdict", "why")
    return Table(
        title="Results of the paper",
        columns=columns,
        rows=tuple(tuple(getattr(row, c) for c in columns) for row in rows if row.kind != "input"),
        status_column=columns.index("verdict"),
    )


def _table3_text(setup: Setup) -> str:
    return (
        f"With s<sub>W</sub>² = {SIN2_THETA_W} the Standard Model gives"
        f" {setup.standard_model_totals['binh2021-csi']:.1f} events; Table III tends to"
        f" {N_SM_OF_THE_PAPER:g}. Both variants are given as computed and scaled to"
        f" {N_SM_OF_THE_PAPER:g}; the paper's entries compare with the last column."
    )


def _table3_table(published: Published, table3: Table3) -> Table:
    rows = []
    for beta, printed_row in published.table3.items():
        for mass, printed in zip(published.table3_masses_gev, printed_row, strict=True):
            ours = [
                table[variant][beta][str(mass)]
                for variant in VARIANTS
                for table in (table3.unscaled, table3.scaled)
            ]
            rows.append((BETA_TEXT[beta], str(mass), str(printed), *(f"{n:.1f}" for n in ours)))
    return Table(
        title="Table III: number of events",
        columns=(
            "β",
            "m<sub>Z′</sub> [GeV]",
            "printed",
            "equations",
            "equations, scaled",
            "numbers",
            "numbers, scaled",
        ),
        rows=tuple(rows),
        align=("left", *("right",) * 6),
    )


def _limit_table(published: Published, limits: Sequence[LimitResult]) -> Table:
    readings = [(variant, nuisances) for variant in VARIANTS for nuisances in ("profiled", "frozen")]
    by_setup: dict[tuple[str, float | None, str], dict[tuple[str, str], str]] = {}
    for r in limits:
        cells = by_setup.setdefault((r.experiment, r.systematic, r.beta), {})
        cells[r.variant, r.nuisances] = "; ".join(_interval_text(*i) for i in r.allowed_tev) or "none"
    rows = []
    for (experiment, systematic, beta), cells in by_setup.items():
        printed = published.limit_tev(experiment, beta)
        rows.append(
            (
                DETECTOR_TEXT[experiment],
                "" if systematic is None else f"{systematic:g}",
                BETA_TEXT[beta],
                *(cells[reading] for reading in readings),
                "" if printed is None else f"≥ {printed:g}",
            )
        )
    return Table(
        title="Allowed masses in TeV at 90 % CL",
        columns=(
            "detector",
            "σ<sub>sys</sub>",
            "β",
            *(f"{variant}, {nuisances}" for variant, nuisances in readings),
            "printed",
        ),
        rows=tuple(rows),
        caption="All allowed intervals of m<sub>Z′</sub>, by root-finding on Δχ² = 2.706.",
    )


def _interval_text(low: float, high: float | None) -> str:
    return f"≥\u00a0{low:.3g}" if high is None else f"{low:.3g} to {high:.3g}"


def _table1_table() -> Table:
    rows = [
        (
            BETA_TEXT[beta],
            *(f"{couplings[f][g]:.4f}".replace("-", "−") for f in ("nu", "u", "d") for g in ("gV", "gA")),
        )
        for beta, couplings in compute.table1().items()
    ]
    heads = [f"g<sub>{g}</sub>({f})" for f in ("ν", "u", "d") for g in ("V", "A")]
    return Table(
        title="Table I: couplings of the Z′",
        columns=("β", *heads),
        rows=tuple(rows),
        caption=f"At s<sub>W</sub>² = {SIN2_THETA_W} and s̃<sub>13</sub> = {S13_TILDE}, derived from"
        " hypercharge and SU(3)<sub>L</sub> representation.",
        align=("left", *("right",) * 6),
    )


def _conventions_text() -> str:
    return (
        f"The paper prints no value of s<sub>W</sub>². Both variants use {SIN2_THETA_W}, which reproduces its"
        " event numbers (it is ŝ²(0) of Erler and Ramsey-Musolf, hep-ph/0409169). For β = −√3 the strength"
        " of the Z′ exchange grows like 1/(1 − 4s<sub>W</sub>²), so no 331β number means anything without"
        " it. The limits are two-sided, Δχ² = 2.706 for one parameter; where the best fit lies at infinite"
        " mass that is a one-sided 95 %. The projections for Ge and NaI observe the Standard Model."
        " `nurecoil predict` and `nurecoil limit` use 0.23857 unless told otherwise."
    )


def _conventions_table(setup: Setup) -> Table:
    used = paper_conventions(setup)
    rows = [(key, str(value)) for key, value in used.items() if key != "experiments"]
    per_experiment = used["experiments"]
    if isinstance(per_experiment, dict):
        rows += [(name, _conventions_text_of(entry)) for name, entry in per_experiment.items()]
    return Table(title="Convention ledger", columns=("convention", "value"), rows=tuple(rows))


def _conventions_text_of(entry: Mapping[str, object]) -> str:
    """Return conventions as "name: value; name: value", those nested in them in parentheses."""
    parts = []
    for key, value in entry.items():
        inner = f"({_conventions_text_of(value)})" if isinstance(value, Mapping) else str(value)
        parts.append(f"{key}: {inner}")
    return "; ".join(parts)
