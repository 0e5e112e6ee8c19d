"""Neutrinos of a stopped-pion source: π⁺ → μ⁺ ν_μ, then μ⁺ → e⁺ ν_e ν̄_μ, both at rest."""

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nurecoil.checks import Number
from nurecoil.physics.constants import MUON_MASS, PION_MASS
from nurecoil.sources.flux import Component, Continuum, Files, Flux, Line

MUON_ENDPOINT = MUON_MASS / 2  # MeV, 52.83


def nu_mu_energy() -> float:
    """Return the energy of the prompt ν_μ, (m_π² - m_μ²)/(2 m_π), in MeV (Binh et al. 2021, eq. 39).

    >>> round(nu_mu_energy(), 2)
    29.79
    """
    return (PION_MASS**2 - MUON_MASS**2) / (2 * PION_MASS)


def nu_mu_bar_spectrum(E: ArrayLike) -> NDArray[np.float64]:
    """Return φ(E) = (64E²/m_μ³)(3/4 - E/m_μ) for 0 <= E <= m_μ/2, in 1/MeV (Binh et al. 2021, eq. 40)."""
    E = np.asarray(E, dtype=float)
    density = 64 * E**2 / MUON_MASS**3 * (3 / 4 - E / MUON_MASS)
    return np.where((E >= 0) & (E <= MUON_ENDPOINT), density, 0.0)


def nu_e_spectrum(E: ArrayLike) -> NDArray[np.float64]:
    """Return φ(E) = (192E²/m_μ³)(1/2 - E/m_μ) for 0 <= E <= m_μ/2, in 1/MeV (Binh et al. 2021, eq. 41)."""
    E = np.asarray(E, dtype=float)
    density = 192 * E**2 / MUON_MASS**3 * (1 / 2 - E / MUON_MASS)
    return np.where((E >= 0) & (E <= MUON_ENDPOINT), density, 0.0)


def pion_decay_at_rest() -> Flux:
    """Return the three components of a stopped-pion source, each normalised to one neutrino."""
    knots = (0.0, MUON_ENDPOINT)
    return Flux(
        name="pion-decay-at-rest",
        components=(
            Component("nu_mu", "mu", Line(nu_mu_energy())),
            Component("nu_mu_bar", "mu", Continuum(nu_mu_bar_spectrum, knots)),
            Component("nu_e", "e", Continuum(nu_e_spectrum, knots)),
        ),
        reference="Louis:2009; Binh:2021, eqs. 39-41",
        extent_m=0.5,  # the mercury target of the SNS (arXiv:2109.11049)
    )


@dataclass(frozen=True)
class PionDecayAtRest:
    """A stopped-pion source, and the neutrinos that it sends through a detector.

    Attributes
    ----------
    protons_on_target, neutrinos_per_proton
        Protons, and neutrinos of each component per proton.
    baseline_m
        Distance from source to detector in metres.
    """

    flux: ClassVar = "pion-decay-at-rest"
    protons_on_target: Annotated[float, Number(1e12, 1e28, "protons")]
    neutrinos_per_proton: Annotated[float, Number(1e-4, 1, "neutrinos of each flavour per proton")]
    baseline_m: Annotated[float, Number(1, 1e4, "m", written=True)]

    def neutrinos(self, files: Files) -> Flux:
        """Return the three components."""
        return pion_decay_at_rest()

    @property
    def fluence(self) -> float:
        """Neutrinos of each component per cm²: r N_POT/(4πL²)."""
        area = 4 * math.pi * (self.baseline_m * 100) ** 2
        return self.neutrinos_per_proton * self.protons_on_target / area
