"""A verdict beside every printed number: printed, ours in both variants, and one sentence why.

A limit is reproduced if it agrees with the printed one when rounded to the printed digits, an event number
if it agrees within one event, a statement if it holds.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from nurecoil.models.zprime_331 import VARIANTS
from nurecoil.papers.binh2021 import compute
from nurecoil.papers.binh2021.compute import LimitResult, Table3
from nurecoil.papers.binh2021.equations import Finding
from nurecoil.papers.binh2021.published import PrintedLimit, PrintedStatement, Published
from nurecoil.papers.binh2021.setup import (
    BETA_TEXT,
    DETECTOR_TEXT,
    N_SM_LAR,
    SIN2_THETA_W_LAR,
    SYSTEMATICS,
    Setup,
    standard_model_total,
)

REPRODUCED, NOT_REPRODUCED, INPUT, QUOTED = "reproduced", "not reproduced", "input", "quoted"
NOT_JUDGED = "cannot be judged"
BOTH = "both"  # of the variants: what follows from the equations alone
MZ = "m<sub>Z′</sub>"


@dataclass(frozen=True)
class Row:
    """One printed number or statement and what becomes of it.

    `kind` is "number", "equation", "statement" or "input", `reading` the one in which it agrees, or empty.
    """

    where: str
    quantity: str
    printed: str
    equations: str
    numbers: str
    verdict: str
    why: str
    kind: str = "input"
    reading: str = ""
    rule: str = ""

    @property
    def from_equations_alone(self) -> bool:
        """Whether it agrees without variant numbers, without scaling, and with pulls as the equations say."""
        return self.verdict == REPRODUCED and self.reading in (BOTH, "equations")


def _verdict(agrees: bool) -> str:
    return REPRODUCED if agrees else NOT_REPRODUCED


def table3_rows(published: Published, table3: Table3) -> list[Row]:
    """Return a row for each entry of Table III; "numbers" scaled to the paper's N_SM = 188."""
    rows = []
    for beta, printed_row in published.table3.items():
        for mass, printed in zip(published.table3_masses_gev, printed_row, strict=True):
            equations = table3.unscaled["equations"][beta][str(mass)]
            numbers = table3.scaled["numbers"][beta][str(mass)]
            agrees = abs(numbers - printed) <= 1
            either = abs(table3.scaled["equations"][beta][str(mass)] - printed) <= 1
            why = (
                "Follows with the opposite sign of g<sub>V</sub><sup>Z′</sup>(u) and doubled Z′ couplings"
                " (and N<sub>SM</sub> = 188), not from Table I."
            )
            if not agrees:
                neighbours = [table3.scaled["numbers"][beta][m] for m in ("2000", "5000")]
                why = (
                    f"Q<sub>W</sub> is linear in 1/{MZ}², so the paper's own entries at 2 and 5 TeV (134 and"
                    f" 179, ours {neighbours[0]:.0f} and {neighbours[1]:.0f}) fix this one at"
                    f" {numbers:.0f}; {printed} breaks that law."
                )
            rows.append(
                Row(
                    "Table III",
                    f"events, β = {BETA_TEXT[beta]}, {MZ} = {mass} GeV",
                    str(printed),
                    f"{equations:.1f}",
                    f"{numbers:.1f}",
                    _verdict(agrees),
                    why,
                    "number",
                    f"{'either' if either else 'numbers'}, N<sub>SM</sub> = 188" if agrees else "",
                    "within one event, numbers, N<sub>SM</sub> = 188",
                )
            )
    return rows


def statement_rows(published: Published, findings: Mapping[str, Finding]) -> list[Row]:
    """Return a row for each equation and statement, and for the numbers that belong to no table."""
    return [_statement_row(statement, findings[statement.key]) for statement in published.statements]


def _statement_row(statement: PrintedStatement, finding: Finding) -> Row:
    def text(template: str) -> str:
        return re.sub(r"-(?=\d)", "−", template.format(**finding.shown))

    holding = [variant for variant in VARIANTS if getattr(finding, variant)]
    if statement.kind == "input":
        verdict, reading = INPUT, ""
    elif finding.equations is None:
        verdict, reading = NOT_JUDGED, ""
    else:
        verdict = _verdict(finding.equations)
        reading = statement.reading or (BOTH if len(holding) == 2 else "".join(holding))
    return Row(
        statement.where,
        statement.quantity,
        statement.printed,
        text(statement.equations),
        text(statement.numbers),
        verdict,
        text(statement.why),
        statement.kind,
        reading,
        text(statement.rule),
    )


