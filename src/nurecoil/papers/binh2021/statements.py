"""What the paper states about its figures and results (section IV), checked on computed curves."""

from collections.abc import Mapping, Sequence
from math import log10

import numpy as np

from nurecoil.arithmetic import Array
from nurecoil.inference.intervals import threshold
from nurecoil.models import zprime_331 as z331
from nurecoil.papers.binh2021 import compute
from nurecoil.papers.binh2021.compute import LimitResult, Table3
from nurecoil.papers.binh2021.equations import ROOT3, Finding, both, worst
from nurecoil.papers.binh2021.published import Published
from nurecoil.papers.binh2021.setup import (
    BETA_OF,
    CL,
    CSI,
    EXPERIMENTS,
    GE,
    LAR,
    LARGEST,
    MU_NU,
    N_SM_OF_THE_PAPER,
    NAI,
    PROJECTIONS,
    S13_TILDE,
    SIN2_THETA_W,
    Setup,
)
from nurecoil.physics.constants import MUON_MASS
from nurecoil.physics.couplings import weak_charge
from nurecoil.physics.cross_section import recoil_energy_max
from nurecoil.physics.nuclei import nuclide

Checked = dict[str, tuple[bool | None, str]]  # by key: whether it holds in one variant, and what is shown
SIDES = {"β > 0": ("0", "+1/sqrt3", "+2/sqrt3", "+sqrt3"), "β < 0": ("0", "-1/sqrt3", "-2/sqrt3", "-sqrt3")}
MASSES = np.geomspace(3e5, 1e7, 200)  # MeV; R_W goes as 1/m², so any would do


def statement_findings(
    setup: Setup, published: Published, table3: Table3, limits: Sequence[LimitResult]
) -> dict[str, Finding]:
    """Return what becomes of each statement of section IV, by its key in `published.toml`."""
    equations, numbers = (
        _weak_charges(_corrections(variant))
        | _events(setup, published, table3, variant)
        | _limits(setup, published, [r for r in limits if r.variant == variant], variant)
        for variant in z331.VARIANTS
    )
    more = _values_of_reasons(setup, published)
    return {
        **{
            key: Finding(
                holds, numbers[key][0], {"equations": shown, "numbers": numbers[key][1], **more.get(key, {})}
            )
            for key, (holds, shown) in equations.items()
        },
        **_mixing(),
        **_magnetic(setup, published),
    }


def _values_of_reasons(setup: Setup, published: Published) -> dict[str, Mapping[str, object]]:
    """Return what is shown in the reasons, whichever the variant."""
    counts = [list(row.values()) for row in published.table3.values()]
    printed = compute.chi2_of_events(setup, np.array(counts, dtype=float))
    n27, n411, n222 = compute.chi2_of_events(setup, np.array([27.0, 411.0, 222.0]))
    heavy = np.array(published.table3_masses_gev) >= 2000
    spread = [x * MASSES**2 for variant in z331.VARIANTS for x in _corrections(variant).values()]
    plus, minus = (100 * (published.table3[b][2000] / N_SM_OF_THE_PAPER - 1) for b in LARGEST)
    return {
        "sign": {"zero": _corrections("numbers")["0"][-1] * 1e4},
        "falls": {"off": worst([x / x[0] - 1 for x in spread])},
        "standard-model": {"events": setup.standard_model_totals[CSI]},
        "bounded": {
            name: _csi_limit(setup, b, "equations") for name, b in (("zero", "0"), ("root3", "+sqrt3"))
        },
        "events": {"n27": n27, "n411": n411, "other": printed[printed <= threshold(CL)].max()},
        "events-heavy": {"printed": printed[:, heavy].max()},
        "inconsistent": {"n222": n222},
        "ge-pair": {"plus": plus, "minus": minus},
        "complement": {"bound": max(published.bounds.values())},
    }


def _corrections(variant: str) -> dict[str, Array]:
    """Return R_W of caesium at `MASSES`, for all β."""
    return {b: compute.weak_charge_correction(nuclide("Cs133"), b, variant, MASSES) for b in BETA_OF}


