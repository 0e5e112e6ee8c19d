"""A verdict beside every printed number: printed, ours in both variants, and one sentence why.

A limit is reproduced if it agrees with the printed one when rounded to the printed digits, an event number
if it agrees within one event, a statement if it holds.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter

from nurecoil.models.zprime_331 import VARIANTS
from nurecoil.papers.binh2021 import compute
from nurecoil.papers.binh2021.compute import LimitResult, Table3
from nurecoil.papers.binh2021.equations import Finding
from nurecoil.papers.binh2021.published import PrintedLimit, Published, Statement
from nurecoil.papers.binh2021.setup import (
    BETA_TEXT,
    N_SM_LAR,
    PROJECTIONS,
    SIN2_THETA_W_LAR,
    SYSTEMATICS,
    Setup,
    standard_model_total,
)

REPRODUCED, NOT_REPRODUCED, QUOTED = "reproduced", "not reproduced", "quoted"
NOT_JUDGED = "cannot be judged"
NOT_CHECKED = Finding(None, None, {"equations": "", "numbers": ""})
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
        shown = table3.scaled["numbers"][beta]
        for mass, printed in printed_row.items():
            agrees = abs(shown[mass] - printed) <= 1
            either = abs(table3.scaled["equations"][beta][mass] - printed) <= 1
            law = "either" if either else "numbers" if agrees else "off"
            why = published.table3_why[law].format(ours=shown[mass], printed=printed, at=shown)
            rows.append(
                Row(
                    "Table III",
                    f"events, β = {BETA_TEXT[beta]}, {MZ} = {mass} GeV",
                    str(printed),
                    f"{table3.unscaled['equations'][beta][mass]:.1f}",
                    f"{shown[mass]:.1f}",
                    _verdict(agrees),
                    why,
                    "number",
                    f"{law}, N<sub>SM</sub> = 188" if agrees else "",
                    "within one event, numbers, N<sub>SM</sub> = 188",
                )
            )
    return rows


def statement_rows(published: Published, findings: Mapping[str, Finding]) -> list[Row]:
    """Return a row for each equation, statement and input, and for the numbers that belong to no table."""
    return [_statement_row(s, findings.get(s.key, NOT_CHECKED)) for s in published.statements]


def _statement_row(statement: Statement, finding: Finding) -> Row:
    def text(template: str) -> str:
        return re.sub(r"-(?=\d)", "−", template.format(**finding.shown))

    judged = NOT_JUDGED if finding.equations is None else _verdict(finding.equations)
    holding = [variant for variant in VARIANTS if getattr(finding, variant) and statement.kind != "input"]
    texts = statement.equations, statement.numbers, statement.why, statement.rule
    equations, numbers, why, rule = map(text, texts)
    return Row(
        statement.where,
        statement.quantity,
        statement.printed,
        equations,
        numbers,
        statement.verdict or judged,
        why,
        statement.kind,
        statement.reading or (BOTH if len(holding) == 2 else "".join(holding)),
        rule,
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
        detector = printed.detector
        readings = sorted({f"{r.variant}, {r.nuisances}" for r in agreeing})
        shown = {"readings": " and ".join(readings), "twin": _at_other_beta(agreeing, limits)}
        rows.append(
            Row(
                printed.where,
                f"lower limit of {detector}, β = {BETA_TEXT[printed.beta]}",
                printed.text,
                _reading(ours, "equations"),
                _reading(ours, "numbers"),
                _verdict(any(r.nuisances == "frozen" or detector != "CsI" for r in agreeing)),
                printed.why.format(**shown, **_other_reading(setup, printed)),
                "number",
                "; ".join(readings),
                f"rounds to the printed digits, {'frozen' if detector == 'CsI' else 'frozen or profiled'}",
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


def _at_other_beta(agreeing: Sequence[LimitResult], limits: Sequence[LimitResult]) -> str:
    """Return the limit of the (first) agreeing reading for the opposite β, in TeV."""
    reading = attrgetter("experiment", "variant", "nuisances", "systematic")
    twins = [x for x in limits if x not in agreeing and reading(x) in map(reading, agreeing[:1])]
    return f"{twins[0].lower_edge_tev:.2f}" if twins else "none"


def _other_reading(setup: Setup, printed: PrintedLimit) -> dict[str, object]:
    """Return what LAr gives at another s_W², and what a projection would need to reach its printed limit."""
    name = printed.experiments[-1]
    compiled = setup.experiments[name]
    if name == "binh2021-lar":
        n_sm = standard_model_total(compiled, SIN2_THETA_W_LAR)
        scaled = replace(compiled, templates=compiled.templates.scaled(N_SM_LAR / n_sm))
        other = compute.limit_result(
            scaled, printed.beta, "numbers", "profiled", sin2_theta_w=SIN2_THETA_W_LAR
        )
        return {"s2": SIN2_THETA_W_LAR, "scaled": N_SM_LAR, "n_sm": n_sm, "other": other.lower_edge_tev}
    if name not in PROJECTIONS:
        return {}
    return {
        "floor": compute.limit_of_systematics(compiled, printed.beta, SYSTEMATICS[0]),
        "needed": _thousands(compute.counts_needed(compiled, printed)),
        "n_sm": _thousands(standard_model_total(compiled)),
    }


def _thousands(count: float) -> str:
    """Return a count with two significant digits above 1000, thousands apart."""
    digits = max(0, len(str(int(count))) - 2) if count >= 1000 else 0
    return f"{round(count, -digits):,.0f}".replace(",", "\u00a0")


def input_rows(published: Published) -> list[Row]:
    """Return a row for each bound of others that the paper quotes."""
    rows = []
    for b in published.bounds:
        quantity, why = f"lower limit of others: {b.label}", f"{b.reference}; in the summary figure."
        rows.append(Row(b.where, quantity, f"{b.tev:g} TeV", "", "", QUOTED, why))
    return rows
