"""A verdict beside every printed number: printed, ours in both variants, and one sentence why.

A limit is reproduced if it agrees with the printed one when rounded to the printed digits, an event number
if it agrees within one event, a statement if it holds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import pi, sqrt

import numpy as np

from nurecoil.constants import ELECTRON_MASS, FERMI_CONSTANT, MUON_MASS
from nurecoil.nuclei import nuclide
from nurecoil.papers.binh2021 import compute
from nurecoil.papers.binh2021.compute import LimitResult, Table3
from nurecoil.papers.binh2021.published import PrintedLimit, Published
from nurecoil.papers.binh2021.setup import (
    BETA_OF,
    BETA_TEXT,
    DETECTOR_TEXT,
    MU_NU,
    N_SM_LAR,
    SIN2_THETA_W_LAR,
    SYSTEMATICS,
    Setup,
    standard_model_total,
)

REPRODUCED, NOT_REPRODUCED, INPUT, QUOTED = "reproduced", "not reproduced", "input", "quoted"
MZ = "m<sub>Z′</sub>"


@dataclass(frozen=True)
class Row:
    """One printed number or statement and what becomes of it."""

    where: str
    quantity: str
    printed: str
    equations: str
    numbers: str
    verdict: str
    why: str


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
                )
            )
    return rows


def statement_rows(setup: Setup, table1_difference: float) -> list[Row]:
    """Return rows for the table of couplings, the constants, and what the paper states in words."""
    return _coupling_rows(table1_difference) + _constant_rows() + _weak_charge_rows() + _event_rows(setup)


def _coupling_rows(table1_difference: float) -> list[Row]:
    return [
        Row(
            "Table I",
            "Z′ couplings of ν, u, d for seven β (42 entries)",
            "formulas",
            _minus(f"equal to {table1_difference:.0e}"),
            "u: −2x, d: 2x",
            _verdict(table1_difference < 1e-12),
            "Ours follow from hypercharge and SU(3)<sub>L</sub> representation alone and agree with the"
            " printed formulas to rounding.",
        ),
        Row(
            "eq. 18",
            "mixing matrix V<sub>L</sub>",
            "unitary",
            "unitary with one sign changed",
            "the same",
            NOT_REPRODUCED,
            "As printed it is not unitary: c̃<sub>12</sub>s̃<sub>23</sub>e<sup>iδ₂</sup> in row 2, column 3"
            " needs a plus sign; only |V<sub>31</sub>| = s̃<sub>13</sub> enters here.",
        ),
    ]


def _constant_rows() -> list[Row]:
    moment = 3 * FERMI_CONSTANT * ELECTRON_MASS * 1e-6 / (4 * sqrt(2) * pi**2)
    return [
        Row(
            "eq. 34",
            "μ<sub>ν</sub> of a Dirac neutrino, per eV",
            "3.2·10<sup>−19</sup> μ<sub>B</sub>",
            f"{moment * 1e19:.2f}·10<sup>−19</sup>",
            "the same",
            _verdict(abs(moment * 1e19 - 3.2) <= 0.05),
            "3 G<sub>F</sub> m<sub>e</sub> m<sub>ν</sub>/(4√2 π²).",
        ),
        Row(
            "III",
            "endpoint of the spectra",
            "52.8 MeV",
            f"{MUON_MASS / 2:.2f} MeV",
            "the same",
            _verdict(abs(MUON_MASS / 2 - 52.8) <= 0.05),
            "m<sub>μ</sub>/2.",
        ),
    ]


def _weak_charge_rows() -> list[Row]:
    masses, cs = np.geomspace(3e5, 1e7, 200), nuclide("Cs133")
    r = {
        variant: {beta: compute.weak_charge_correction(cs, beta, variant, masses) for beta in BETA_OF}
        for variant in ("equations", "numbers")
    }
    sign_holds, equations_hold = _has_the_sign_of_beta(r["numbers"]), _has_the_sign_of_beta(r["equations"])
    zero = r["numbers"]["0"][-1] * 1e4
    growing = {variant: _grows_with_beta(r[variant]) for variant in r}
    return [
        Row(
            "IV, Fig. 1",
            "R<sub>W</sub> has the sign of β",
            "always",
            "positive for every β" if not equations_hold else "yes",
            f"{'yes' if sign_holds else 'no'}; β = 0: {_minus(f'{zero:+.1f}')}·10<sup>−4</sup> at 10 TeV",
            _verdict(equations_hold),
            "From eqs. 17 and 25 to 36 R<sub>W</sub> > 0 for all seven β; the statement holds only in"
            ' variant "numbers".',
        ),
        Row(
            "IV, Fig. 1",
            "|R<sub>W</sub>| grows with |β|",
            "always",
            _growth_text(growing["equations"]),
            _growth_text(growing["numbers"]),
            _verdict(all(growing["equations"].values())),
            "Compared at 10 TeV separately for β > 0 and β < 0, with β = 0 as the smallest |β|.",
        ),
    ]


def _event_rows(setup: Setup) -> list[Row]:
    csi, share = setup.standard_model_totals["binh2021-csi"], _magnetic_share(setup)
    return [
        Row(
            "IV, Fig. 3",
            "magnetic part of the CsI events, μ<sub>ν</sub> = 2.9·10<sup>−11</sup> μ<sub>B</sub>",
            "orders smaller",
            f"{share * csi:.3f} of {csi:.1f}",
            "the same",
            _verdict(share < 1e-2),
            "In the sum over all bins; only in the last few keV below the endpoint is it some per cent.",
        ),
        Row(
            "IV, CsI",
            "Standard Model events in CsI",
            "188 (Table III at large mass)",
            f"{csi:.1f}",
            "scaled to 188",
            INPUT,
            "The paper prints no N<sub>SM</sub>; ours is scaled to 188 where variant numbers is"
            " compared with it.",
        ),
    ]


def _has_the_sign_of_beta(r: Mapping[str, np.ndarray]) -> bool:
    return all(bool(np.all(np.sign(r[b]) == np.sign(v))) for b, v in BETA_OF.items() if v != 0)


def _minus(text: str) -> str:
    """Return a printed number with a minus sign in place of the hyphen."""
    return text.replace("-", "−")


def _grows_with_beta(r: Mapping[str, np.ndarray]) -> dict[str, bool]:
    sides = {
        "β > 0": ("0", "+1/sqrt3", "+2/sqrt3", "+sqrt3"),
        "β < 0": ("0", "-1/sqrt3", "-2/sqrt3", "-sqrt3"),
    }
    return {side: bool(np.all(np.diff([abs(r[b][-1]) for b in betas]) > 0)) for side, betas in sides.items()}


def _growth_text(grows: Mapping[str, bool]) -> str:
    holds = [side for side, yes in grows.items() if yes]
    if len(holds) == len(grows):
        return "yes"
    return f"only for {holds[0]}" if holds else "no"


def _magnetic_share(setup: Setup) -> float:
    compiled = setup.experiments["binh2021-csi"]
    magnetic = float(compiled.templates.magnetic.sum()) * MU_NU**2
    return magnetic / setup.standard_model_totals["binh2021-csi"]


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
                _why(setup, printed, agreeing),
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


def _why(setup: Setup, printed: PrintedLimit, agreeing: Sequence[LimitResult]) -> str:
    readings = " and ".join(sorted({f"{r.variant}, {r.nuisances}" for r in agreeing}))
    name = printed.experiments[-1]
    if name == "binh2021-csi":
        return _why_csi(printed, readings)
    if name == "binh2021-lar":
        return _why_lar(setup, printed, readings)
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


def _why_lar(setup: Setup, printed: PrintedLimit, readings: str) -> str:
    compiled = setup.experiments["binh2021-lar"]
    n_sm = standard_model_total(compiled, SIN2_THETA_W_LAR)
    scaled = replace(compiled, templates=compiled.templates.scaled(N_SM_LAR / n_sm))
    other = compute.limit_result(scaled, printed.beta, "numbers", "profiled", sin2_theta_w=SIN2_THETA_W_LAR)
    agrees = f"Agrees with {readings}. " if readings else ""
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
