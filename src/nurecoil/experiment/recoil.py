"""Recoil spectra: a cross section averaged over the neutrinos of a source, per nuclide."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nurecoil.physics import cross_section
from nurecoil.physics.couplings import FLAVOURS, Couplings, vector_strengths
from nurecoil.physics.form_factors import FormFactor
from nurecoil.physics.nuclei import Nuclide
from nurecoil.sources import Flux, flux_integral

Array = NDArray[np.float64]


@dataclass(frozen=True)
class RecoilTemplates:
    """What multiplies the couplings in a recoil spectrum, or in anything linear in it.

    Attributes
    ----------
    vector : ndarray, shape (n, 3, 3)
        Per point (recoil energy or bin), incoming flavour, and term of `vector_strengths`.
    magnetic : ndarray, shape (n, 3)
        Per point and incoming flavour; multiplies the magnetic moment squared. Infinite where the response
        does not vanish at T -> 0, as the cross section goes like 1/T.
    """

    vector: Array
    magnetic: Array

    def evaluate(self, couplings: Couplings) -> Array:
        """Return Σ_α [vector_α · strengths_α + magnetic_α μ_α²], shape (..., n)."""
        strengths = vector_strengths(couplings)
        flat = strengths.reshape(*strengths.shape[:-2], 9)
        counts: Array = flat @ self.vector.reshape(len(self.vector), 9).T
        if np.any(couplings.magnetic_moment):
            with np.errstate(invalid="ignore"):  # 0 · ∞ is 0 here
                of_each = couplings.magnetic_moment[..., np.newaxis, :] ** 2 * self.magnetic
            counts = counts + np.nansum(of_each, axis=-1)
        return counts

    @property
    def matrix(self) -> Array:
        """What multiplies `couplings.strengths`, shape (12, n); 0 in place of what is infinite."""
        magnetic = np.where(np.isinf(self.magnetic), 0.0, self.magnetic)
        return np.concatenate([self.vector.reshape(-1, 9).T, magnetic.T])

    def scaled(self, factor: float) -> "RecoilTemplates":
        """Return the templates of `factor` times the exposure."""
        return RecoilTemplates(factor * self.vector, factor * self.magnetic)


@dataclass(frozen=True)
class ComponentTemplates:
    """The same for each component of a source apart: vector (components, n, 3), magnetic (components, n)."""

    vector: Array
    magnetic: Array

    def spread(self, shares: Array | None) -> "ComponentTemplates":
        """Return the templates in the cells of each bin, of shares (components, n, cells)."""
        if shares is None:
            return self
        vector = self.vector[:, :, np.newaxis, :] * shares[..., np.newaxis]
        magnetic = np.zeros(vector.shape[:3])
        np.multiply(self.magnetic[..., np.newaxis], shares, out=magnetic, where=shares != 0)  # no 0 · ∞
        return ComponentTemplates(vector.reshape(len(vector), -1, 3), magnetic.reshape(len(vector), -1))

    def by_flavour(self, flux: Flux) -> RecoilTemplates:
        """Return the sum over the components of each flavour."""
        vector = np.zeros((self.vector.shape[1], 3, 3))
        magnetic = np.zeros((self.vector.shape[1], 3))
        for number, component in enumerate(flux.components):
            flavour = FLAVOURS.index(component.flavour)
            vector[:, flavour] += self.vector[number]
            magnetic[:, flavour] += self.magnetic[number]
        return RecoilTemplates(vector, magnetic)


def flux_kernels(
    nuclide: Nuclide, flux: Flux, conventions: cross_section.Conventions, T: Array
) -> tuple[Array, Array]:
    """Return ∫dE φ(E) k(T, E) with its prefactor for the vector and the magnetic cross section.

    In cm²/MeV, of shape (components, n): what multiplies |Q|², and (μ/μ_B)² Z² F_p², at recoil energies T > 0
    in MeV, shape (n,).
    """
    M, column = nuclide.mass, T[:, np.newaxis]
    E_min = cross_section.neutrino_energy_min(T, M)

    def vector(E: Array) -> Array:
        return cross_section.vector_kernel(column, E, M, recoil_term=conventions.vector_recoil_term)

    def magnetic(E: Array) -> Array:
        return cross_section.magnetic_kernel(column, E, M, recoil_term=conventions.magnetic_recoil_term)

    spectra = [component.spectrum for component in flux.components]
    return (
        cross_section.vector_prefactor(M) * np.array([flux_integral(s, vector, E_min) for s in spectra]),
        cross_section.magnetic_prefactor() * np.array([flux_integral(s, magnetic, E_min) for s in spectra]),
    )


def nuclear_factors(
    nuclide: Nuclide, form_factor: FormFactor, conventions: cross_section.Conventions, T: Array
) -> tuple[Array, Array]:
    """Return Z²F_p², ZN F_p F_n, N²F_n², shape (n, 3), and Z² [F_p²], shape (n,), at recoil energies T."""
    q = cross_section.momentum_transfer(T, nuclide.mass)
    p = nuclide.Z * form_factor.proton(q, nuclide)
    n = nuclide.N * form_factor.neutron(q, nuclide)
    charge = p if conventions.magnetic_form_factor else np.full_like(p, nuclide.Z)
    return np.stack([p * p, p * n, n * n], axis=-1), charge**2


def recoil_templates(
    nuclide: Nuclide,
    flux: Flux,
    form_factor: FormFactor,
    conventions: cross_section.Conventions,
    T: ArrayLike,
) -> RecoilTemplates:
    """Return the templates of dσ/dT(T), averaged over the source: Σ over components of ∫dE φ(E) dσ/dT.

    In cm²/MeV, at recoil energies T > 0 in MeV, shape (n,), with one neutrino per component, so three for a
    stopped-pion source.
    """
    T = np.atleast_1d(np.asarray(T, dtype=float))
    vector, magnetic = flux_kernels(nuclide, flux, conventions, T)
    nuclear, charge = nuclear_factors(nuclide, form_factor, conventions, T)
    return ComponentTemplates(vector[..., np.newaxis] * nuclear, magnetic * charge).by_flavour(flux)


def recoil_energy_max(nuclide: Nuclide, flux: Flux) -> tuple[float, ...]:
    """Return the largest recoil energy (MeV) that each component of a source can give."""
    return tuple(
        float(cross_section.recoil_energy_max(c.spectrum.energy_max, nuclide.mass)) for c in flux.components
    )
