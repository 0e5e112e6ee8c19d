"""What the paper states about its figures and results (section IV), checked on computed curves."""

from collections.abc import Mapping, Sequence
from math import log10

import numpy as np
from numpy.typing import NDArray

from nurecoil.constants import MUON_MASS
from nurecoil.couplings import nucleon_couplings, weak_charge
from nurecoil.cross_section import recoil_energy_max
from nurecoil.inference.intervals import threshold
from nurecoil.models import zprime_331 as z331
from nurecoil.nuclei import nuclide
from nurecoil.papers.binh2021 import compute
from nurecoil.papers.binh2021.compute import LimitResult, Table3
from nurecoil.papers.binh2021.equations import ROOT3, Finding, both, by_variant, worst
from nurecoil.papers.binh2021.published import Published
from nurecoil.papers.binh2021.setup import (
    BETA_OF,
    CL,
    EXPERIMENTS,
    MU_NU,
    N_SM_OF_THE_PAPER,
    PROJECTIONS,
    S13_TILDE,
    SIN2_THETA_W,
    Setup,
)

Array = NDArray[np.float64]
Checked = dict[str, tuple[bool | None, str]]  # by key: whether it holds in one variant, and what is shown
SIDES = {"β > 0": ("0", "+1/sqrt3", "+2/sqrt3", "+sqrt3"), "β < 0": ("0", "-1/sqrt3", "-2/sqrt3", "-sqrt3")}
STRONGEST = ("+sqrt3", "-sqrt3")


def statement_findings(
    setup: Setup, published: Published, table3: Table3, limits: Sequence[LimitResult]
) -> dict[str, Finding]:
    """Return what becomes of each statement of section IV, by its key in `published.toml`."""
    return {
        **_weak_charges(),
        **_cross_sections(setup, published),
        **_event_numbers(setup, published, table3),
        **_limits(setup, published, limits),
    }


def _weak_charges() -> dict[str, Finding]:
    cs, masses, low = nuclide("Cs133"), np.geomspace(3e5, 1e7, 200), np.linspace(5e5, 4e6, 200)

    def corrections(variant: str, m: Array) -> dict[str, Array]:
        return {b: compute.weak_charge_correction(cs, b, variant, m) for b in BETA_OF}

    def check(variant: str) -> Checked:
        r, r_low = corrections(variant, masses), corrections(variant, low)
        sign, grows = _has_the_sign_of_beta(r), _grows_with_beta(r)
        sizes = np.abs(list(r.values()))
        same = (sign, grows) == (_has_the_sign_of_beta(r_low), _grows_with_beta(r_low))
        grown, falls = all(grows.values()), bool(np.all(np.diff(sizes) < 0) and np.all(sizes[:, -1] < 0.01))
        wrong = "positive for every β" if all(np.all(x > 0) for x in r.values()) else "no"
        return {
            "sign": (sign, "yes" if sign else wrong),
            "growth": (grown, _sides_text(grows)),
            "falls": (
                falls,
                f"{'yes' if falls else 'no'}; at most {100 * sizes[:, -1].max():.2f} % at 10 TeV",
            ),
            "fig2": (sign and grown and same, "as in Fig. 1" if same else "not as in Fig. 1"),
        }

    zero = corrections("numbers", masses)["0"][-1] * 1e4
    spread = [
        x * masses**2 / (x[0] * masses[0] ** 2) - 1
        for v in z331.VARIANTS
        for x in corrections(v, masses).values()
    ]
    rest = [abs(-1 + (1 - beta / ROOT3) * SIN2_THETA_W) for beta in (ROOT3, -ROOT3)]
    plus, minus = (2 * (1 - SIN2_THETA_W) * S13_TILDE**2 / part for part in rest)
    charges = []
    for s13 in (S13_TILDE, 0.0):
        quarks = z331.quark_couplings(-ROOT3, 3e6, SIN2_THETA_W, s13)
        charges.append(weak_charge(*nucleon_couplings(quarks["u"][0], quarks["d"][0]), cs.Z, cs.N))
    return by_variant(check, sign={"zero": zero}, falls={"off": worst(spread)}) | {
        "mixing": both(
            all(round(log10(share)) == -1 for share in (plus, minus)),
            plus=100 * plus,
            minus=100 * minus,
            charge=abs(float(charges[0] / charges[1] - 1)),
        )
    }


