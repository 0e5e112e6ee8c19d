"""The Standard Model's cross section per nucleus, averaged over the spectrum of the source."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nurecoil.experiment import Experiment
from nurecoil.form_factors import FormFactor
from nurecoil.models import STANDARD_MODEL
from nurecoil.recoil import recoil_energy_max, recoil_templates
from nurecoil.validation.signal import RADIATIVE

Array = NDArray[np.float64]

CROSS_SECTION_UNIT = 1e-40  # cm²
_SEGMENTS, _POINTS = 24, 8  # of the integral over the recoil energy


def cross_section(experiment: Experiment, other: FormFactor | None = None) -> float:
    """Return ∫dT dσ/dT in the Standard Model in 1e-40 cm².

    Averaged over the components of the source, and over the nuclides by their number.
    """
    couplings = STANDARD_MODEL.evaluate(STANDARD_MODEL.resolve(RADIATIVE))
    totals = []
    for nuclide in experiment.target.nuclides:
        T, weights = _recoil_grid(recoil_energy_max(nuclide, experiment.flux))
        templates = recoil_templates(
            nuclide, experiment.flux, other or experiment.signal.form_factor, experiment.conventions, T
        )
        totals.append(float(templates.evaluate(couplings) @ weights))
    mean = float(np.average(totals, weights=experiment.target.nuclei_per_kg))
    return mean / len(experiment.flux.components) / CROSS_SECTION_UNIT


def _recoil_grid(ends: Sequence[float]) -> tuple[Array, Array]:
    """Return recoil energies (MeV) and weights of a Gauss-Legendre rule between the spectra's ends."""
    edges = np.unique(np.concatenate([np.linspace(0, max(ends), _SEGMENTS + 1), ends]))
    x, w = np.polynomial.legendre.leggauss(_POINTS)
    half, middle = np.diff(edges)[:, np.newaxis] / 2, (edges[1:] + edges[:-1])[:, np.newaxis] / 2
    return (middle + half * x).ravel(), (half * w).ravel()