def limit_rows(setup: Setup, published: Published, limits: Sequence[LimitResult]) -> list[Row]:
    """Return a row for each printed limit, with both variants, frozen and profiled pulls.

    For CsI the paper describes its procedure, pulls frozen at their best fit for 3 TeV, and that one
    decides; for the other detectors it does not say, and either may agree.
    """
    rows = []
    for printed in published.limits:
        ours = [r for r in limits if r.experiment in printed.experiments and r.beta == printed.beta]
        agreeing = [r for r in ours if printed.agrees(r.lower_edge_tev)]
        detector = DETECTOR_TEXT[printed.experiments[0]].split(",")[0]
        rows.append(
            Row(
                printed.where,
                f"lower limit of {detector}, β = {BETA_TEXT[printed.beta]}",
                printed.text,
                _reading(ours, "equations"),
                _reading(ours, "numbers"),
                _verdict(any(r.nuisances == "frozen" or r.experiment != "binh2021-csi" for r in agreeing)),
                _why(setup, printed, agreeing, limits),
                "number",
                "; ".join(sorted({f"{r.variant}, {r.nuisances}" for r in agreeing})),
                f"rounds to the printed digits, {'frozen' if detector == 'CsI' else 'frozen or profiled'}",
            )
        )
    rows.append(
        Row(
            "abstract, V",
            "lower limits of Ge and NaI (abstract: and LAr)",
            "[2, 3.1] TeV",
            "",
            "",
            NOT_REPRODUCED,
            "Section IV prints 1.9 to 3.1 TeV for Ge and NaI, 0.5 and 1.3 TeV for LAr, but not 2 TeV.",
            "number",
            rule="is the range of the limits of section IV",
        )
    )
    return rows


def _reading(ours: Sequence[LimitResult], variant: str) -> str:
    """Return for instance "1.75 frozen, 1.48 profiled"; a range where σ_sys or the mass has one."""
    parts = []
    for nuisances in ("frozen", "profiled"):
        edges = [
            edge
            for r in ours
            if (r.variant, r.nuisances) == (variant, nuisances) and (edge := r.lower_edge_tev) is not None
        ]
        low, high = f"{min(edges):.2f}", f"{max(edges):.2f}"
        parts.append(f"{low if low == high else f'{low}–{high}'} {nuisances}")
    return ", ".join(parts)


def _why(
    setup: Setup, printed: PrintedLimit, agreeing: Sequence[LimitResult], limits: Sequence[LimitResult]
) -> str:
    readings = " and ".join(sorted({f"{r.variant}, {r.nuisances}" for r in agreeing}))
    name = printed.experiments[-1]
    if name == "binh2021-csi":
        return _why_csi(printed, readings)
    if name == "binh2021-lar":
        return _why_lar(setup, printed, agreeing, limits)
    if agreeing:
        return f"Agrees with {readings}; the same reading fails for β = √3, so it may be chance."
    return _why_untraced(setup, printed)


def _why_csi(printed: PrintedLimit, readings: str) -> str:
    if printed.where != "IV, CsI" or printed.beta == "+sqrt3":
        return (
            f"Follows from {readings}: the paper fits a<sub>1</sub>, a<sub>2</sub> once, at 3 TeV, and keeps"
            " them there."
        )
    return (
        "Contradicts the abstract and section V, which print 1.4 TeV for the same limit; it agrees with"
        f" {readings}, which fails for β = √3."
    )


def _why_lar(
    setup: Setup, printed: PrintedLimit, agreeing: Sequence[LimitResult], limits: Sequence[LimitResult]
) -> str:
    compiled = setup.experiments["binh2021-lar"]
    n_sm = standard_model_total(compiled, SIN2_THETA_W_LAR)
    scaled = replace(compiled, templates=compiled.templates.scaled(N_SM_LAR / n_sm))
    other = compute.limit_result(scaled, printed.beta, "numbers", "profiled", sin2_theta_w=SIN2_THETA_W_LAR)
    agrees = ""
    for r in agreeing:
        reading = r.experiment, r.variant, r.nuisances
        (twin,) = [
            x for x in limits if (x.experiment, x.variant, x.nuisances) == reading and x.beta != r.beta
        ]
        agrees += (
            f"Agrees with {r.variant}, {r.nuisances}, which at β = {BETA_TEXT[twin.beta]} gives"
            f" {twin.lower_edge_tev:.2f} TeV where 1.3 is printed: it may be chance. "
        )
    return (
        f"{agrees}With s<sub>W</sub>² = {SIN2_THETA_W_LAR} and N<sub>SM</sub> = {N_SM_LAR:g} (ours:"
        f" {n_sm:.0f}) numbers, profiled gives {other.lower_edge_tev:.2f} TeV, near both LAr limits:"
        " suggestive, not proof."
    )


def _why_untraced(setup: Setup, printed: PrintedLimit) -> str:
    compiled = setup.experiments[printed.experiments[-1]]
    floor = compute.limit_of_systematics(compiled, printed.beta, SYSTEMATICS[0])
    needed = compute.counts_needed(compiled, printed)
    return (
        f"Not traced: with σ<sub>sys</sub> = {SYSTEMATICS[0]} profiled, even endless data reach only"
        f" {floor:.2f} TeV; without systematic uncertainty it takes {_thousands(needed)} events where"
        f" Table II gives {_thousands(standard_model_total(compiled))}."
    )


def _thousands(count: float) -> str:
    """Return a count with two significant digits above 1000, thousands apart."""
    digits = max(0, len(str(int(count))) - 2) if count >= 1000 else 0
    return f"{round(count, -digits):,.0f}".replace(",", "\u00a0")


def input_rows(published: Published) -> list[Row]:
    """Return a row for each printed number that goes in as it is, or is quoted from others."""
    rows = [Row(i.where, i.quantity, i.printed, "", "", i.verdict, i.why) for i in published.inputs]
    return rows + [
        Row(
            b.where,
            f"lower limit of others: {b.label}",
            f"{b.tev:g} TeV",
            "",
            "",
            QUOTED,
            f"{b.reference}; in the summary figure.",
        )
        for b in published.bounds
    ]