def _has_the_sign_of_beta(r: Mapping[str, Array]) -> bool:
    return all(bool(np.all(np.sign(r[b]) == np.sign(v))) for b, v in BETA_OF.items() if v != 0)


def _grows_with_beta(r: Mapping[str, Array]) -> dict[str, bool]:
    return {side: bool(np.all(np.diff([abs(r[b][-1]) for b in betas]) > 0)) for side, betas in SIDES.items()}


def _sides_text(grows: Mapping[str, bool]) -> str:
    holds = [side for side, yes in grows.items() if yes]
    if len(holds) == len(grows):
        return "yes"
    return f"only for {holds[0]}" if holds else "no"


def _cross_sections(setup: Setup, published: Published) -> dict[str, Finding]:
    end = float(recoil_energy_max(MUON_MASS / 2, nuclide("Cs133").mass))
    T = np.geomspace(1e-6, 0.999 * end, 2000)
    judged = (T >= 1e-3) & (0.95 * end >= T)
    caesium = compute.caesium_cross_sections(setup, T)

    def ratio(beta: str, variant: str, mass_gev: float) -> Array:
        return caesium.weak(beta, variant, mass_gev) / caesium.magnetic(MU_NU)

    def ratios(variant: str) -> Array:
        return np.array([ratio(b, variant, m) for b in STRONGEST for m in published.table3_masses_gev])

    def check(variant: str) -> Checked:
        least = float(ratios(variant)[:, judged].min())
        return {"fig3": (least >= 100, f"{least:.0f} times at least")}

    ample = T[ratios("equations").min(axis=0) >= 100]
    shown = {
        "low": ample[0] * 1e3,
        "last": (end - ample[-1]) * 1e3,
        "end": end * 1e3,
        "zero": ratio("-sqrt3", "numbers", 800)[judged].max(),
    }
    total = setup.standard_model_totals["binh2021-csi"]
    events = float(setup.experiments["binh2021-csi"].templates.magnetic.sum()) * MU_NU**2
    return by_variant(check, fig3=shown) | {
        "magnetic": both(events < 0.01 * total, events=events, total=total),
        "standard-events": both(True, total=total),
    }


def _event_numbers(setup: Setup, published: Published, table3: Table3) -> dict[str, Finding]:
    heavy, level = np.array(published.table3_masses_gev) >= 2000, threshold(CL)
    counts = {"equations": table3.unscaled["equations"], "numbers": table3.scaled["numbers"]}
    totals = {"equations": setup.standard_model_totals["binh2021-csi"], "numbers": N_SM_OF_THE_PAPER}

    def chi2(events: object) -> Array:
        return compute.chi2_of_events(setup, np.array(events, dtype=float))

    def check(variant: str) -> Checked:
        ours = chi2([list(counts[variant][beta].values()) for beta in published.table3])
        (plus, minus), standard = ours[:, 0], float(chi2(totals[variant]))
        return {
            "standard-model": (standard <= 1, f"χ² = {standard:.2f}"),
            "events": (bool(np.all(ours <= level)), f"{np.sum(ours <= level)} of {ours.size}"),
            "events-heavy": (
                bool(np.all(ours[:, heavy] <= level)),
                f"χ² ≤ {ours[:, heavy].max():.2f} from 2 TeV",
            ),
            "inconsistent": (bool(min(plus, minus) > level), f"χ² = {plus:.1f} (√3), {minus:.1f} (−√3)"),
        }

    printed = chi2(list(published.table3.values()))
    n27, n411, n222 = chi2([27, 411, 222])
    more = {
        "standard-model": {"events": totals["equations"]},
        "events": {"n27": n27, "n411": n411, "other": printed[printed <= level].max()},
        "events-heavy": {"printed": printed[:, heavy].max()},
        "inconsistent": {"n222": n222},
    }
    return by_variant(check, **more)


