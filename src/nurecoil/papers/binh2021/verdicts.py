"""A verdict beside every printed number: printed, ours in both variants, and one sentence why.

A limit is reproduced if it agrees with the printed one when rounded to the printed digits, an event number
if it agrees within one event, a statement if it holds.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from nurecoil.experiment import CompiledExperiment
from nurecoil.inference.intervals import threshold
from nurecoil.models.zprime_331 import VARIANTS
from nurecoil.papers.binh2021 import compute, paper, published
from nurecoil.papers.binh2021.compute import Computed, LimitResult, Table3
from nurecoil.papers.binh2021.equations import Finding
from nurecoil.papers.binh2021.paper import BETA_TEXT
from nurecoil.papers.binh2021.published import PrintedLimit
from nurecoil.presentation.comparison import Entry, Row, verdict

NOT_CHECKED = Finding(None, None, {"equations": "", "numbers": ""})
BOTH = "both"  # of the variants: what follows from the equations alone


def all_rows(computed: Computed, findings: Mapping[str, Finding]) -> tuple[Row, ...]:
    """Return a row for everything that is printed."""
    entries = [(beta, mass) for beta, printed in published.TABLE3.items() for mass in printed]
    return (
        *(_table3_row(computed.table3, beta, mass) for beta, mass in entries),
        *(_limit_row(computed.setup, printed, computed.limits) for printed in published.LIMITS),
        *(_filled(row, findings.get(row.key, NOT_CHECKED)) for row in published.ROWS),
    )


def _table3_row(table3: Table3, beta: str, mass: int) -> Row:
    """Return the row of an entry of Table III; "numbers" is scaled to the paper's N_SM = 188."""
    number, numbers = published.TABLE3[beta][mass], table3["numbers"][beta]
    printed = Entry(number, text=str(number), within=1.0)
    agrees = printed.agrees(numbers[mass])
    either = printed.agrees(table3["equations_scaled"][beta][mass])
    law = "either" if either else "numbers" if agrees else "off"
    return Row(
        group="number",
        where="Table III",
        quantity=f"events, β = {BETA_TEXT[beta]}, m<sub>Z′</sub> = {mass} GeV",
        printed=printed,
        ours={variant: Entry(text=f"{table3[variant][beta][mass]:.1f}") for variant in VARIANTS},
        why=published.TABLE3_WHY[law].format(ours=numbers[mass], printed=number, at=numbers),
        verdict=verdict(agrees),
        reading=f"{law}, N<sub>SM</sub> = 188" if agrees else "",
        rule="within one event, numbers, N<sub>SM</sub> = 188",
    )


def _filled(row: Row, finding: Finding) -> Row:
    """Return an equation, a statement or an input with our values in its texts, and its verdict."""

    def text(template: str) -> str:
        return re.sub(r"-(?=\d)", "−", template.format(**finding.shown))

    holding = [variant for variant in VARIANTS if getattr(finding, variant) and row.group != "input"]
    return replace(
        row,
        ours={name: Entry(text=text(entry.text)) for name, entry in row.ours.items()},
        why=text(row.why),
        verdict=row.verdict or verdict(finding.equations),
        reading=row.reading or (BOTH if len(holding) == 2 else "".join(holding)),
        rule=text(row.rule),
    )