def _weak_charges(r: Mapping[str, Array]) -> Checked:
    sizes = np.abs(list(r.values()))
    falls = bool(np.all(np.diff(sizes) < 0) and np.all(sizes[:, -1] < 0.01))
    grows = {side: bool(np.all(np.diff([abs(r[b][-1]) for b in betas]) > 0)) for side, betas in SIDES.items()}
    sign = all(bool(np.all(np.sign(r[b]) == np.sign(v))) for b, v in BETA_OF.items() if v != 0)
    no_sign = "positive for every β" if all(np.all(x > 0) for x in r.values()) else "no"
    return {
        "sign": (sign, "yes" if sign else no_sign),
        "growth": (all(grows.values()), _sides_text(grows)),
        "falls": (falls, f"{'yes' if falls else 'no'}; at most {100 * sizes[:, -1].max():.2f} % at 10 TeV"),
        "fig2": (sign and all(grows.values()), "as in Fig. 1"),
    }


def _sides_text(holds: Mapping[str, bool]) -> str:
    sides = [side for side, yes in holds.items() if yes]
    return "yes" if len(sides) == len(holds) else f"only for {sides[0]}" if sides else "no"


def _mixing() -> dict[str, Finding]:
    rest = [abs(-1 + (1 - beta / ROOT3) * SIN2_THETA_W) for beta in (ROOT3, -ROOT3)]
    plus, minus = (2 * (1 - SIN2_THETA_W) * S13_TILDE**2 / part for part in rest)
    cs, charges = nuclide("Cs133"), []
    for s13 in (S13_TILDE, 0.0):
        at = {"beta": -ROOT3, "m_zprime": 3e6, "sin2_theta_w": SIN2_THETA_W, "s13_tilde": s13}
        of = z331.ZPRIME_331.couplings(**at)
        charges.append(weak_charge(of.vector_p[0, 0], of.vector_n[0, 0], cs.Z, cs.N))
    holds = all(round(log10(share)) == -1 for share in (plus, minus))
    share = abs(float(charges[0] / charges[1] - 1))
    return {"mixing": both(holds, plus=100 * plus, minus=100 * minus, charge=share)}


def _magnetic(setup: Setup, published: Published) -> dict[str, Finding]:
    end = float(recoil_energy_max(MUON_MASS / 2, nuclide("Cs133").mass))
    T = np.unique(np.append(np.geomspace(1e-6, 0.999 * end, 2000), [1e-3, 0.95 * end]))
    judged = (T >= 1e-3) & (0.95 * end >= T)
    caesium = compute.caesium_templates(setup, T)

    def ratio(beta: str, variant: str, mass_gev: float) -> Array:
        weak = compute.weak_part(caesium, beta, variant, mass_gev)
        return np.asarray(weak / (caesium["magnetic"].sum(axis=(1, 2)) * MU_NU**2))

    equations, numbers = (
        np.min([ratio(b, variant, m) for b in LARGEST for m in published.table3_masses_gev], axis=0)
        for variant in z331.VARIANTS
    )
    ample = T[equations >= 100] * 1e3
    least = {"equations": float(equations[judged].min()), "numbers": float(numbers[judged].min())}
    shown: dict[str, object] = {variant: f"{value:.0f} times at least" for variant, value in least.items()}
    shown |= {"low": ample[0], "last": end * 1e3 - ample[-1], "end": end * 1e3}
    shown["zero"] = ratio("-sqrt3", "numbers", 800)[judged].max()
    total = setup.standard_model_totals[CSI]
    events = float(setup.experiments[CSI].templates["magnetic"].sum()) * MU_NU**2
    return {
        "fig3": Finding(least["equations"] >= 100, least["numbers"] >= 100, shown),
        "magnetic": both(events < 0.01 * total, events=events, total=total),
        "standard-events": both(True, total=total),
    }


