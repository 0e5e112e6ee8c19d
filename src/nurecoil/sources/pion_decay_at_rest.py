"""Neutrinos of a stopped-pion source: π⁺ → μ⁺ ν_μ, then μ⁺ → e⁺ ν_e ν̄_μ, both at rest."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nurecoil.physics.constants import MUON_MASS, PION_MASS
from nurecoil.sources.flux import Component, Continuum, Flux, Line

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