def _limit_row(setup: paper.Setup, printed: PrintedLimit, limits: Sequence[LimitResult]) -> Row:
    """Return the row of a printed limit, with both variants, frozen and profiled pulls.

    For CsI the paper describes its procedure, pulls frozen at their best fit for 3 TeV, and that one
    decides; for the other detectors it does not say, and either may agree.
    """
    ours = [r for r in limits if r.experiment in printed.experiments and r.beta == printed.beta]
    agreeing = [r for r in ours if printed.printed.agrees(r.lower_edge_tev)]
    allowed = ("frozen",) if printed.detector == "CsI" else ("frozen", "profiled")
    readings = sorted({f"{r.variant}, {r.nuisances}" for r in agreeing})
    shown = {"readings": " and ".join(readings), "twin": _at_other_beta(agreeing, limits)}
    return Row(
        group="number",
        where=printed.where,
        quantity=f"lower limit of {printed.detector}, β = {BETA_TEXT[printed.beta]}",
        printed=printed.printed,
        ours={variant: Entry(text=_edges([r for r in ours if r.variant == variant])) for variant in VARIANTS},
        why=printed.why.format(**shown, **_other_reading(setup, printed)),
        verdict=verdict(any(r.nuisances in allowed for r in agreeing)),
        reading="; ".join(readings),
        rule=f"rounds to the printed digits, {' or '.join(allowed)}",
    )


def _edges(ours: Sequence[LimitResult]) -> str:
    """Return for instance "1.75 frozen, 1.48 profiled"; a range where σ_sys or the mass has one."""
    parts = []
    for nuisances in ("frozen", "profiled"):
        edges = [r.lower_edge_tev for r in ours if r.nuisances == nuisances and r.allowed_tev]
        low, high = f"{min(edges):.2f}", f"{max(edges):.2f}"
        parts.append(f"{low if low == high else f'{low}–{high}'} {nuisances}")
    return ", ".join(parts)


def _at_other_beta(agreeing: Sequence[LimitResult], limits: Sequence[LimitResult]) -> str:
    """Return the limit of the (first) agreeing reading for the opposite β, in TeV."""

    def reading(r: LimitResult) -> tuple[object, ...]:
        return r.experiment, r.variant, r.nuisances, r.systematic

    twins = [x for r in agreeing[:1] for x in limits if x not in agreeing and reading(x) == reading(r)]
    return f"{twins[0].lower_edge_tev:.2f}" if twins else "none"


def _other_reading(setup: paper.Setup, printed: PrintedLimit) -> dict[str, object]:
    """Return what LAr gives at another s_W², and what a projection would need to reach its printed limit."""
    name, beta = printed.experiments[-1], printed.beta
    compiled, n_sm = setup.experiments[name], setup.totals[name]
    if name == paper.LAR:
        s2, expected = paper.SIN2_THETA_W_LAR, paper.N_SM_LAR
        n_sm = float(compiled.counts(paper.standard_model(s2)).sum())
        full = paper.scaled(compiled, expected / n_sm)
        other = compute.limit_result(full, beta, "numbers", sin2_theta_w=s2)
        return {"s2": s2, "scaled": expected, "n_sm": n_sm, "other": other.lower_edge_tev}
    if name not in paper.PROJECTIONS:
        return {}
    endless = paper.scaled(compiled, 1e8)  # unlimited statistics
    floor = compute.limit_result(endless, beta, "numbers", systematic=paper.SYSTEMATICS[0]).lower_limit_tev
    needed = thousands(_counts_needed(compiled, n_sm, printed))
    return {"floor": floor or float("nan"), "needed": needed, "n_sm": thousands(n_sm)}


def _counts_needed(compiled: CompiledExperiment, n_sm: float, printed: PrintedLimit) -> float:
    """Return the N_SM at which a projection, without systematic uncertainty, reaches a printed limit.

    From eq. 45 with a = 0: (N_SM - N)²/(1.2 N_SM) = Δχ², N = r N_SM, so N_SM = 1.2 Δχ²/(1 - r)², in
    variant "numbers".
    """
    ratio = compute.events(compiled, printed.beta, "numbers", printed.tev * 1e3).sum() / n_sm
    return float(1.2 * threshold(paper.CL) / (1 - ratio) ** 2)


def thousands(count: float) -> str:
    """Return a count with two significant digits above 1000, thousands apart."""
    digits = max(0, len(str(int(count))) - 2) if count >= 1000 else 0
    return f"{round(count, -digits):,.0f}".replace(",", "\u00a0")
