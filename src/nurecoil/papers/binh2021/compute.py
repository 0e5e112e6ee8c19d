"""The paper's tables, limits and curves, recomputed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nurecoil.experiment import CompiledExperiment, CountingStatistics
from nurecoil.experiment.recoil import RecoilTemplates, recoil_templates
from nurecoil.inference.intervals import Profile, threshold
from nurecoil.models import STANDARD_MODEL, ZPRIME_331
from nurecoil.models.zprime_331 import DOWN, NEUTRINO, UP, VARIANTS, zprime_couplings
from nurecoil.papers.binh2021.published import PrintedLimit
from nurecoil.papers.binh2021.setup import (
    BETA_OF,
    CL,
    EXPERIMENTS,
    PROJECTIONS,
    REFERENCE_MASS,
    S13_TILDE,
    SIN2_THETA_W,
    SYSTEMATICS,
    Setup,
    standard_model_total,
    values,
)
from nurecoil.parameters import Value
from nurecoil.physics.couplings import weak_charge
from nurecoil.physics.nuclei import Nuclide, nuclide
from nurecoil.study.study import Study

Array = NDArray[np.float64]
Events = Mapping[str, Mapping[str, Mapping[int, float]]]
FERMIONS = {"nu": NEUTRINO, "u": UP, "d": DOWN}
SCAN = (5e4, 1e8)  # MeV


@dataclass(frozen=True)
class Table3:
    """Events of Table III, {variant: {beta: {mass in GeV: N}}}: as computed, and scaled to N_SM = 188."""

    unscaled: Events
    scaled: Events


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
    def allowed_tev(self) -> tuple[tuple[float, float | None], ...]:
        """The allowed intervals; None where one is open upwards."""
        return tuple((i.low / 1e6, None if i.open_high else i.high / 1e6) for i in self.profile.intervals)

    @property
    def lower_limit_tev(self) -> float | None:
        """The lower limit, or None where large masses are not allowed."""
        low = self.profile.lower_limit
        return None if low is None else low / 1e6

    @property
    def lower_edge_tev(self) -> float | None:
        """The lower end of the last allowed interval, also where that ends below the scan's edge."""
        return self.allowed_tev[-1][0] if self.allowed_tev else None


def table1() -> dict[str, dict[str, dict[str, float]]]:
    """Return the Z' couplings of Table I: {beta: {"nu" | "u" | "d": {"gV": x, "gA": x}}}."""
    result: dict[str, dict[str, dict[str, float]]] = {label: {} for label in BETA_OF}
    for label, beta in BETA_OF.items():
        for name, fermion in FERMIONS.items():
            third = S13_TILDE**2 if name == "d" else 0.0
            vector, axial = zprime_couplings(fermion, beta, SIN2_THETA_W, third)
            result[label][name] = {"gV": float(vector), "gA": float(axial)}
    return result


def events(experiment: CompiledExperiment, beta: str, variant: str, mass_gev: float) -> Array:
    """Return the expected counts per bin at one mass of the Z'."""
    point = {**values(beta, variant), "m_zprime": mass_gev * 1e3}
    (expected,) = Study(ZPRIME_331, experiment, inside_units=True, **point).predict().values.parts
    return np.asarray(expected.counts)


def table3(setup: Setup, masses_gev: tuple[int, ...]) -> Table3:
    """Return the number of events of Table III."""
    unscaled, scaled = (
        {
            variant: {
                beta: {m: float(events(experiment, beta, variant, m).sum()) for m in masses_gev}
                for beta in ("+sqrt3", "-sqrt3")
            }
            for variant in VARIANTS
        }
        for experiment in (setup.experiments["binh2021-csi"], setup.csi_scaled)
    )
    return Table3(unscaled, scaled)


def weak_charge_correction(nuclide: Nuclide, beta: str, variant: str, masses: Array) -> Array:
    """Return R_W = (Q_W^331β - Q_W^SM)/Q_W^SM of a nucleus against the mass of the Z' in MeV."""
    new = ZPRIME_331.couplings(**values(beta, variant), m_zprime=masses)
    old = STANDARD_MODEL.couplings(sin2_theta_w=SIN2_THETA_W)
    charge, sm_charge = (
        weak_charge(c.vector_p[..., 0, 0], c.vector_n[..., 0, 0], nuclide.Z, nuclide.N) for c in (new, old)
    )
    return (charge - sm_charge) / sm_charge


