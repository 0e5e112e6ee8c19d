"""The paper's tables, limits and curves, recomputed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nurecoil.arithmetic import Array
from nurecoil.experiment import CompiledExperiment
from nurecoil.experiment.recoil import RecoilTemplates, recoil_templates
from nurecoil.inference.intervals import Profile, threshold
from nurecoil.models import STANDARD_MODEL, ZPRIME_331
from nurecoil.models.zprime_331 import DOWN, NEUTRINO, UP, VARIANTS, zprime_couplings
from nurecoil.papers.binh2021.published import PrintedLimit
from nurecoil.papers.binh2021.setup import (
    BETA_OF,
    CL,
    CSI,
    EXPERIMENTS,
    LARGEST,
    PROJECTIONS,
    REFERENCE_MASS,
    S13_TILDE,
    SIN2_THETA_W,
    SYSTEMATICS,
    Setup,
    scaled,
    standard_model_total,
    values,
)
from nurecoil.physics.couplings import weak_charge
from nurecoil.physics.nuclei import Nuclide, nuclide
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
        """The lower limit, or None where large masses are not allowed."""
        low = self.profile.lower_limit
        return None if low is None else low / 1e6

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
            "cl": CL,
            "allowed_tev": [list(interval) for interval in self.allowed_tev],
            "lower_limit_tev": self.lower_limit_tev,
            "converged": self.profile.converged,
        }


def intervals_text(intervals: Intervals, lowest: float) -> str:
    """Return allowed intervals in words; one that begins at the lowest mass has no lower end."""
    parts = []
    for low, high in intervals:
        at_edge = low <= lowest
        if high is None:
            parts.append("all scanned" if at_edge else f"≥\u00a0{low:.3g}")
        else:
            parts.append(f"≤\u00a0{high:.3g}" if at_edge else f"{low:.3g} to {high:.3g}")
    return "; ".join(parts) or "none"


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


def table3(setup: Setup, masses_gev: Sequence[int]) -> Table3:
    """Return Table III: each variant as it is read, "equations" unscaled and "numbers" scaled to N_SM = 188.

    `equations_scaled` and `numbers_unscaled` are the other way round.
    """

    def counts(experiment: CompiledExperiment, variant: str) -> Mapping[str, Mapping[int, float]]:
        return {b: {m: float(events(experiment, b, variant, m).sum()) for m in masses_gev} for b in LARGEST}

    unscaled, full = setup.experiments[CSI], setup.csi_scaled
    return {
        "equations": counts(unscaled, "equations"),
        "numbers": counts(full, "numbers"),
        "equations_scaled": counts(full, "equations"),
        "numbers_unscaled": counts(unscaled, "numbers"),
    }


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
    s = setup.experiments[CSI].experiment.statistics
    if s.observed is None or not s.variance:
        raise TypeError("the card of binh2021-csi is not that of eq. 43")
    (background,), observed = s.backgrounds, float(s.observed.item())
    counts = float(background.nominal.item())
    widths = [c.rates[0].prior_width or 0.0 for c in (s.signal, background)]
    variance = float(s.variance.of(s.observed).item()) + (widths[0] * events) ** 2 + (widths[1] * counts) ** 2
    chi2: Array = (observed - events - counts) ** 2 / variance
    return chi2


def caesium_templates(setup: Setup, T: Array) -> RecoilTemplates:
    """Return templates of dσ/dE_R in cm²/keV per neutrino at recoils T (MeV), averaged over the source."""
    csi = setup.experiments[CSI].experiment
    per_mev = recoil_templates(nuclide("Cs133"), csi.flux, csi.signal.form_factor, csi.conventions, T)
    return per_mev.scaled(1e-3 / len(csi.flux.components))


def weak_part(caesium: RecoilTemplates, beta: str, variant: str, mass_gev: float) -> Array:
    """Return what `caesium_templates` give at one mass of the Z', without the magnetic moment."""
    point = {**values(beta, variant), "m_zprime": mass_gev * 1e3, "mu_nu": 0.0}
    return caesium.evaluate(ZPRIME_331.couplings(**point))


def limit_result(
    experiment: CompiledExperiment,
    beta: str,
    variant: str,
    nuisances: str = "profiled",
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


def all_limits(setup: Setup, progress: Callable[[str], None]) -> tuple[LimitResult, ...]:
    """Return every limit: experiment x σ_sys x variant x nuisances x β = ±√3."""
    results = []
    for name in EXPERIMENTS:
        progress(f"limits of {name}")
        results += [
            limit_result(setup.of(name, variant), beta, variant, nuisances, systematic)
            for systematic in (SYSTEMATICS if name in PROJECTIONS else (None,))
            for variant in VARIANTS
            for nuisances in ("profiled", "frozen")
            for beta in LARGEST
        ]
    return tuple(results)


def counts_needed(experiment: CompiledExperiment, printed: PrintedLimit) -> float:
    """Return the N_SM at which a projection, without systematic uncertainty, reaches a printed limit.

    From eq. 45 with a = 0: (N_SM - N)²/(1.2 N_SM) = Δχ², N = r N_SM, so N_SM = 1.2 Δχ²/(1 - r)², in
    variant "numbers".
    """
    counts = events(experiment, printed.beta, "numbers", (printed.printed.value or 0.0) * 1e3)
    return float(1.2 * threshold(CL) / (1 - counts.sum() / standard_model_total(experiment)) ** 2)


def limit_of_systematics(experiment: CompiledExperiment, beta: str, systematic: float) -> float:
    """Return the profiled limit (TeV) of a projection with unlimited statistics, in variant "numbers"."""
    endless = scaled(experiment, 1e8)
    return limit_result(endless, beta, "numbers", systematic=systematic).lower_limit_tev or float("nan")