def _limits(setup: Setup, published: Published, limits: Sequence[LimitResult]) -> dict[str, Finding]:
    csi, lar, ge, _, nai = EXPERIMENTS

    def check(variant: str) -> Checked:
        ours = [r for r in limits if (r.variant, r.nuisances) == (variant, "profiled")]
        edges = {
            (name, beta): [r.lower_edge_tev or 0.0 for r in ours if (r.experiment, r.beta) == (name, beta)]
            for name in EXPERIMENTS
            for beta in STRONGEST
        }  # one for each σ_sys, the smaller first
        largest = max(max(found) for found in edges.values())
        projected = [[edge for name in PROJECTIONS for edge in edges[name, b]] for b in STRONGEST]
        present = [edges[csi, b][0] for b in STRONGEST]
        windows = [
            r.allowed_tev[0]
            for r in ours
            if r.experiment in (csi, lar, ge) and r.beta == "-sqrt3" and len(r.allowed_tev) > 1
        ]
        ends = [end for window in windows for end in window if end]
        shared = max(*edges[csi, "-sqrt3"], *edges[lar, "-sqrt3"])
        off = [_deviation(setup, ge, p.beta, variant, p.tev) for p in published.limits if ge in p.experiments]
        by_beta = {b: _csi_limit(setup, b, variant) for b in BETA_OF}
        especially = {side: max(betas, key=by_beta.__getitem__) == betas[-1] for side, betas in SIDES.items()}
        texts = [
            f"{min(edge):.2f}–{max(edge):.2f} ({now:.2f})"
            for edge, now in zip(projected, present, strict=True)
        ]
        found: Checked = {
            "bounded": (all(especially.values()), _sides_text(especially)),
            "ge-pair": (
                max(map(abs, off)) <= 2 * min(map(abs, off)),
                "; ".join(f"{100 * x:+.1f} %" for x in off),
            ),
            "fig8": (
                edges[nai, "+sqrt3"][0] >= largest,
                f"{edges[nai, '+sqrt3'][0]:.2f} of {largest:.2f} TeV",
            ),
            "window": (not windows, f"but {min(ends):.2f}–{max(ends):.2f} TeV" if windows else "yes"),
            "consistent": (
                all(
                    r.allowed_tev and r.allowed_tev[-1][1] is None for r in ours if r.experiment in (csi, lar)
                ),
                f"both allow ≥ {shared:.2f} TeV",
            ),
            "improved": (
                all(min(edge) > now for edge, now in zip(projected, present, strict=True)),
                "; ".join(texts),
            ),
            "complement": (None, f"≤ {largest:.2f} TeV, profiled"),
        }
        for key, name in (("fig5", csi), ("fig6", lar), ("fig7", ge)):
            plus, minus = (edges[name, b][0] for b in STRONGEST)
            found[key] = minus > plus, f"{minus:.2f} > {plus:.2f} TeV"
        return found

    at_2_tev = {b: row[published.table3_masses_gev.index(2000)] for b, row in published.table3.items()}
    plus, minus = (100 * (at_2_tev[b] / N_SM_OF_THE_PAPER - 1) for b in STRONGEST)
    bounds = {name: _csi_limit(setup, b, "equations") for name, b in (("zero", "0"), ("root3", "+sqrt3"))}
    more = {
        "bounded": bounds,
        "ge-pair": {"plus": plus, "minus": minus},
        "complement": {"bound": max(b.tev for b in published.bounds)},
    }
    return by_variant(check, **more)


def _csi_limit(setup: Setup, beta: str, variant: str) -> float:
    """Return the profiled CsI limit (TeV); 0 where there is none."""
    compiled = compute.experiment_for(setup, EXPERIMENTS[0], variant)
    return compute.limit_result(compiled, beta, variant, "profiled").lower_edge_tev or 0.0


def _deviation(setup: Setup, name: str, beta: str, variant: str, mass_tev: float) -> float:
    """Return N/N_SM - 1 of an experiment."""
    counts = compute.events(setup.experiments[name], beta, variant, mass_tev * 1e3).sum()
    return float(counts / setup.standard_model_totals[name] - 1)
