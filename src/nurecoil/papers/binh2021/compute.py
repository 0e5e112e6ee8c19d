"""The paper's tables, limits and curves, recomputed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from nurecoil.arithmetic import Array
from nurecoil.experiment import CompiledExperiment
from nurecoil.experiment.recoil import RecoilTemplates, recoil_templates
from nurecoil.inference.intervals import Profile
from nurecoil.models import SCALED_STANDARD_MODEL, ZPRIME_331
from nurecoil.models.zprime_331 import DOWN, NEUTRINO, UP, VARIANTS, zprime_couplings
from nurecoil.papers.binh2021 import paper, published
from nurecoil.parameters import Value
from nurecoil.physics.couplings import Couplings, weak_charge
from nurecoil.physics.nuclei import Nuclide, nuclide
from nurecoil.study.question import Question
from nurecoil.study.study import Study

Table3 = Mapping[str, Mapping[str, Mapping[int, float]]]  # {reading: {beta: {mass in GeV: events}}}
Intervals = tuple[tuple[float, float | None], ...]  # in TeV; None where one is open upwards
FERMIONS = {"nu": NEUTRINO, "u": UP, "d": DOWN}
SCAN = (5e4, 1e8)  # MeV


@dataclass(frozen=True)
class LimitResult:
    """One limit on m_Z': the reading of the paper that it belongs to, and all allowed intervals (TeV)."""

    experiment: str
    beta: str
    variant: str
    nuisances: str
    systematic: float | None
    profile: Profile

    @property
    def allowed_tev(self) -> Intervals:
        """The allowed intervals; None where one is open upwards."""
        return tuple((i.low / 1e6, None if i.open_high else i.high / 1e6) for i in self.profile.intervals)

    @property
    def lower_limit_tev(self) -> float | None:
        """The low end of the last interval, or None where large masses are not allowed, or all are."""
        last = self.profile.intervals[-1] if self.profile.intervals else None
        return last.low / 1e6 if last and last.open_high and not last.open_low else None

    @property
    def lower_edge_tev(self) -> float:
        """The lower end of the last allowed interval, also where that is not open; 0 where there is none."""
        return self.allowed_tev[-1][0] if self.allowed_tev else 0.0

    def text(self) -> str:
        """Return the allowed intervals in words."""
        return intervals_text(self.allowed_tev, self.profile.values[0] * (1 + 1e-9) / 1e6)

    def record(self) -> dict[str, object]:
        """Return the limit ready for JSON."""
        return {
            "beta": self.beta,
            "variant": self.variant,
            "cl": paper.CL,
            "allowed_tev": [list(interval) for interval in self.allowed_tev],
            "lower_limit_tev": self.lower_limit_tev,
            "converged": self.profile.converged,
        }


@dataclass(frozen=True)
class Computed:
    """All that is computed of the paper, but for curves."""

    setup: paper.Setup
    table3: Table3
    limits: Sequence[LimitResult]


def intervals_text(intervals: Intervals, lowest: float) -> str:
    """Return allowed intervals in words; one that begins at the lowest mass has no lower end."""
    parts = []
    for low, high in intervals:
        if high is None:
            parts.append(f"≥\u00a0{low:.3g}" if low > lowest else "all scanned")
        else:
            parts.append(f"{low:.3g} to {high:.3g}" if low > lowest else f"≤\u00a0{high:.3g}")
    return "; ".join(parts) or "none"


def zprime(fermion: str, beta: float) -> Array:
    """Return the couplings g_V and g_A of the Z' to "nu", "u" or "d" (Table I), shape (2,)."""
    third = paper.S13_TILDE**2 if fermion == "d" else 0.0
    return np.array(zprime_couplings(FERMIONS[fermion], beta, paper.SIN2_THETA_W, third))


def table1() -> dict[str, dict[str, dict[str, float]]]:
    """Return the Z' couplings of Table I: {beta: {"nu" | "u" | "d": {"gV": x, "gA": x}}}."""
    return {
        label: {name: dict(zip(("gV", "gA"), zprime(name, beta).tolist(), strict=True)) for name in FERMIONS}
        for label, beta in paper.BETA_OF.items()
    }


def couplings(beta: str, variant: str, m_zprime: float | Array, **other: Value) -> Couplings:
    """Return the couplings at the paper's parameters and masses of the Z' in MeV."""
    return ZPRIME_331.couplings(**{**paper.values(beta, variant), "m_zprime": m_zprime, **other})


def events(experiment: CompiledExperiment, beta: str, variant: str, mass_gev: float) -> Array:
    """Return the expected counts per bin at one mass of the Z'."""
    return experiment.counts(couplings(beta, variant, mass_gev * 1e3))


