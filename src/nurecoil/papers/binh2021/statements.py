"""What the paper states about its figures and results (section IV), checked on computed curves."""

from collections.abc import Callable, Mapping
from math import log10

import numpy as np

from nurecoil.arithmetic import Array
from nurecoil.inference.intervals import threshold
from nurecoil.models import zprime_331 as z331
from nurecoil.papers.binh2021 import compute, paper, published
from nurecoil.papers.binh2021.compute import Computed
from nurecoil.papers.binh2021.equations import ROOT3, Finding, both, worst
from nurecoil.papers.binh2021.paper import BETA_OF, CSI, GE, LAR, LARGEST, NAI, SIN2_THETA_W
from nurecoil.physics.constants import MUON_MASS
from nurecoil.physics.cross_section import recoil_energy_max
from nurecoil.physics.nuclei import nuclide

Checks = dict[str, tuple[bool | None, str]]  # by key: whether it holds in one variant, and what is shown
SIDES = {"β > 0": ("0", "+1/sqrt3", "+2/sqrt3", "+sqrt3"), "β < 0": ("0", "-1/sqrt3", "-2/sqrt3", "-sqrt3")}
MASSES = np.geomspace(3e5, 1e7, 200)  # MeV; R_W goes as 1/m², so any would do
HEAVY = np.array(published.MASSES_GEV) >= 2000


def statement_findings(computed: Computed) -> dict[str, Finding]:
    """Return what becomes of each statement of section IV, by its key in `published.toml`."""
    return {
        **_weak_charges(),
        **_mixing(),
        **_magnetic(computed.setup),
        **_events(computed),
        **_limits(computed),
    }


def _by_variant(
    checks: Callable[[str], Checks], of_reasons: Mapping[str, Mapping[str, object]]
) -> dict[str, Finding]:
    """Return findings from the checks of one variant, with what is shown in the reasons besides."""
    equations, numbers = map(checks, z331.VARIANTS)
    found = {}
    for key, (holds, shown) in equations.items():
        texts = {"equations": shown, "numbers": numbers[key][1], **of_reasons.get(key, {})}
        found[key] = Finding(holds, numbers[key][0], texts)
    return found


def _on_sides(holds: Mapping[str, bool]) -> tuple[bool, str]:
    sides = [side for side, yes in holds.items() if yes]
    everywhere = len(sides) == len(holds)
    return everywhere, "yes" if everywhere else f"only for {sides[0]}" if sides else "no"


def _weak_charges() -> dict[str, Finding]:
    cs = nuclide("Cs133")
    r = {
        variant: {b: compute.weak_charge_correction(cs, b, variant, MASSES) for b in BETA_OF}
        for variant in z331.VARIANTS
    }

    def checks(variant: str) -> Checks:
        curves = r[variant]
        sizes = {b: np.abs(curve) for b, curve in curves.items()}
        steps, ends = np.diff(list(sizes.values())), {b: size[-1] for b, size in sizes.items()}
        sign = all(np.all(np.sign(curves[b]) == np.sign(beta)) for b, beta in BETA_OF.items() if beta)
        no_sign = "positive for every β" if all(np.all(curve > 0) for curve in curves.values()) else "no"
        grows = _on_sides({side: all(np.diff([ends[b] for b in betas]) > 0) for side, betas in SIDES.items()})
        falls = bool(np.all(steps < 0)) and max(ends.values()) < 0.01
        return {
            "sign": (sign, "yes" if sign else no_sign),
            "growth": grows,
            "falls": (
                falls,
                f"{'yes' if falls else 'no'}; at most {100 * max(ends.values()):.2f} % at 10 TeV",
            ),
            "fig2": (sign and grows[0], "as in Fig. 1"),
        }

    scaled = [curve * MASSES**2 for curves in r.values() for curve in curves.values()]
    off = worst([curve / curve[0] - 1 for curve in scaled])
    return _by_variant(checks, {"sign": {"zero": r["numbers"]["0"][-1] * 1e4}, "falls": {"off": off}})


def _mixing() -> dict[str, Finding]:
    rest = [abs(-1 + (1 - beta / ROOT3) * SIN2_THETA_W) for beta in (ROOT3, -ROOT3)]
    plus, minus = (2 * (1 - SIN2_THETA_W) * paper.S13_TILDE**2 / part for part in rest)
    with_mixing, without = (
        compute.weak_charge_of(nuclide("Cs133"), compute.couplings("-sqrt3", "equations", 3e6, s13_tilde=s13))
        for s13 in (paper.S13_TILDE, 0.0)
    )
    holds = all(round(log10(share)) == -1 for share in (plus, minus))
    share = abs(float(with_mixing / without - 1))
    return {"mixing": both(holds, plus=100 * plus, minus=100 * minus, charge=share)}


def _magnetic(setup: paper.Setup) -> dict[str, Finding]:
    end = float(recoil_energy_max(MUON_MASS / 2, nuclide("Cs133").mass))
    T = np.unique(np.append(np.geomspace(1e-6, 0.999 * end, 2000), [1e-3, 0.95 * end]))
    judged = (T >= 1e-3) & (0.95 * end >= T)
    caesium = compute.caesium_templates(setup, T)
    magnetic = compute.magnetic_part(caesium, paper.MU_NU)

    def ratio(beta: str, variant: str, mass_gev: float) -> Array:
        return compute.weak_part(caesium, beta, variant, mass_gev) / magnetic

    equations, numbers = (
        np.min([ratio(b, variant, m) for b in LARGEST for m in published.MASSES_GEV], axis=0)
        for variant in z331.VARIANTS
    )
    least = {"equations": equations[judged].min(), "numbers": numbers[judged].min()}
    shown: dict[str, object] = {variant: f"{value:.0f} times at least" for variant, value in least.items()}
    ample = T[equations >= 100] * 1e3
    shown |= {"low": ample[0], "last": end * 1e3 - ample[-1], "end": end * 1e3}
    shown["zero"] = ratio("-sqrt3", "numbers", 800)[judged].max()
    total = setup.totals[CSI]
    events = float(setup.experiments[CSI].templates["magnetic"].sum()) * paper.MU_NU**2
    return {
        "fig3": Finding(least["equations"] >= 100, least["numbers"] >= 100, shown),
        "magnetic": both(events < 0.01 * total, events=events, total=total),
        "standard-events": both(True, total=total),
    }


