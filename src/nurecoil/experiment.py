"""Experiments: target, source, detector and exposure, compiled once into templates of counts."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nurecoil.couplings import Couplings
from nurecoil.cross_section import Conventions
from nurecoil.detector import Detector
from nurecoil.fluxes import Flux
from nurecoil.form_factors import FormFactor
from nurecoil.nuclei import Material, Nuclide
from nurecoil.parameters import Parameter
from nurecoil.recoil import RecoilTemplates, recoil_energy_max, recoil_templates

Array = NDArray[np.float64]

_POINTS_PER_SEGMENT = 12


@dataclass(frozen=True)
class Exposure:
    """Neutrinos that a stopped-pion source sends through a detector.

    Attributes
    ----------
    protons_on_target, neutrinos_per_proton
        Protons, and neutrinos of each component per proton.
    baseline_m
        Distance from source to detector in metres.
    """

    protons_on_target: float
    neutrinos_per_proton: float
    baseline_m: float

    @property
    def fluence(self) -> float:
        """Neutrinos of each component per cm²: r N_POT/(4πL²)."""
        area = 4 * math.pi * (self.baseline_m * 100) ** 2
        return self.neutrinos_per_proton * self.protons_on_target / area


@dataclass(frozen=True)
class CountingStatistics:
    """What a counting experiment saw and how well it knows its rates (seed, eqs. 43-45).

    Attributes
    ----------
    observed
        Observed counts; None for a projection, which "observes" the Standard Model's expectation.
    background
        Expected counts of the background that is fitted along.
    variance_counts, variance_fraction
        What background fluctuations add to the statistical variance: σ² = n + counts + fraction · n.
    pulls
        Nuisance parameters, each a fractional change of the "signal" or of the "background".
    """

    observed: float | None
    background: float
    variance_counts: float
    variance_fraction: float
    signal_pull: Parameter
    background_pull: Parameter | None

    @property
    def pulls(self) -> tuple[Parameter, ...]:
        """All nuisance parameters."""
        return (self.signal_pull,) + ((self.background_pull,) if self.background_pull else ())


@dataclass(frozen=True)
class ResidualSpectrum:
    """Coincidence minus anticoincidence counts in bins of the observable."""

    edges: tuple[float, ...]
    coincidence: tuple[float, ...]
    anticoincidence: tuple[float, ...]
    reference: str


@dataclass(frozen=True)
class Experiment:
    """One experiment, as its card describes it."""

    name: str
    title: str
    reference: str
    target: Material
    mass_kg: float
    flux: Flux
    exposure: Exposure
    detector: Detector
    form_factor: FormFactor
    conventions: Conventions
    statistics: CountingStatistics
    spectrum: ResidualSpectrum | None = None


@dataclass(frozen=True)
class CompiledExperiment:
    """An experiment as plain arrays: expected counts are a quadratic form in the couplings.

    counts[bin] = Σ_α [vector[bin, α] · strengths_α + magnetic[bin, α] μ_α²]
    """

    experiment: Experiment
    templates: RecoilTemplates

    def counts(self, couplings: Couplings) -> Array:
        """Return the expected counts per bin, shape (..., bins), at couplings of shape (..., 3, 3)."""
        return self.templates.evaluate(couplings)


def compile_experiment(experiment: Experiment) -> CompiledExperiment:
    """Return the experiment's templates: nuclei · fluence · ∫dT R[bin, T] dσ/dT (seed, eq. 42).

    The integral is split wherever the response or a spectrum ends or jumps, and Gauss-Legendre in
    between, so that bins and thresholds are exact.
    """
    bins = len(experiment.detector.edges) - 1
    vector, magnetic = np.zeros((bins, 3, 3)), np.zeros((bins, 3))
    target = experiment.target
    for nuclide, per_kg in zip(target.nuclides, target.nuclei_per_kg, strict=True):
        T, weights = _recoil_grid(experiment, nuclide)
        templates = recoil_templates(
            nuclide, experiment.flux, experiment.form_factor, experiment.conventions, T
        )
        nuclei = per_kg * experiment.mass_kg
        response = nuclei * experiment.exposure.fluence * weights * experiment.detector.response(T)
        vector += np.einsum("bt,tak->bak", response, templates.vector)
        magnetic += response @ templates.magnetic
    return CompiledExperiment(experiment, RecoilTemplates(vector, magnetic))


def _recoil_grid(experiment: Experiment, nuclide: Nuclide) -> tuple[Array, Array]:
    """Return recoil energies (MeV) and weights of a piecewise Gauss-Legendre rule."""
    ends = recoil_energy_max(nuclide, experiment.flux)
    lowest = experiment.detector.edges[0] / (1e3 * experiment.detector.per_kev)
    splits = np.concatenate([experiment.detector.breakpoints(), ends])
    splits = np.unique(splits[(splits >= lowest) & (splits <= max(ends))])
    x, w = np.polynomial.legendre.leggauss(_POINTS_PER_SEGMENT)
    half = np.diff(splits)[:, np.newaxis] / 2
    middle = (splits[1:] + splits[:-1])[:, np.newaxis] / 2
    return (middle + half * x).ravel(), (half * w).ravel()