def table3(setup: paper.Setup) -> Table3:
    """Return Table III: each variant as it is read, "equations" unscaled and "numbers" scaled to N_SM = 188.

    `equations_scaled` and `numbers_unscaled` are the other way round.
    """

    def counts(experiment: CompiledExperiment, variant: str) -> Mapping[str, Mapping[int, float]]:
        return {
            beta: {mass: float(events(experiment, beta, variant, mass).sum()) for mass in printed}
            for beta, printed in published.TABLE3.items()
        }

    return {
        "equations": counts(setup.experiments[paper.CSI], "equations"),
        "numbers": counts(setup.csi_scaled, "numbers"),
        "equations_scaled": counts(setup.csi_scaled, "equations"),
        "numbers_unscaled": counts(setup.experiments[paper.CSI], "numbers"),
    }


def weak_charge_of(nuclide: Nuclide, couplings: Couplings) -> Array:
    """Return Q_W of a nucleus at couplings (...)."""
    proton, neutron = (vector[..., 0, 0] for vector in (couplings.vector_p, couplings.vector_n))
    return np.asarray(weak_charge(proton, neutron, nuclide.Z, nuclide.N))


def weak_charge_correction(nuclide: Nuclide, beta: str, variant: str, masses: Array) -> Array:
    """Return R_W = (Q_W^331β - Q_W^SM)/Q_W^SM of a nucleus against the mass of the Z' in MeV."""
    standard = weak_charge_of(nuclide, paper.standard_model())
    return (weak_charge_of(nuclide, couplings(beta, variant, masses)) - standard) / standard


def chi2_of_events(setup: paper.Setup, events: ArrayLike) -> Array:
    """Return χ² of event numbers in CsI (eq. 43), minimised over a_1 and a_2:

    (N_exp - N (1 + a_1) - B_on (1 + a_2))²/σ_stat² + (a_1/σ_a1)² + (a_2/σ_a2)².
    """
    strengths = np.asarray(events, dtype=float) / setup.totals[paper.CSI]
    experiments, held = [setup.experiments[paper.CSI]], {"sin2_theta_w": paper.SIN2_THETA_W}
    question = Question.of(SCALED_STANDARD_MODEL, experiments, held, {"signal_strength": 1.0})
    return question.chi2(strengths.reshape(-1, 1)).reshape(strengths.shape)


def caesium_templates(setup: paper.Setup, T: Array) -> RecoilTemplates:
    """Return templates of dσ/dE_R in cm²/keV per neutrino at recoils T (MeV), averaged over the source."""
    csi = setup.experiments[paper.CSI].experiment
    per_mev = recoil_templates(nuclide("Cs133"), csi.flux, csi.signal.form_factor, csi.conventions, T)
    return per_mev.scaled(1e-3 / len(csi.flux.components))


def weak_part(caesium: RecoilTemplates, beta: str, variant: str, mass_gev: float) -> Array:
    """Return what `caesium_templates` give at one mass of the Z', without the magnetic moment."""
    return caesium.evaluate(couplings(beta, variant, mass_gev * 1e3, mu_nu=0.0))


def magnetic_part(caesium: RecoilTemplates, moment: float) -> Array:
    """Return what `caesium_templates` give for a magnetic moment (μ_B) alone."""
    return np.asarray(caesium["magnetic"].sum(axis=(1, 2)) * moment**2)


def limit_result(
    experiment: CompiledExperiment,
    beta: str,
    variant: str,
    nuisances: str = "profiled",
    systematic: float | None = None,
    sin2_theta_w: float = paper.SIN2_THETA_W,
) -> LimitResult:
    """Return the limit of one experiment in one reading of the paper."""
    name, held = experiment.experiment.name, paper.values(beta, variant, sin2_theta_w)
    prior = {} if systematic is None else {f"{name}_signal": systematic}
    study = Study(ZPRIME_331, experiment, prior=prior, inside_units=True, **held)
    freeze_at = paper.REFERENCE_MASS if nuisances == "frozen" else None
    found = study.limit("m_zprime", SCAN, cl=paper.CL, freeze_at=freeze_at)
    return LimitResult(name, beta, variant, nuisances, systematic, found.values.profile)


def all_limits(setup: paper.Setup, progress: Callable[[str], None]) -> tuple[LimitResult, ...]:
    """Return every limit: experiment x σ_sys x variant x nuisances x β = ±√3."""
    results = []
    for name in paper.EXPERIMENTS:
        progress(f"limits of {name}")
        results += [
            limit_result(setup.of(name, variant), beta, variant, nuisances, systematic)
            for systematic in (paper.SYSTEMATICS if name in paper.PROJECTIONS else (None,))
            for variant in VARIANTS
            for nuisances in ("profiled", "frozen")
            for beta in paper.LARGEST
        ]
    return tuple(results)