def _events(computed: Computed) -> dict[str, Finding]:
    setup, allowed = computed.setup, threshold(paper.CL)

    def chi2(table: Mapping[str, Mapping[int, float]]) -> Array:
        return compute.chi2_of_events(setup, [list(of_beta.values()) for of_beta in table.values()])

    def checks(variant: str) -> Checks:
        total = paper.N_SM if variant == "numbers" else setup.totals[CSI]
        standard, ours = float(compute.chi2_of_events(setup, total)), chi2(computed.table3[variant])
        agree = ours <= allowed
        return {
            "standard-model": (standard <= 1, f"χ² = {standard:.2f}"),
            "events": (bool(agree.all()), f"{agree.sum()} of {agree.size}"),
            "events-heavy": (bool(agree[:, HEAVY].all()), f"χ² ≤ {ours[:, HEAVY].max():.2f} from 2 TeV"),
            "inconsistent": (not agree[:, 0].any(), f"χ² = {ours[0, 0]:.1f} (√3), {ours[1, 0]:.1f} (−√3)"),
        }

    printed, (n27, n411, n222) = chi2(published.TABLE3), compute.chi2_of_events(setup, [27, 411, 222])
    of_reasons = {
        "standard-model": {"events": setup.totals[CSI]},
        "events": {"n27": n27, "n411": n411, "other": printed[printed <= allowed].max()},
        "events-heavy": {"printed": printed[:, HEAVY].max()},
        "inconsistent": {"n222": n222},
    }
    return _by_variant(checks, of_reasons)


def _limits(computed: Computed) -> dict[str, Finding]:
    setup = computed.setup
    csi = {
        variant: {b: compute.limit_result(setup.of(CSI, variant), b, variant).lower_edge_tev for b in BETA_OF}
        for variant in z331.VARIANTS
    }

    def checks(variant: str) -> Checks:
        ours = [r for r in computed.limits if (r.variant, r.nuisances) == (variant, "profiled")]
        edges = {
            (name, beta): [r.lower_edge_tev for r in ours if (r.experiment, r.beta) == (name, beta)]
            for name in paper.EXPERIMENTS
            for beta in LARGEST
        }  # one for each σ_sys, the smaller first
        largest, nai = max(map(max, edges.values())), edges[NAI, "+sqrt3"][0]
        projected = {b: [edge for name in paper.PROJECTIONS for edge in edges[name, b]] for b in LARGEST}
        better = [min(projected[b]) > edges[CSI, b][0] for b in LARGEST]
        spans = [f"{min(projected[b]):.2f}–{max(projected[b]):.2f} ({edges[CSI, b][0]:.2f})" for b in LARGEST]
        shown = [r for r in ours if r.beta == "-sqrt3" and r.experiment in (CSI, LAR, GE)]
        ends = [end for r in shown for window in r.allowed_tev[:-1] for end in window if end]
        open_above = [r.allowed_tev[-1][1] is None for r in ours if r.experiment in (CSI, LAR)]
        common = max(edges[CSI, "-sqrt3"] + edges[LAR, "-sqrt3"])
        pair = [(x.beta, x.tev * 1e3) for x in published.LIMITS if GE in x.experiments]
        counts = [compute.events(setup.experiments[GE], beta, variant, mass).sum() for beta, mass in pair]
        off = [count / setup.totals[GE] - 1 for count in counts]
        of_beta = csi[variant]
        most = {side: max(betas, key=of_beta.__getitem__) == betas[-1] for side, betas in SIDES.items()}
        order: Checks = {}
        for key, name in (("fig5", CSI), ("fig6", LAR), ("fig7", GE)):
            plus, minus = (edges[name, beta][0] for beta in LARGEST)
            order[key] = minus > plus, f"{minus:.2f} > {plus:.2f} TeV"
        return order | {
            "bounded": _on_sides(most),
            "ge-pair": (
                max(map(abs, off)) <= 2 * min(map(abs, off)),
                "; ".join(f"{100 * x:+.1f} %" for x in off),
            ),
            "fig8": (nai >= largest, f"{nai:.2f} of {largest:.2f} TeV"),
            "window": (not ends, f"but {min(ends):.2f}–{max(ends):.2f} TeV" if ends else "yes"),
            "consistent": (all(open_above), f"both allow ≥ {common:.2f} TeV"),
            "improved": (all(better), "; ".join(spans)),
            "complement": (None, f"≤ {largest:.2f} TeV, profiled"),
        }

    plus, minus = (100 * (published.TABLE3[b][2000] / paper.N_SM - 1) for b in LARGEST)
    of_reasons = {
        "bounded": {"zero": csi["equations"]["0"], "root3": csi["equations"]["+sqrt3"]},
        "ge-pair": {"plus": plus, "minus": minus},
        "complement": {"bound": max(published.BOUNDS.values())},
    }
    return _by_variant(checks, of_reasons)