def chi2_of_events(setup: Setup, events: Array) -> Array:
    """Return χ² of event numbers in CsI, minimised over a_1 and a_2 (eq. 43), which are linear:

    (N_exp - N - B_on)²/(σ_stat² + σ_a1² N² + σ_a2² B_on²).
    """
    s = setup.experiments["binh2021-csi"].experiment.statistics
    if not isinstance(s, CountingStatistics) or s.observed is None or s.background_pull is None:
        raise TypeError("the card of binh2021-csi is not that of eq. 43")
    rate, background = s.signal_pull.prior_width or 0.0, s.background_pull.prior_width or 0.0
    variance = s.observed + s.variance_counts + (rate * events) ** 2 + (background * s.background) ** 2
    chi2: Array = (s.observed - events - s.background) ** 2 / variance
    return chi2


def weak_point(beta: str, variant: str, mass_gev: float) -> dict[str, Value]:
    """Return the paper's parameters at one mass, without the magnetic moment."""
    return {**values(beta, variant), "m_zprime": mass_gev * 1e3, "mu_nu": 0.0}


def caesium_templates(setup: Setup, T: Array) -> RecoilTemplates:
    """Return templates of dσ/dE_R in cm²/keV per neutrino at recoils T (MeV), averaged over the source."""
    csi = setup.experiments["binh2021-csi"].experiment
    per_mev = recoil_templates(nuclide("Cs133"), csi.flux, csi.signal.form_factor, csi.conventions, T)
    return per_mev.scaled(1e-3 / len(csi.flux.components))


def limit_result(
    experiment: CompiledExperiment,
    beta: str,
    variant: str,
    nuisances: str,
    systematic: float | None = None,
    sin2_theta_w: float = SIN2_THETA_W,
) -> LimitResult:
    """Return the limit of one experiment in one reading of the paper."""
    name = experiment.experiment.name
    study = Study(
        ZPRIME_331,
        experiment,
        prior={} if systematic is None else {f"{name}_signal": systematic},
        inside_units=True,
        **values(beta, variant, sin2_theta_w),
    )
    freeze_at = REFERENCE_MASS if nuisances == "frozen" else None
    found = study.limit("m_zprime", SCAN, cl=CL, freeze_at=freeze_at)
    return LimitResult(name, beta, variant, nuisances, systematic, found.values.profile)


def experiment_for(setup: Setup, name: str, variant: str) -> CompiledExperiment:
    """Return the compiled experiment; CsI in variant "numbers" has the paper's 188 events."""
    if name == "binh2021-csi" and variant == "numbers":
        return setup.csi_scaled
    return setup.experiments[name]


def all_limits(setup: Setup, progress: Callable[[str], None]) -> tuple[LimitResult, ...]:
    """Return every limit: experiment x σ_sys x variant x nuisances x β = ±√3."""
    results = []
    for name in EXPERIMENTS:
        progress(f"limits of {name}")
        for systematic in SYSTEMATICS if name in PROJECTIONS else (None,):
            for variant in VARIANTS:
                experiment = experiment_for(setup, name, variant)
                results += [
                    limit_result(experiment, beta, variant, nuisances, systematic)
                    for nuisances in ("profiled", "frozen")
                    for beta in ("+sqrt3", "-sqrt3")
                ]
    return tuple(results)


def counts_needed(experiment: CompiledExperiment, printed: PrintedLimit) -> float:
    """Return the N_SM at which a projection, without systematic uncertainty, reaches a printed limit.

    From eq. 45 with a = 0: (N_SM - N)²/(1.2 N_SM) = Δχ², N = r N_SM, so N_SM = 1.2 Δχ²/(1 - r)², in
    variant "numbers".
    """
    r = events(experiment, printed.beta, "numbers", printed.tev * 1e3).sum() / standard_model_total(
        experiment
    )
    return float(1.2 * threshold(CL) / (1 - r) ** 2)


def limit_of_systematics(experiment: CompiledExperiment, beta: str, systematic: float) -> float:
    """Return the profiled limit (TeV) of a projection with unlimited statistics, in variant "numbers"."""
    endless = replace(experiment, templates=experiment.templates.scaled(1e8))
    found = limit_result(endless, beta, "numbers", "profiled", systematic)
    return found.lower_limit_tev or float("nan")