def _events(setup: Setup, published: Published, table3: Table3, variant: str) -> Checked:
    total = N_SM_OF_THE_PAPER if variant == "numbers" else setup.standard_model_totals[CSI]
    counts = [list(of_beta.values()) for of_beta in table3[variant].values()]
    ours = compute.chi2_of_events(setup, np.array(counts))
    standard = float(compute.chi2_of_events(setup, np.array(total)))
    agree, heavy = ours <= threshold(CL), np.array(published.table3_masses_gev) >= 2000
    return {
        "standard-model": (standard <= 1, f"χ² = {standard:.2f}"),
        "events": (bool(agree.all()), f"{agree.sum()} of {agree.size}"),
        "events-heavy": (bool(agree[:, heavy].all()), f"χ² ≤ {ours[:, heavy].max():.2f} from 2 TeV"),
        "inconsistent": (not agree[:, 0].any(), f"χ² = {ours[0, 0]:.1f} (√3), {ours[1, 0]:.1f} (−√3)"),
    }


def _limits(setup: Setup, published: Published, limits: Sequence[LimitResult], variant: str) -> Checked:
    ours = [r for r in limits if r.nuisances == "profiled"]
    edges = {
        (name, beta): [r.lower_edge_tev for r in ours if (r.experiment, r.beta) == (name, beta)]
        for name in EXPERIMENTS
        for beta in LARGEST
    }  # one for each σ_sys, the smaller first
    largest = max(max(found) for found in edges.values())
    projected = {b: [edge for name in PROJECTIONS for edge in edges[name, b]] for b in LARGEST}
    shown = [r for r in ours if r.beta == "-sqrt3" and r.experiment in (CSI, LAR, GE)]
    ends = [end for r in shown for window in r.allowed_tev[:-1] for end in window if end]
    open_above = [r.allowed_tev[-1][1] is None for r in ours if r.experiment in (CSI, LAR)]
    pair = [p for p in published.limits if GE in p.experiments]
    masses = [(p.beta, 1e3 * (p.printed.value or 0.0)) for p in pair]
    counts = [compute.events(setup.experiments[GE], beta, variant, mass).sum() for beta, mass in masses]
    off = [n / setup.standard_model_totals[GE] - 1 for n in counts]
    by_beta = {b: _csi_limit(setup, b, variant) for b in BETA_OF}
    especially = {side: max(betas, key=by_beta.__getitem__) == betas[-1] for side, betas in SIDES.items()}
    order = {
        key: (
            edges[n, "-sqrt3"] > edges[n, "+sqrt3"],
            "{1[0]:.2f} > {0[0]:.2f} TeV".format(*(edges[n, b] for b in LARGEST)),
        )
        for key, n in (("fig5", CSI), ("fig6", LAR), ("fig7", GE))
    }
    return {
        **order,
        "bounded": (all(especially.values()), _sides_text(especially)),
        "ge-pair": (
            max(map(abs, off)) <= 2 * min(map(abs, off)),
            "; ".join(f"{100 * x:+.1f} %" for x in off),
        ),
        "fig8": (edges[NAI, "+sqrt3"][0] >= largest, f"{edges[NAI, '+sqrt3'][0]:.2f} of {largest:.2f} TeV"),
        "window": (not ends, f"but {min(ends):.2f}–{max(ends):.2f} TeV" if ends else "yes"),
        "consistent": (
            all(open_above),
            f"both allow ≥ {max(edges[CSI, '-sqrt3'] + edges[LAR, '-sqrt3']):.2f} TeV",
        ),
        "improved": (
            all(min(projected[b]) > edges[CSI, b][0] for b in LARGEST),
            "; ".join(
                f"{min(projected[b]):.2f}–{max(projected[b]):.2f} ({edges[CSI, b][0]:.2f})" for b in LARGEST
            ),
        ),
        "complement": (None, f"≤ {largest:.2f} TeV, profiled"),
    }


def _csi_limit(setup: Setup, beta: str, variant: str) -> float:
    """Return the profiled CsI limit (TeV); 0 where there is none."""
    return compute.limit_result(setup.of(CSI, variant), beta, variant).lower_edge_tev
