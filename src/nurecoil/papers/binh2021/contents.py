"""The contents of the report: its sections, texts and tables."""

from collections import Counter
from collections.abc import Mapping, Sequence

from nurecoil.models.zprime_331 import VARIANTS
from nurecoil.papers.binh2021 import compute
from nurecoil.papers.binh2021.compute import LimitResult
from nurecoil.papers.binh2021.published import Published, load_words
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
from nurecoil.presentation.document import Document, Figure, Section, Table

TITLE = "COHERENT constraints on Z′ in 331β model"
VERDICT_COLUMNS = ("quantity", "printed", "equations", "numbers", "verdict", "agrees in", "why")


def document(
    setup: Setup,
    published: Published,
    limits: Sequence[LimitResult],
    rows: Sequence[Row],
    figures: Sequence[Figure],
) -> Document:
    """Return the whole report."""
    words = load_words()
    csi = setup.standard_model_totals["binh2021-csi"]
    shown = {"s2": SIN2_THETA_W, "n_sm": N_SM_OF_THE_PAPER, "csi": csi}
    blocks: dict[str, Table | Figure] = {
        **{figure.name: figure for figure in figures},
        **{kind: _verdict_table(kind, title, rows) for kind, title in words["verdicts"].items()},
        "limits": _limit_table(published, limits),
        "table1": _table1_table(),
        "conventions": _conventions_table(setup),
    }
    sections = []
    for part in words["sections"]:
        text = [part["text"].strip().format(**shown)] if "text" in part else []
        sections.append(Section(part["title"], (*text, *(blocks[name] for name in part["blocks"]))))
    return Document(
        title=f"“{TITLE}”, recomputed",
        subtitle="D. T. Binh, L. T. Hue, V. H. Binh, D. V. Soa, H. N. Long (2021)",
        lead=words["lead"].strip().format(**shown, **_tally(rows)),
        sections=tuple(sections),
    )


def _tally(rows: Sequence[Row]) -> dict[str, object]:
    """Return how many results there are of each kind, and how many are reproduced, in which reading."""
    judged = [row for row in rows if row.verdict in (REPRODUCED, NOT_REPRODUCED)]
    good = [row for row in judged if row.verdict == REPRODUCED]
    readings = Counter(r.reading for r in good if r.kind == "number" and not r.from_equations_alone)
    tally: dict[str, object] = {
        "judged": len(judged),
        "reproduced": len(good),
        "alone": sum(row.from_equations_alone for row in good),
        "alone_numbers": sum(row.from_equations_alone for row in good if row.kind == "number"),
        "needs": ", ".join(f"{count} in *{reading}*" for reading, count in readings.items()),
        "only_numbers": sum(row.reading == "numbers" for row in judged if row.kind == "statement"),
    }
    for kind in ("number", "equation", "statement"):
        tally[f"n_{kind}s"] = sum(row.kind == kind for row in judged)
        tally[f"good_{kind}s"] = sum(row.kind == kind for row in good)
    return tally


def _verdict_table(kind: str, title: str, rows: Sequence[Row]) -> Table:
    """Return the table of verdicts of one kind; a reason begins with the rule where rows have their own."""
    columns = [c for c in VERDICT_COLUMNS if not (kind == "input" and c == "agrees in")]
    body = []
    for row in rows:
        rule = f"*{row.rule}* " if row.kind in ("equation", "statement") else ""
        cells = {
            "quantity": f"{row.quantity}<br>({row.where})",
            "agrees in": row.reading,
            "why": rule + row.why,
        }
        if row.kind == kind:
            body.append(tuple(cells.get(c) or getattr(row, c, "") for c in columns))
    return Table(
        title=title,
        columns=tuple(columns),
        rows=tuple(body),
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
        prose=("why",),
    )


def _limit_table(published: Published, limits: Sequence[LimitResult]) -> Table:
    readings = [(variant, nuisances) for variant in VARIANTS for nuisances in ("profiled", "frozen")]
    allowed = {(r.experiment, r.systematic, r.beta, r.variant, r.nuisances): r.allowed_tev for r in limits}
    rows = []
    for experiment, systematic, beta in dict.fromkeys(key[:3] for key in allowed):
        printed = published.limit_tev(experiment, beta)
        rows.append(
            (
                DETECTOR_TEXT[experiment],
                "" if systematic is None else f"{systematic:g}",
                BETA_TEXT[beta],
                *(_text(allowed[experiment, systematic, beta, *reading]) for reading in readings),
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


def _text(allowed: Sequence[tuple[float, float | None]]) -> str:
    parts = [f"≥\u00a0{a:.3g}" if b is None else f"{a:.3g} to {b:.3g}" for a, b in allowed]
    return "; ".join(parts) or "none"


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
